"""The tabular connector: a workbook or CSV with titles above, totals below and all that offices do between."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

from dti.errors import SourceChanged, SourceMalformed, printable
from dti.sources.conform import as_text, fold
from dti.sources.delimited import read_delimited
from dti.sources.difference import Missing, difference
from dti.sources.dropfolder import find_file, read_bytes
from dti.sources.header import Header, find_columns, find_header, folded
from dti.sources.masking import by_form
from dti.sources.model import Source, TabularConnector
from dti.sources.pull import PullStats, Record
from dti.sources.shape import OWN, Shape
from dti.sources.table import Cells, Table, is_blank
from dti.sources.workbook import is_workbook, read_workbook

_UNIT = "unit"
_NUMBERING = re.compile(r"[(\[]?(?P<mark>[0-9]{1,3}|[A-Z])[)\]]?")


def tabular_records(source: Source, stats: PullStats, drop_dir: Path | None) -> Generator[Record, None, None]:
    """Stream the records of the newest file of a source, keyed by the header texts that its ``fields`` name.

    Left out, and counted in ``stats.warnings``: totals, notes and signatures, lines that only head a section. Raises
    SourceError naming file, sheet and remedy; SourceChanged when a required column is gone.
    """
    connector = source.connector
    if not isinstance(connector, TabularConnector):
        raise TypeError(f"{source.source} is not a tabular source")
    path = find_file(connector.path, drop_dir, source.source)
    where = f"{source.source}: {_shown(path)}"
    table = _read(path, connector, source, stats, where)
    where = f"{where}: {table.name}" if table.name != _shown(path) else where
    header = find_header(table, _places(source).values(), connector.header_rows, where)
    columns, absent = find_columns(header, _places(source), where)
    mapped = set(columns.values())
    for index, name in enumerate(header.names):
        if name and index not in mapped:
            stats.unmapped(name)
    _hold_to_header(source, absent, stats, where)
    title = _title(table, header, connector, where)
    yield from _records(table, header, columns, source, title, stats, where)


def _shown(path: Path) -> str:
    """A file's name as it may be written down: offices put telephone numbers and mail addresses into names."""
    return by_form(printable(path.name))


def _read(path: Path, connector: TabularConnector, source: Source, stats: PullStats, where: str) -> Table:
    data = read_bytes(path, connector.max_bytes, where)
    name = _shown(path)
    stats.source_files.append(name)
    stats.bytes_received += len(data)
    if is_workbook(data):
        return read_workbook(data, connector.sheet, connector.max_bytes, where, stats)
    wanted = {part for text in _places(source).values() for part in (folded(text), folded(text.rpartition("/")[2]))}
    return read_delimited(
        data, name, wanted, encoding=connector.encoding, delimiter=connector.delimiter, stats=stats, where=where
    )


def _places(source: Source) -> dict[str, str]:
    """Our name → header text, of everything the source looks for in the header."""
    return source.fields | ({_UNIT: source.unit.field} if source.unit.field is not None else {})


def _hold_to_header(source: Source, absent: list[str], stats: PullStats, where: str) -> None:
    """Raise SourceChanged when a column is gone that the feed cannot do without; note the others."""
    contract, shape = source.contract, Shape(source)
    kept = [name for name in absent if name not in contract.personal]
    gone = [name for name in kept if shape.needs(name) and contract.drift_of(name).missing_field == "stop"]
    if gone:
        missing = [Missing(name, shape.places[name], True, None, []) for name in gone]
        raise difference(source, shape, missing, stats.unmapped_fields, stats.unmapped_fields, where)
    if kept:
        stats.warn(f"no column for {', '.join(kept)}")


def _title(table: Table, header: Header, connector: TabularConnector, where: str) -> dict[str, str]:
    """What the rows above the header say, by the named groups of ``title_pattern``."""
    if connector.title_pattern is None:
        return {}
    lines = [" ".join(text for text in table.texts(i) if text) for i in range(header.start)]
    pattern = re.compile(unicodedata.normalize("NFC", connector.title_pattern), re.IGNORECASE)
    for line in [*lines, " ".join(lines)]:
        if found := pattern.search(" ".join(line.split())):
            return {OWN + name: text for name, text in found.groupdict().items() if text is not None}
    what = f"title_pattern fits none of the {len(lines)} row(s) above the header"
    raise SourceChanged(what, where=where, remedy="compare the title in the file with connector.title_pattern")


def _records(
    table: Table,
    header: Header,
    columns: dict[str, int],
    source: Source,
    title: dict[str, str],
    stats: PullStats,
    where: str,
) -> Iterator[Record]:
    rows = _Rows(source, columns)
    names = {ours: _places(source)[ours] for ours in columns}
    left_out: dict[str, list[int]] = {"total": [], "note or section line": [], "repeated header": []}
    table_may_be_over = False
    for index, (number, cells) in enumerate(table.rows[header.end :]):
        if is_blank(cells):
            table_may_be_over = True
        elif index == 0 and _is_numbering(cells):
            continue
        elif rows.is_total(cells):
            left_out["total"].append(number)
            table_may_be_over = True
        elif rows.is_no_record(cells, table_may_be_over=table_may_be_over):
            left_out["note or section line"].append(number)
        elif _is_header(cells, header, columns):
            left_out["repeated header"].append(number)
        else:
            table_may_be_over = False
            _hold_to_values(table, number, columns.values(), stats, where)
            values: dict[str, Any] = {names[ours]: _cell(cells, at) for ours, at in columns.items()}
            yield Record(values | title, table.place(number))
    for kind, numbers in left_out.items():
        if numbers:
            shown = ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
            stats.warn(f"{table.name}: {len(numbers)} {kind}(s) left out: row {shown}")


def _hold_to_values(table: Table, number: int, columns: Iterable[int], stats: PullStats, where: str) -> None:
    """Refuse a record that leaves its values to a formula nobody computed; note one that holds an error."""
    if not table.uncomputed and not table.errors:
        return
    places = [(number - 1, column) for column in columns]
    if empty := [table.cell(number, column) for row, column in places if (row, column) in table.uncomputed]:
        what = f"cell {empty[0]} holds a formula that was never computed"
        raise SourceMalformed(what, where=where, remedy="open the workbook in Excel, let it compute, and save it")
    for row, column in places:
        if (row, column) in table.errors:
            stats.warn(f"{table.name}: cell {table.cell(number, column)} holds an error, read as empty")


class _Rows:
    """Tells records from what else stands in a table."""

    def __init__(self, source: Source, columns: dict[str, int]) -> None:
        contract, connector = source.contract, source.connector
        labels = connector.total_labels if isinstance(connector, TabularConnector) else []
        self._labels = {fold(label) for label in labels}
        required = {name for name, column in contract.columns.items() if column.required}
        names = {
            name
            for name, column in contract.columns.items()
            if column.type in {"string", "date"} and (name in contract.key or column.required)
        }
        self._identity = [at for ours, at in columns.items() if ours in names or ours == _UNIT]
        self._needed = [at for ours, at in columns.items() if ours in required]

    def is_total(self, cells: Cells) -> bool:
        """A total is labelled in its first filled cell and does not name what a record names.

        An agency may well be called like a total ("Cộng"): with its code and date beside it, it is a record.
        """
        label = next((text for cell in cells if (text := as_text(cell))), "")
        if fold(label.rstrip(": ")) not in self._labels:
            return False
        texts = [as_text(_cell(cells, at)) or "" for at in self._identity]
        beside = [text for text in texts if fold(text.rstrip(": ")) not in self._labels]
        return not beside or not all(beside)

    def is_no_record(self, cells: Cells, *, table_may_be_over: bool) -> bool:
        """A line that heads a section fills one cell; below the table, notes and signatures fill a few.

        A record with some cells missing stays a record: the gate shows it to a person.
        """
        filled = sum(as_text(_cell(cells, at)) is not None for at in self._needed)
        named = bool(self._identity) and all(as_text(_cell(cells, at)) is not None for at in self._identity)
        if named or len(self._needed) < 2:
            return False
        return filled <= 1 or (table_may_be_over and filled * 2 < len(self._needed))


def _is_numbering(cells: Cells) -> bool:
    """The line under many headers that numbers the columns: (1) (2) (3), or A B 1 2."""
    marks = [_NUMBERING.fullmatch(text) for cell in cells if (text := as_text(cell))]
    if len(marks) < 3 or not all(marks):
        return False
    texts = [mark["mark"] for mark in marks if mark]
    numbers = [int(text) for text in texts if text.isdigit()]
    letters = [text for text in texts if not text.isdigit()]
    return numbers == list(range(1, len(numbers) + 1)) and texts == letters + [str(n) for n in numbers]


def _is_header(cells: Cells, header: Header, columns: dict[str, int]) -> bool:
    """The header once more, as printing puts it on every sheet of paper."""
    texts = {at: text for at in columns.values() if (text := as_text(_cell(cells, at)))}
    return all(fold(text) in folded(header.names[at]).split(" / ") for at, text in texts.items())


def _cell(cells: Cells, at: int) -> Any:
    return cells[at] if at < len(cells) else None
