"""The pages of an annex: the sheets of a workbook, or a CSV file, as lines of cells with the place of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from dti.errors import MethodError
from dti.index.annex.wording import tidy

Cell = str | date
"""Text, or the date a spreadsheet made of what was typed."""

_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_ENCODINGS = ("utf-8-sig", "cp1258")
_DELIMITERS = ",;\t|"


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
    """One sheet, or one CSV file."""

    name: str
    lines: tuple[Line, ...]
    is_hidden: bool = False


def read_pages(path: Path, *, encoding: str | None = None, sheets: Sequence[str] = ()) -> list[Page]:
    """Every page of ``path`` in its order, or the ``sheets`` named. Raises MethodError when it cannot be read."""
    if not path.is_file():
        raise MethodError("no such file", where=str(path), remedy="give the annex as XLSX or CSV")
    if path.suffix.lower() not in _WORKBOOKS:
        return [_csv_page(path, encoding)]
    pages = _workbook(path)
    if unknown := [name for name in sheets if name not in {page.name for page in pages}]:
        known = ", ".join(page.name for page in pages)
        raise MethodError(f"no sheet {', '.join(unknown)}", where=path.name, remedy=f"the workbook has: {known}")
    return [page for page in pages if page.name in sheets] if sheets else pages


def _workbook(path: Path) -> list[Page]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_path(path)
        pages = []
        for about in book.sheets_metadata:
            if about.typ is not SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(about.name)
            covered = _covered(sheet.merged_cell_ranges or [])
            lines = tuple(
                Line(number, tuple(_cell(value) for value in row), covered.get(number - 1, frozenset()))
                for number, row in enumerate(sheet.to_python(skip_empty_area=False), start=1)
            )
            pages.append(Page(about.name, lines, about.visible is not SheetVisibleEnum.Visible))
    except CalamineError as fault:
        raise MethodError(
            f"not a readable workbook: {fault}", where=path.name, remedy="open it, save it as XLSX, import again"
        ) from fault
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


def _csv_page(path: Path, encoding: str | None) -> Page:
    text = _decode(path, encoding)
    if "\0" in text:
        raise MethodError("not a text file", where=path.name, remedy="give the annex as XLSX or CSV")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    lines, start = [], 1
    for row in reader:
        lines.append(Line(start, tuple(tidy(cell) for cell in row)))
        start = reader.line_num + 1
    return Page(path.name, tuple(lines))


def _decode(path: Path, encoding: str | None) -> str:
    raw = path.read_bytes()
    marked = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else None
    for name in (encoding,) if encoding else (marked,) if marked else _ENCODINGS:
        try:
            return raw.decode(name)
        except LookupError as fault:
            raise MethodError(
                f"unknown encoding {name!r}", where=path.name, remedy="give one Python knows, such as utf-8 or cp1258"
            ) from fault
        except UnicodeDecodeError:
            continue
    raise MethodError(
        "the encoding is unknown", where=path.name, remedy="save the file as CSV UTF-8, or name --encoding"
    )


def _delimiter(text: str) -> str:
    """The delimiter that cuts the most rows into the same number of cells, more than one."""

    def score(delimiter: str) -> int:
        widths = [len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        return max((widths.count(width) * (width - 1) for width in set(widths)), default=0)

    return max(_DELIMITERS, key=score)
