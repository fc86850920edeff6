"""Workbooks (XLSX, XLS): the one sheet that is meant, with what merged cells stand for."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from dti.errors import SourceChanged, SourceMalformed
from dti.sources.conform import fold
from dti.sources.table import Table, is_blank

MAX_CELLS = 10_000_000  # a stray value in the last cell of a sheet makes it 17 billion
_FILLED_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>')
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def is_workbook(data: bytes) -> bool:
    """True for what begins like a workbook, whatever the file is called."""
    return data.startswith((_ZIP, _OLE))


def read_workbook(data: bytes, sheet: str | None, max_bytes: int, where: str) -> Table:
    """The sheet named ``sheet``, or the only visible one that holds anything.

    Formulas give their stored values, error cells nothing. A cell merged over several rows stands in each of them; one
    merged over several columns only in the first, :mod:`dti.sources.header` spreads it where it is a header. Raises
    SourceMalformed when the workbook cannot be read or is empty, SourceChanged when the sheet is not there.
    """
    with open_workbook(data, max_bytes, where) as book:
        return _table(_choose(book, sheet, where), where)


@contextmanager
def open_workbook(data: bytes, max_bytes: int, where: str) -> Iterator[CalamineWorkbook]:
    """The workbook, safe to read: whatever is wrong with it, also while it is read, is told as SourceMalformed."""
    _refuse_bombs(data, max_bytes, where)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            yield book
    except PasswordError:
        raise SourceMalformed(
            "the workbook is locked with a password", where=where, remedy="ask the agency for an open one"
        ) from None
    except CalamineError as fault:
        what = f"the workbook cannot be read: {str(fault)[:120]}"
        raise SourceMalformed(
            what, where=where, remedy="open it in Excel and save it again; else ask for it again"
        ) from None
    except BaseException as fault:  # a panic of the Rust reader is no Exception
        if type(fault).__name__ != "PanicException":
            raise
        raise SourceMalformed(
            "the workbook is broken", where=where, remedy="open it in Excel and save it again; else ask for it again"
        ) from None


def _refuse_bombs(data: bytes, max_bytes: int, where: str) -> None:
    """Refuse what is small on disk and huge in memory, where the reader would take the whole process down with it."""
    if not data.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if not any(entry.filename == "xl/workbook.xml" for entry in entries):
                what, remedy = "it is no Excel workbook", "ask the agency to save it as XLSX"
                raise SourceMalformed(what, where=where, remedy=remedy)
            if (size := sum(entry.file_size for entry in entries)) > 10 * max_bytes:
                what = f"the workbook is too large: {size:,} bytes unpacked"
                remedy = "check that it is the right file; if so, raise connector.max_bytes"
                raise SourceMalformed(what, where=where, remedy=remedy)
            for entry in entries:
                if entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
                    _refuse_stray_cells(archive.read(entry), entry.filename, where)
    except (zipfile.BadZipFile, ValueError, EOFError, zlib.error) as fault:
        what = f"the workbook is broken or cut off ({type(fault).__name__})"
        raise SourceMalformed(what, where=where, remedy="ask the agency to send it again") from None


def _refuse_stray_cells(sheet: bytes, name: str, where: str) -> None:
    """The reader lays out the whole rectangle between the first filled cell and the last."""
    rows: set[int] = set()
    columns: set[bytes] = set()
    for cell in _FILLED_CELL.finditer(sheet):
        columns.add(cell[1])
        rows.add(int(cell[2]))
    if not rows:
        return
    width = max(map(_column_number, columns)) - min(map(_column_number, columns)) + 1
    if width * (max(rows) - min(rows) + 1) > MAX_CELLS:
        what = f"{name} reaches to row {max(rows):,}, {width:,} columns wide: too large"
        raise SourceMalformed(what, where=where, remedy="delete the stray cells below and beside the table")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _choose(book: CalamineWorkbook, sheet: str | None, where: str) -> CalamineSheet:
    worksheets = [m for m in book.sheets_metadata if m.typ == SheetTypeEnum.WorkSheet]
    visible = [m.name for m in worksheets if m.visible == SheetVisibleEnum.Visible]
    listed = ", ".join(repr(name) for name in visible) or "none visible"
    if sheet is not None:
        named = [m.name for m in worksheets if fold(m.name) == fold(sheet)]
        if not named:
            remedy = "name one of them as connector.sheet, or ask the agency for the right workbook"
            raise SourceChanged(f"no sheet {sheet!r}; there are: {listed}", where=where, remedy=remedy)
        return book.get_sheet_by_name(named[0])
    filled = [found for name in visible if (found := book.get_sheet_by_name(name)).end is not None]
    if not filled:
        remedy = "ask the agency to send it again; hidden sheets are not read unless named as connector.sheet"
        raise SourceMalformed(f"the workbook is empty (visible sheets: {listed})", where=where, remedy=remedy)
    if len(filled) > 1:
        remedy = "name the one that is meant as connector.sheet"
        raise SourceChanged(f"several sheets hold data: {listed}", where=where, remedy=remedy)
    return filled[0]


def _table(sheet: CalamineSheet, where: str) -> Table:
    cells = sheet.to_python(skip_empty_area=False)
    if all(is_blank(row) for row in cells):
        remedy = "ask the agency to send it again"
        raise SourceMalformed(f"sheet {sheet.name!r} is empty", where=where, remedy=remedy)
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or []:
        for row in range(top + 1, min(bottom, len(cells) - 1) + 1):
            if left < len(cells[row]):
                cells[row][left] = cells[top][left]
    return Table(sheet.name, [(number, list(row)) for number, row in enumerate(cells, start=1)])
