"""From the lines of an annex to its numbered rows, each with its official text, however pages and merges cut it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from dti.errors import MethodError
from dti.index.annex.codes import (
    Code,
    CodeTroubleError,
    dotted,
    is_gap,
    is_group_mark,
    looks_like_code,
    read_code,
    split_cell,
)
from dti.index.annex.header import Columns, columns_of, is_column_numbers, seen_titles
from dti.index.annex.pages import Cell, Line, Page
from dti.index.annex.titles import REQUIRED, TITLES
from dti.index.annex.tree import Annex, Row, grow
from dti.index.annex.wording import fold, one_line

TEXTS = ("name", "scoring", "evidence", "source", "verifier")
_POINTS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:điểm)?", re.IGNORECASE)
_NO_POINTS = {"", "-", "–", "x", "khong cham diem", "khong tinh diem"}
_PAGE_NUMBER = re.compile(r"trang \d+(/\d+)?")
_TOTAL = re.compile(r"(tong|tong so|tong cong|tong diem|cong)( diem)?( toi da)?( \(.*\))?[:.]?")


def read_annex(pages: Sequence[Page], file: str) -> Annex:
    """The table on ``pages`` of ``file``. Raises MethodError naming sheet and row of the first thing it cannot tell."""
    reader = _Reader(file)
    for page in pages:
        reader.remarks += [f"{page.name}: {remark}" for remark in page.remarks]
        if page.is_hidden:
            reader.remarks.append(f"{page.name}: hidden sheet, not read")
        else:
            reader.read(page)
    return reader.finish(pages)


@dataclass(frozen=True)
class _Values:
    """One line, by field."""

    code: Cell
    name: str
    points: str
    texts: dict[str, str]


class _Reader:
    """Goes through the pages once, from top to bottom."""

    def __init__(self, file: str) -> None:
        self.file, self.remarks = file, list[str]()
        self.rows: list[Row] = []
        self.titles: list[str] = []
        self.total: Decimal | None = None
        self._is_closed = False  # the total stands below the rows: what follows it is no text of theirs
        self._group = ""
        self._mark: tuple[str, str, str] | None = None  # a heading A or I that may yet turn out a main index
        self._loose: list[tuple[str, str]] = []  # named rows without a code: headings above, or a footer below

    def read(self, page: Page) -> None:
        """One page: whatever stands above its first header is title, then the table, its header repeated or not."""
        columns: Columns | None = None
        repeated: set[tuple[Cell, ...]] = set()
        in_header = False
        for line in page.lines:
            if line.is_blank:
                continue
            found = columns_of(line)
            if found is not None:
                columns, in_header = found, True
                repeated.add(line.cells)
            elif columns is None:
                self.titles += [one_line(str(cell)) for cell in line.cells if cell]
            elif in_header and (is_column_numbers(line) or line.joined >= set(columns.of["code"])):
                repeated.add(line.cells)
            elif line.cells not in repeated:
                in_header = False
                self._take(f"{page.name} row {line.number}", line, columns)
        if columns is None and any(not line.is_blank for line in page.lines):
            self.remarks.append(f"{page.name}: no header, not read ({seen_titles(page.lines)})")

    def finish(self, pages: Sequence[Page]) -> Annex:
        """The tree, once every page is read."""
        if not self.rows:
            wanted = ", ".join(TITLES[field][0] for field in REQUIRED)
            seen = "; ".join(f"{page.name}: {seen_titles(page.lines)}" for page in pages)
            raise MethodError(
                f"no row of an official table found ({seen})",
                where=self.file,
                remedy=f"its header needs the columns of the official form: {wanted}",
            )
        self._check_footers(at_end=True)
        return grow(self.rows, self.file, self.titles, self.total, self.remarks)

    def _take(self, place: str, line: Line, columns: Columns) -> None:
        values = self._values(place, line, columns)
        if values is None:
            return
        if line.joined >= set(columns.of["code"]) and self.rows and not values.points:
            self._continue(values)
        elif fold(values.name) and _TOTAL.fullmatch(fold(values.name)) and values.points:
            self._read_total(place, values)
        elif is_group_mark(values.code):
            self._check_footers(at_end=False)
            self._mark = (place, values.name, values.points)
            self._group = values.name
        elif values.code:
            self._number(place, values)
        elif values.points:
            self._refuse(place, f"{values.name[:60]!r} has points but no code", "number the row as the decision does")
        elif values.name:
            if not _PAGE_NUMBER.fullmatch(fold(values.name)):
                self._loose.append((place, values.name))
        elif self.rows and not self._loose and not self._is_closed:
            self._continue(values)

    def _values(self, place: str, line: Line, columns: Columns) -> _Values | None:
        def cells(field_name: str) -> list[Cell]:
            positions = columns.of.get(field_name, ())
            return [line.cells[p] for p in positions if p < len(line.cells) and line.cells[p]]

        def text(field_name: str) -> str:
            return " ".join(dict.fromkeys(str(cell) for cell in cells(field_name)))

        codes = cells("code")
        code, name = split_cell(codes[0]) if codes else ("", "")
        name = one_line(" ".join(part for part in (name, text("name")) if part))
        points = text("points")
        if isinstance(code, str) and not looks_like_code(code) and not is_group_mark(code) and code:
            if not name and not points:
                code, name = "", one_line(code)  # a title or footer that begins in the first column
            elif _TOTAL.fullmatch(fold(code)):
                code, name = "", one_line(code)
            else:
                self._refuse(place, f"{code[:60]!r} is no code such as 1 or 1.1", "correct the first column")
        texts = {kind: text(kind) for kind in TEXTS if kind != "name"}
        if code and not name and not points and not any(texts.values()):
            return None  # a page number
        return _Values(code, name, points, texts)

    def _number(self, place: str, values: _Values) -> None:
        """A row with a code: a main index, a heading below it, or an indicator."""
        before = self.rows[-1].code if self.rows else None
        try:
            read = read_code(values.code, before)
        except CodeTroubleError as fault:
            self._refuse(place, str(fault), "write the code as text, in the order of the decision")
        if not values.name:
            self._refuse(place, f"{dotted(read.code)} has no name", "fill the cell")
        if read.repaired_from is not None:
            self.remarks.append(f"{place}: code {read.repaired_from} read as {dotted(read.code)}, by its place")
        elif is_gap(read.code, before):
            missing = "the table begins" if before is None else f"{dotted(before)} is followed"
            self.remarks.append(f"{place}: {missing} with {dotted(read.code)}; check that no row is missing")
        self._check_footers(at_end=False, next_code=read.code)
        self._open_pillar(read.code)
        self.rows.append(
            Row(place, read.code, self._points(place, values.points), self._group, values.name, dict(values.texts))
        )
        self._is_closed = False

    def _open_pillar(self, code: Code) -> None:
        """A heading marked A or I is the main index itself when the codes below it begin with a number of two parts."""
        if self._mark is not None and len(code) > 1:
            place, name, points = self._mark
            self.rows.append(Row(place, code[:1], self._points(place, points), "", name))
        self._mark = None

    def _continue(self, values: _Values) -> None:
        row = self.rows[-1]
        row.name = " ".join(part for part in (row.name, values.name) if part)
        for kind, text in values.texts.items():
            row.texts[kind] = "\n".join(part for part in (row.texts.get(kind, ""), text) if part)

    def _check_footers(self, *, at_end: bool, next_code: Code | None = None) -> None:
        """Named rows without a code head the next main index, or stand below the table; elsewhere nobody can tell."""
        heads = at_end or next_code is None or len(next_code) == 1 or not self.rows
        if self._loose and not heads:
            place, name = self._loose[0]
            self._refuse(
                place, f"{name[:60]!r} has neither code nor points", "number it, or merge it with the row it continues"
            )
        if self._loose and not at_end:
            self._group = self._loose[-1][1]
        self._loose.clear()

    def _read_total(self, place: str, values: _Values) -> None:
        points = self._points(place, values.points)
        if self.total is not None and points != self.total:
            self._refuse(place, f"a second total, {points} after {self.total}", "keep the total of the whole table")
        self.total = points
        self._is_closed = bool(self.rows)

    def _points(self, place: str, text: str) -> Decimal | None:
        if fold(text) in _NO_POINTS:
            return None
        match = _POINTS.fullmatch(text)
        if match is None:
            self._refuse(place, f"{text[:60]!r} is no number of points", "write the maximum points as a number")
        return Decimal(match[1].replace(",", "."))

    def _refuse(self, place: str, what: str, remedy: str) -> NoReturn:
        raise MethodError(what, where=f"{self.file}, {place}", remedy=remedy)
