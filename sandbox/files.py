"""Writing sheets as offices do: workbooks with merged headers, CSV in old encodings. Always whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sandbox import SYNTHETIC_NOTE
from sandbox.portals.tables import Cell, Table

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


def workbook(table: Table, made: datetime) -> bytes:
    """The table as XLSX: title above, two header rows with merged groups, total and signatures below, a hidden sheet.

    The same table and time give the same bytes.
    """
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = table.name
    width = len(table.header)
    for text in table.title:
        sheet.append([text])
        sheet.merge_cells(start_row=sheet.max_row, end_row=sheet.max_row, start_column=1, end_column=min(width, 6))
    sheet.append([])
    _header(sheet, table, len(table.title) + 2)
    first = len(table.title) + 4
    row = first
    for line in [*(x.cells for x in table.lines), *([table.total] if table.total else [])]:
        for column, cell in enumerate(line, 1):
            written = sheet.cell(row, column, cell)
            if not isinstance(cell, str | int | float | None):
                written.number_format = "dd/mm/yyyy"
        row += 1
    for text in table.signatures:
        row += 1
        sheet.cell(row, max(1, width - 4), text)
    hidden = book.create_sheet("DanhMuc")
    hidden.sheet_state = "hidden"
    for text in ("Danh mục dùng để chọn", *table.hidden):
        hidden.append([text])
    book.properties.title = SYNTHETIC_NOTE
    book.properties.creator = "sandbox (synthetic)"
    book.properties.created = made.replace(tzinfo=None)
    buffer = io.BytesIO()
    book.save(buffer)
    return _fixed_times(buffer.getvalue(), made)


def _header(sheet: Worksheet, table: Table, row: int) -> None:
    groups = [group for group, _ in table.header]
    for column, (group, name) in enumerate(table.header, 1):
        letter = get_column_letter(column)
        if not group:
            sheet.cell(row, column, name)
            sheet.merge_cells(f"{letter}{row}:{letter}{row + 1}")
            continue
        sheet.cell(row + 1, column, name)
        if column == 1 or groups[column - 2] != group:
            end = column
            while end < len(groups) and groups[end] == group:
                end += 1
            sheet.cell(row, column, group)
            sheet.merge_cells(start_row=row, end_row=row, start_column=column, end_column=end)


def _fixed_times(content: bytes, made: datetime) -> bytes:
    """The same workbook without the time at which it happened to be written."""
    stamp = f"{made:%Y-%m-%dT%H:%M:%SZ}".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            body = old.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, body)
            new.writestr(zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def comma_separated(table: Table, delimiter: str, encode: Callable[[str], bytes]) -> bytes:
    """The table as CSV: title lines, one header row, rows; encoded by ``encode``."""
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=delimiter, lineterminator="\r\n")
    for text in table.title:
        writer.writerow([text])
    writer.writerow(table.labels)
    writer.writerows([_text(cell) for cell in line.cells] for line in table.lines)
    return encode(lines.getvalue())


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def utf8_with_mark(text: str) -> bytes:
    """UTF-8 behind a byte order mark, as Excel saves it."""
    return text.encode("utf-8-sig")


def decomposed_utf8_with_mark(text: str) -> bytes:
    """The same with every letter taken apart (NFD), as a Macintosh sends it."""
    return unicodedata.normalize("NFD", text).encode("utf-8-sig")


def windows_1258(text: str) -> bytes:
    """windows-1258, which has the letters of Vietnamese but most tones only as marks after the letter."""
    found = []
    for letter in unicodedata.normalize("NFC", text):
        try:
            found.append(letter.encode("cp1258"))
        except UnicodeEncodeError:
            apart = unicodedata.normalize("NFD", letter)
            base = unicodedata.normalize("NFC", "".join(c for c in apart if c not in _TONES))
            found.append((base + "".join(c for c in apart if c in _TONES)).encode("cp1258"))
    return b"".join(found)


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, so that no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
