"""Finding a table's header among titles and merged groups, and the columns under it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from dti.errors import SourceChanged
from dti.sources.conform import fold
from dti.sources.table import Table, column_letter, is_blank

_LOOK_AT = 100
_SLASH = re.compile(r"\s*/\s*")


@dataclass(frozen=True)
class Header:
    """Where the header stands (``start`` to before ``end``, as row indexes) and the full name over each column."""

    start: int
    end: int
    names: list[str]


def folded(name: str) -> str:
    """A header text as it is compared: Unicode form, case, white space and the space around "/" do not count."""
    return fold(_SLASH.sub(" / ", name))


def find_header(table: Table, wanted: Iterable[str], height: int, where: str) -> Header:
    """The ``height`` rows in which most of the ``wanted`` headers stand; of equals the first.

    A whole name counts more than its last part alone, else a title above the header would be taken for its first row.

    Raises SourceChanged when none of them stands anywhere near the top.
    """
    needles = {folded(name) for name in wanted}
    best, most = None, 0
    for start in range(min(len(table.rows), _LOOK_AT)):
        if is_blank(table.rows[start][1]):
            continue
        names = _join([table.texts(i) for i in range(start, min(start + height, len(table.rows)))])
        score = 2 * len(needles & {folded(name) for name in names})
        score += len(needles & {folded(_last(name)) for name in names})
        if score > most:
            best, most = Header(start, start + height, names), score
    if best is None:
        # What stands there instead is not shown: without a header it is a record, and may name a person.
        first = next((n for n, cells in table.rows if not is_blank(cells)), 0)
        what = f"no header found: none of {_quoted(wanted)} in the first {_LOOK_AT} rows"
        remedy = f"look at row {first}, the first that is filled: check connector.sheet, header_rows and fields"
        raise SourceChanged(what, where=where, remedy=remedy)
    return best


def find_columns(header: Header, places: dict[str, str], where: str) -> tuple[dict[str, int], list[str]]:
    """Under which column each of ``places`` (our name → header text) stands, and which of them are not there.

    A header of several rows may be named in full ("Group / Name") or, where that is unique, by its last part. Raises
    SourceChanged when a name stands over several columns.
    """
    full, last = defaultdict(list), defaultdict(list)
    for index, name in enumerate(header.names):
        if name:
            full[folded(name)].append(index)
            last[folded(_last(name))].append(index)
    columns, absent = {}, []
    for ours, text in places.items():
        found = full.get(folded(text)) or last.get(folded(text)) or []
        if len(found) > 1:
            over = ", ".join(f"{column_letter(i)} ({header.names[i]!r})" for i in found)
            remedy = f"write the whole name 'Group / Name' under fields.{ours}, or ask for distinct headers"
            raise SourceChanged(f"the header {text!r} stands over columns {over}", where=where, remedy=remedy)
        if found:
            columns[ours] = found[0]
        else:
            absent.append(ours)
    return columns, absent


def _join(rows: list[list[str | None]]) -> list[str]:
    """One name a column from the rows of a header, top to bottom.

    A group's text stands in its first cell and goes for the blank cells right of it, as far as they have names below.
    """
    width = max(map(len, rows), default=0)
    grid = [row + [None] * (width - len(row)) for row in rows]
    for level, row in enumerate(grid[:-1]):
        group = None
        for column in range(width):
            below = any(lower[column] for lower in grid[level + 1 :])
            above_differs = level > 0 and column > 0 and grid[level - 1][column] != grid[level - 1][column - 1]
            if row[column] or above_differs:
                group = row[column] if below else None
            elif below:
                row[column] = group
            else:
                group = None
    return [_name([row[column] for row in grid]) for column in range(width)]


def _name(texts: list[str | None]) -> str:
    """The texts over one column joined by " / ", a text that repeats (a cell merged downward) once."""
    parts: list[str] = []
    for text in texts:
        tidy = " ".join(text.split()) if text else ""
        if tidy and (not parts or fold(parts[-1]) != fold(tidy)):
            parts.append(tidy)
    return " / ".join(parts)


def _last(name: str) -> str:
    return name.rpartition(" / ")[2]


def _quoted(names: Iterable[str]) -> str:
    shown = [repr(name[:60]) for name in names]
    return ", ".join(shown[:30]) + (f" and {len(shown) - 30} more" if len(shown) > 30 else "")
