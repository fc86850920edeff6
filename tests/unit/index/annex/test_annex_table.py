"""Reading the table: codes by their sequence, pages, merges, continuations; and refusals that name the row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from dti.errors import DtiError, MethodError
from dti.index.annex.codes import CodeTroubleError, read_code
from dti.index.annex.pages import Cell, read_pages
from dti.index.annex.table import Annex, read_annex

Table = list[list[Any]]
HEADER = ["STT", "Chỉ số/Chỉ số thành phần", "Điểm tối đa", "Cách xác định và tính điểm"]
YES = "Có: điểm tối đa; Không: 0 điểm"


def read(path: Path, **how: Any) -> Annex:
    return read_annex(read_pages(path, **how), path.name)


@pytest.fixture
def rows_of(tmp_path: Path) -> Callable[[Table], Annex]:
    """``rows_of(rows)``: what a workbook with the official header and these rows says."""

    def make(rows: Table, header: Table | None = None, merges: tuple[str, ...] = ()) -> Annex:
        book = Workbook()
        for row in [*(header or [HEADER]), *rows]:
            book.active.append(row)
        for merge in merges:
            book.active.merge_cells(merge)
        book.save(tmp_path / "a.xlsx")
        return read(tmp_path / "a.xlsx")

    return make


@pytest.mark.parametrize(
    ("cell", "before", "code"),
    [
        ("1", None, (1,)), ("1.1", (1,), (1, 1)), ("1.1", (1, 9), (1, 10)), ("1.2", (1, 19), (1, 20)),
        ("1.1", (1, 99), (1, 100)), ("2", (1, 19), (2,)), ("1,2", (1, 1), (1, 2)), ("1.2.", (1, 1), (1, 2)),
        ("4.22.1", (4, 21), (4, 22, 1)), ("4.22.2", (4, 22, 1), (4, 22, 2)), ("5", (4, 22, 11), (5,)),
        ("2.1", (1, 3), (2, 1)), ("3.5", (3, 3), (3, 5)), ("10", (9, 8), (10,)),
        (date(2026, 10, 1), (1, 9), (1, 10)), (date(2026, 4, 3), (3, 3), (3, 4)), (date(2026, 3, 4), (3, 3), (3, 4)),
    ],
)  # fmt: skip
def test_the_code_is_known_by_its_place(cell: Cell, before: tuple[int, ...] | None, code: tuple[int, ...]) -> None:
    assert read_code(cell, before).code == code


@pytest.mark.parametrize(
    ("cell", "before", "why"),
    [
        ("1.1", (1, 8), "cannot follow 1.8"), ("1.1", (1, 1), "stands twice"), ("1.3", (2, 1), "cannot follow 2.1"),
        (date(2026, 10, 1), (1, 8), "made the date 2026-10-01"), (date(2026, 5, 5), (1, 9), "made the date"),
        ("1.0", (1,), "cannot follow"),
    ],
)  # fmt: skip
def test_a_code_that_cannot_be_told_is_refused(cell: Cell, before: tuple[int, ...], why: str) -> None:
    with pytest.raises(CodeTroubleError, match=why):
        read_code(cell, before)


def test_pages_are_one_table_and_what_is_none_is_told(workbook: Callable[..., Path], table: Table) -> None:
    annex = read(workbook(table, total=1000))
    assert len(annex.indicators) == 98
    assert len(annex.pillars) == 9
    assert annex.total_points == 1000
    assert "BỘ CHỈ SỐ ĐÁNH GIÁ CHUYỂN ĐỔI SỐ CẤP TỈNH" in annex.titles
    assert any(remark.startswith("Ghi chú: no header, not read") for remark in annex.remarks)
    assert "Nháp: hidden sheet, not read" in annex.remarks
    assert not any("9.99" in indicator.dotted for indicator in annex.indicators)


def test_only_the_sheets_asked_for_are_read(workbook: Callable[..., Path], table: Table) -> None:
    assert len(read(workbook(table), sheets=["Trang 1"]).indicators) < 40
    with pytest.raises(MethodError, match="no sheet Trang 9"):
        read(workbook(table), sheets=["Trang 9"])


def test_a_text_over_several_rows_is_one_text(rows_of: Callable[..., Annex]) -> None:
    rows = [["1", "Một", 10, ""], ["1.1", "Chỉ số", 10, "Có: điểm tối đa;"], ["", "", "", "Không: 0 điểm"]]
    assert rows_of(rows).indicators[0].texts["scoring"] == "Có: điểm tối đa;\nKhông: 0 điểm"
    merged = [["1", "Một", 10, ""], ["1.1", "Chỉ số", 10, "Có: điểm tối đa;"], ["", "dài", "", "Không: 0 điểm"]]
    annex = rows_of(merged, merges=("A3:A4", "C3:C4"))
    assert annex.indicators[0].name == "Chỉ số dài"


def test_a_heading_merged_over_two_columns_holds_both(rows_of: Callable[..., Annex]) -> None:
    header = [["STT", "Chỉ số/Chỉ số thành phần", "", "Điểm tối đa", "Cách xác định và tính điểm"]]
    rows = [["1", "Một", "", 10, ""], ["1.1", "", "Chỉ số", 10, YES]]
    annex = rows_of(rows, header=header, merges=("B1:C1",))
    assert (annex.pillars[0].name, annex.indicators[0].name) == ("Một", "Chỉ số")


def test_a_main_index_may_be_one_merged_cell_or_a_roman_number(rows_of: Callable[..., Annex]) -> None:
    one = rows_of([["1. Nhận thức số", "", 10, ""], ["1.1", "Chỉ số", 10, YES]])
    assert (one.pillars[0].name, one.pillars[0].points) == ("Nhận thức số", 10)
    roman = rows_of([["I", "Nhận thức số", 10, ""], ["1.1", "Chỉ số", 10, YES]])
    assert (roman.pillars[0].name, roman.pillars[0].code) == ("Nhận thức số", (1,))
    letters = rows_of([["A", "Nền tảng chung", "", ""], ["1", "Nhận thức số", 10, ""], ["1.1", "Chỉ số", 10, YES]])
    assert letters.pillars[0].group == "Nền tảng chung"


def test_headings_below_a_main_index_are_no_indicators(rows_of: Callable[..., Annex]) -> None:
    rows = [["4", "Bốn", 30, ""], ["4.1", "Nhóm", 25, ""], ["4.1.1", "a", 10, YES], ["4.1.2", "b", 20, YES]]
    annex = rows_of(rows)
    assert [indicator.dotted for indicator in annex.indicators] == ["4.1.1", "4.1.2"]
    assert any("4.1 states 25 points, its rows add up to 30" in remark for remark in annex.remarks)


def test_a_main_index_without_points_is_not_scored(rows_of: Callable[..., Annex]) -> None:
    rows = [["1", "Một", 10, ""], ["1.1", "a", 10, YES], ["2", "Hai", "Không chấm điểm", ""], ["2.1", "b", "", YES]]
    annex = rows_of(rows)
    assert [row.points for row in (*annex.pillars, *annex.indicators)] == [10, 0, 10, 0]


def test_what_stands_below_the_table_is_no_text_of_its_last_row(rows_of: Callable[..., Annex]) -> None:
    rows = [["1", "Một", 10, ""], ["1.1", "a", 10, YES], ["", "Tổng cộng", 10, ""], ["", "", "", "TM. HỘI ĐỒNG"]]
    assert rows_of(rows).indicators[0].texts["scoring"] == YES
    noted = [
        ["1", "Một", 10, ""],
        ["1.1", "a", 10, YES],
        ["Ghi chú: điểm làm tròn", "", "", ""],
        ["", "", "", "Ký tên"],
    ]
    assert rows_of(noted).indicators[0].texts["scoring"] == YES


def test_points_as_people_write_them(rows_of: Callable[..., Annex]) -> None:
    rows = [["1", "Một", "12,5 điểm", ""], ["1.1", "a", "10", YES], ["1.2", "b", 2.5, YES]]
    assert [row.points for row in rows_of(rows).indicators] == [Decimal(10), Decimal("2.5")]


def test_a_gap_in_the_numbers_is_told(rows_of: Callable[..., Annex]) -> None:
    rows = [["3", "Ba", 20, ""], ["3.1", "a", 10, YES], ["3.3", "b", 10, YES]]
    assert any("3.1 is followed with 3.3" in remark for remark in rows_of(rows).remarks)


REFUSED: dict[str, tuple[Table, str, int]] = {
    "a code out of order": (
        [["1", "Một", 20, ""], ["1.2", "a", 10, YES], ["1.1", "b", 10, YES]],
        "1.1 cannot follow 1.2",
        4,
    ),
    "points without a code": ([["1", "Một", 20, ""], ["", "a", 10, YES]], "'a' has points but no code", 3),
    "points that are no number": ([["1", "Một", 20, ""], ["1.1", "a", "tối đa 10", YES]], "is no number of points", 3),
    "no points where they count": ([["1", "Một", 20, ""], ["1.1", "a", "", YES]], "1.1 has no points", 3),
    "a code that is none": ([["1", "Một", 20, ""], ["1a", "a", 10, YES]], "'1a' is no code", 3),
    "no name": ([["1", "Một", 20, ""], ["1.1", "", 10, YES]], "1.1 has no name", 3),
    "no points beside rows with points": (
        [["1", "Một", "", ""], ["1.1", "a", 10, YES], ["1.2", "b", "", YES]],
        "1.2 has no points",
        4,
    ),
    "a main index alone": (
        [["1", "Một", 20, ""], ["2", "Hai", 20, ""], ["2.1", "a", 20, YES]],
        "without indicators",
        2,
    ),
    "text nobody can place": (
        [["1", "Một", 20, ""], ["1.1", "a", 10, YES], ["", "thêm", "", ""], ["1.2", "b", 10, YES]],
        "'thêm' has neither code nor points",
        4,
    ),
    "two totals": (
        [["1", "Một", 20, ""], ["1.1", "a", 20, YES], ["", "Tổng cộng", 20, ""], ["", "Tổng cộng", 30, ""]],
        "a second total, 30 after 20",
        5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", REFUSED)
def test_what_is_unclear_is_refused_at_its_row(rows_of: Callable[..., Annex], mistake: str) -> None:
    rows, says, number = REFUSED[mistake]
    with pytest.raises(MethodError) as refused:
        rows_of(rows)
    assert says in refused.value.what
    assert refused.value.where == f"a.xlsx, Sheet row {number}"
    assert refused.value.remedy


def test_a_broken_workbook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(DtiError, match="broken or cut off"):
        read_pages(path)
