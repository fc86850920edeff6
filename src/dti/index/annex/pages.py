"""The pages of an annex: the sheets of a workbook, or a CSV file, as lines of cells with the place of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from python_calamine import SheetTypeEnum, SheetVisibleEnum

from dti.errors import MethodError
from dti.index.annex.titles import KNOWN_TITLES
from dti.index.annex.wording import tidy
from dti.sources.delimited import read_delimited
from dti.sources.pull import PullStats
from dti.sources.workbook import is_workbook, merged_ranges, open_workbook

Cell = str | date
"""Text, or the date a spreadsheet made of what was typed."""

_MAX_BYTES = 50_000_000


@dataclass(frozen=True)
class Line:
    """One row of a page. ``joined`` are the columns whose cell is merged with the one above."""

    number: int
    cells: tuple[Cell, ...]
    joined: frozenset[int] = frozenset()

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in the row."""
        return not any(self.cells)


@dataclass(frozen=True)
class Page:
    """One sheet, or one CSV file. ``remarks`` tell what a person should know of how it was read."""

    name: str
    lines: tuple[Line, ...]
    is_hidden: bool = False
    remarks: tuple[str, ...] = ()


def read_pages(path: Path, *, encoding: str | None = None, sheets: Sequence[str] = ()) -> list[Page]:
    """Every page of ``path`` in its order, or the ``sheets`` named.

    Raises MethodError when there is no such file or sheet, SourceMalformed when it cannot be read.
    """
    if not path.is_file():
        raise MethodError("no such file", where=str(path), remedy="give the annex as XLSX or CSV")
    data = path.read_bytes()
    if not is_workbook(data):
        return [_text_page(data, path.name, encoding)]
    pages = _workbook(data, path.name)
    if unknown := [name for name in sheets if name not in {page.name for page in pages}]:
        known = ", ".join(page.name for page in pages)
        raise MethodError(f"no sheet {', '.join(unknown)}", where=path.name, remedy=f"the workbook has: {known}")
    return [page for page in pages if page.name in sheets] if sheets else pages


def _workbook(data: bytes, file: str) -> list[Page]:
    pages = []
    with open_workbook(data, _MAX_BYTES, file) as (book, _):
        for about in book.sheets_metadata:
            if about.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(about.name)
            covered = _covered(merged_ranges(sheet, file))
            lines = tuple(
                Line(number, tuple(_cell(value) for value in row), covered.get(number - 1, frozenset()))
                for number, row in enumerate(sheet.to_python(skip_empty_area=False), start=1)
            )
            pages.append(Page(about.name, lines, about.visible != SheetVisibleEnum.Visible))
    return pages


def _covered(ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> dict[int, frozenset[int]]:
    """Row (from 0) → columns whose cell belongs to a merge that began in a row above."""
    found: dict[int, set[int]] = {}
    for (top, left), (bottom, right) in ranges:
        for row in range(top + 1, bottom + 1):
            found.setdefault(row, set()).update(range(left, right + 1))
    return {row: frozenset(columns) for row, columns in found.items()}


def _cell(value: object) -> Cell:
    """What stands in a cell, as a person reads it: 10 for 10.0, and text tidied."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 9))
    return tidy(str(value))


def _text_page(data: bytes, file: str, encoding: str | None) -> Page:
    stats = PullStats()
    table = read_delimited(data, file, KNOWN_TITLES, encoding=encoding, delimiter=None, stats=stats, where=file)
    lines = tuple(Line(number, tuple(tidy(str(cell)) for cell in cells)) for number, cells in table.rows)
    return Page(file, lines, remarks=tuple(stats.warnings))
