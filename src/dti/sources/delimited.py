"""CSV as offices save it: of any of four encodings and four delimiters, told by looking."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Container

from dti.errors import ConfigError, SourceMalformed
from dti.sources.conform import fold
from dti.sources.pull import PullStats
from dti.sources.table import Table

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DELIMITERS = ";,\t|"
_SAMPLE = 200
MAX_COLUMNS = 16_384
MAX_CELLS = 10_000_000
"""As of a workbook: a file of nothing but separators makes fifty times its size in memory."""


def read_delimited(
    data: bytes,
    name: str,
    wanted: Container[str],
    *,
    encoding: str | None,
    delimiter: str | None,
    stats: PullStats,
    where: str,
) -> Table:
    """The rows of a CSV file, numbered by the line on which they begin.

    ``wanted`` are the folded header texts of the source: the delimiter under which most of them are cells is the
    file's. Raises SourceMalformed when the text cannot be decoded, is a web page, or breaks the rules of CSV.
    """
    text = _decode(data, encoding, stats, where)
    if text[:500].lstrip().lower().startswith(("<!doctype", "<html", "<table", "<?xml")):
        remedy = "open it in Excel and save it as a workbook, or ask the agency for one"
        raise SourceMalformed("a web page in place of a table", where=where, remedy=remedy)
    head, _, rest = text.partition("\n")
    if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=") + 1:
        delimiter, text = head.strip()[-1], "\n" + rest
    try:
        rows = _rows(text, delimiter or _find_delimiter(text, wanted))
    except csv.Error as fault:
        raise SourceMalformed(
            f"no CSV: {fault}", where=where, remedy="check connector.delimiter and the quotes"
        ) from None
    except TypeError:
        raise ConfigError(
            f"{delimiter!r} separates nothing", where=where, remedy="give one sign as connector.delimiter"
        ) from None
    return Table(name, rows)


def _decode(data: bytes, encoding: str | None, stats: PullStats, where: str) -> str:
    named = encoding or next((name for mark, name in _MARKS.items() if data.startswith(mark)), None) or _wide(data)
    for candidate in [named] if named else ["utf-8", "windows-1258"]:
        try:
            text = data.decode(candidate)
        except (UnicodeError, LookupError):
            continue
        if candidate == "windows-1258":
            stats.warn("neither UTF-8 nor marked: read as windows-1258")
        return text
    what = f"the text cannot be read as {named or 'UTF-8 or windows-1258'}"
    raise SourceMalformed(what, where=where, remedy="ask for UTF-8, or name the encoding as connector.encoding")


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: its delimiters and digits have a zero byte, always on the same side."""
    sample = data[:4_000]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 8 < len(sample) or min(even, odd) * 8 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _find_delimiter(text: str, wanted: Container[str]) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        try:
            rows = [cells for _, cells in _rows(text, delimiter, _SAMPLE)]
        except csv.Error:
            return (-1, 0)
        headers = sum(fold(cell) in wanted for cells in rows for cell in cells)
        width, often = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        return (headers, often if width > 1 else 0)

    return max(_DELIMITERS, key=score)


def _rows(text: str, delimiter: str, limit: int | None = None) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, line = [], 1
    count = 0
    for cells in reader:
        rows.append((line, cells))
        line = reader.line_num + 1
        count += len(cells)
        if len(cells) > MAX_COLUMNS or count > MAX_CELLS:
            raise csv.Error(f"line {line - 1:,}: more than {MAX_COLUMNS:,} columns or {MAX_CELLS:,} cells")
        if limit is not None and len(rows) >= limit:
            break
    return rows
