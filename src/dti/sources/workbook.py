"""Workbooks (XLSX, XLS): the one sheet that is meant, with what merged cells stand for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from dti.errors import SourceChanged, SourceMalformed, printable
from dti.sources.conform import fold
from dti.sources.pull import PullStats
from dti.sources.sheet_xml import MAX_CELLS, Place, SheetFacts
from dti.sources.table import Table, is_blank
from dti.sources.vetting import Vetted, vet

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def is_workbook(data: bytes) -> bool:
    """True for what begins like a workbook, whatever the file is called."""
    return data.startswith((_ZIP, _OLE))


class Opened(NamedTuple):
    """A workbook that can be read safely, and what was found when it was taken apart; of an old XLS nothing."""

    book: CalamineWorkbook
    vetted: Vetted


def read_workbook(data: bytes, sheet: str | None, max_bytes: int, where: str, stats: PullStats) -> Table:
    """The sheet named ``sheet``, or the only visible one that holds anything.

    Formulas give their stored values, error cells nothing. A cell merged over several rows stands in each of them; one
    merged over several columns only in the first, :mod:`dti.sources.header` spreads it where it is a header. What a
    person should know of the file is noted in ``stats``. Raises SourceMalformed when the workbook cannot be read or is
    empty, SourceChanged when the sheet is not there.
    """
    with open_workbook(data, max_bytes, where) as (book, vetted):
        for remark in vetted.remarks:
            stats.warn(remark)
        chosen = _choose(book, sheet, where)
        return _table(chosen, vetted.sheets.get(chosen.name, SheetFacts()), where)


@contextmanager
def open_workbook(data: bytes, max_bytes: int, where: str) -> Iterator[Opened]:
    """The workbook, safe to read: whatever is wrong with it, also while it is read, is told as SourceMalformed."""
    vetted = vet(data, max_bytes, where) if data.startswith(_ZIP) else _old(data, where)
    broken = "open it in Excel and save it again; else ask for it again"
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(vetted.data)) as book:
            yield Opened(book, vetted)
    except PasswordError:
        raise SourceMalformed(
            "the workbook is locked with a password", where=where, remedy="ask the agency for an open one"
        ) from None
    except CalamineError as fault:
        what = f"the workbook cannot be read: {str(fault)[:120]}"
        raise SourceMalformed(what, where=where, remedy=broken) from None
    except BaseException as fault:  # a panic of the Rust reader is no Exception
        if type(fault).__name__ != "PanicException":
            raise
        raise SourceMalformed("the workbook is broken", where=where, remedy=broken) from None


def merged_ranges(sheet: CalamineSheet, where: str) -> list[tuple[Place, Place]]:
    """First and last cell of every merge. Raises SourceMalformed when together they are larger than any sheet."""
    ranges = sheet.merged_cell_ranges or []
    if sum((bottom - top + 1) * (right - left + 1) for (top, left), (bottom, right) in ranges) > MAX_CELLS:
        what = f"sheet {sheet.name!r} merges more than {MAX_CELLS:,} cells: too large"
        raise SourceMalformed(what, where=where, remedy="merge the cells of the table only")
    return ranges


def _old(data: bytes, where: str) -> Vetted:
    """An XLS as it is: its format has no room for bombs. But one that is a zip besides would be read as that."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        what = "the workbook is two files in one, an XLS and a zip"
        raise SourceMalformed(what, where=where, remedy="ask the agency to save it as XLSX")
    return Vetted(data, [])


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


def _table(sheet: CalamineSheet, facts: SheetFacts, where: str) -> Table:
    cells = sheet.to_python(skip_empty_area=False)
    if all(is_blank(row) for row in cells) and not facts.uncomputed:
        remedy = "ask the agency to send it again"
        raise SourceMalformed(f"sheet {sheet.name!r} is empty", where=where, remedy=remedy)
    for (top, left), (bottom, _) in merged_ranges(sheet, where):
        for row in range(top + 1, min(bottom, len(cells) - 1) + 1):
            if left < len(cells[row]):
                cells[row][left] = cells[top][left]
    rows = [(number, list(row)) for number, row in enumerate(cells, start=1)]
    return Table(printable(sheet.name), rows, frozenset(facts.uncomputed), frozenset(facts.errors))
