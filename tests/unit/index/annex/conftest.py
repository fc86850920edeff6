"""Annexes as offices send them, drawn from a framework: workbooks with merges, page breaks and lost zeros, and CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from dti.index.framework import load_framework
from dti.index.model import Framework, Indicator
from dti.settings import Settings

HEADER = [
    "STT", "Chỉ số/Chỉ số thành phần", "Điểm tối đa", "Cách xác định và tính điểm", "Tài liệu kiểm chứng",
    "Nguồn thu thập dữ liệu",
]  # fmt: skip
TITLES = [
    "Phụ lục II",
    "BỘ CHỈ SỐ ĐÁNH GIÁ CHUYỂN ĐỔI SỐ CẤP TỈNH",
    "(Kèm theo Quyết định số 922/QĐ-BTTTT ngày 20 tháng 5 năm 2022 của Bộ trưởng Bộ Thông tin và Truyền thông)",
]


def percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%".replace(".", ",")


def official_scoring(indicator: Indicator) -> str:
    """The rule as the decisions write it."""
    match indicator.rule:
        case "yes_no":
            return "- Có: Điểm tối đa;\n- Không: 0 điểm."
        case "ratio":
            return "a = Số lượng đạt;\nb = Tổng số;\nTỷ lệ = a/b\nĐiểm = Tỷ lệ * Điểm tối đa"
        case "target_ratio" if indicator.target and indicator.target <= 1:
            full = percent(indicator.target)
            part = f"Điểm = Tỷ lệ/{full} * Điểm tối đa"
            return f"a = Số lượng; b = Tổng số\nTỷ lệ ≥ {full}: Điểm tối đa;\nTỷ lệ < {full}: {part}"
        case "target_ratio" | "target_count":
            full = f"{indicator.target}"
            return f"- ≥ {full}: điểm tối đa;\n- < {full}: số lượng/{full} * điểm tối đa"
        case "steps":
            return "- Bí thư: Điểm tối đa;\n- Phó Bí thư: 1/2 điểm tối đa;\n- Khác: 0 điểm"
    raise AssertionError(indicator.rule)


def table_of(framework: Framework) -> list[list[Any]]:
    """The rows of the table: groups, main indices, indicators; codes as text."""
    rows: list[list[Any]] = []
    group, letters = "", iter("ABCDEF")
    for pillar in framework.pillars:
        own = [indicator for indicator in framework.indicators if indicator.pillar_code == pillar.code]
        number = own[0].code.split(".")[0]
        if pillar.group_vi != group:
            group = pillar.group_vi
            rows.append([next(letters), group, "", "", "", ""])
        rows.append([number, pillar.name_vi, float(pillar.max_points), "", "", ""])
        for indicator in own:
            points = float(indicator.max_points) if pillar.max_points else ""
            rows.append(
                [indicator.code, indicator.name_vi, points, official_scoring(indicator), "Văn bản", "Tỉnh cung cấp"]
            )
    return rows


def as_excel_leaves_it(code: str) -> Any:
    """A code as typed into a cell that holds numbers: 1.10 becomes 1.1; a code of three parts stays text."""
    return float(code) if code.count(".") <= 1 and code.replace(".", "").isdigit() else code


def write_workbook(path: Path, rows: Iterable[list[Any]], *, rows_a_page: int = 40, total: Any = None) -> Path:
    """A workbook whose pages are sheets of ``rows_a_page`` rows, each with the header; titles above, a footer below."""
    book, rows = Workbook(), list(rows)
    for page, start in enumerate(range(0, len(rows), rows_a_page), start=1):
        sheet: Worksheet = book.active if page == 1 else book.create_sheet()
        sheet.title = f"Trang {page}"
        if page == 1:
            for title in TITLES:
                sheet.append([title])
                sheet.merge_cells(
                    start_row=sheet.max_row, end_row=sheet.max_row, start_column=1, end_column=len(HEADER)
                )
            sheet.append([])
        _header(sheet)
        for place, row in enumerate(rows[start : start + rows_a_page]):
            if place == rows_a_page // 2:
                sheet.append(HEADER)  # printed again in the middle of a sheet
            sheet.append([as_excel_leaves_it(row[0]), *row[1:]])
        if start + rows_a_page >= len(rows) and total is not None:
            sheet.append(["", "Tổng cộng", total])
        sheet.append([])
        sheet.append([f"Trang {page}"])
    book.create_sheet("Ghi chú").append(["Bảng này do Sở cung cấp"])
    hidden = book.create_sheet("Nháp")
    hidden.append(HEADER)
    hidden.append(["9.99", "Bản nháp", 1, "Có: điểm tối đa; Không: 0 điểm"])
    hidden.sheet_state = "hidden"
    book.save(path)
    return path


def _header(sheet: Worksheet) -> None:
    """Two rows: every heading merged downward, one of them with a line of its own below; then the column numbers."""
    sheet.append(HEADER)
    top = sheet.max_row
    sheet.append([])
    for column in range(1, len(HEADER) + 1):
        sheet.merge_cells(start_row=top, end_row=top + 1, start_column=column, end_column=column)
    sheet.append([f"({number})" for number in range(1, len(HEADER) + 1)])


def write_csv(path: Path, rows: Iterable[list[Any]], *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """The same as CSV: titles, header, rows."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([[title] for title in TITLES])
        writer.writerow(HEADER)
        writer.writerows(rows)
    return path


@pytest.fixture
def framework_922(settings: Settings) -> Framework:
    return load_framework("922-2022", settings=settings)


@pytest.fixture
def table(framework_922: Framework) -> list[list[Any]]:
    """The official table of 922 as it would look if our components were the official ones."""
    return table_of(framework_922)


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """``workbook(rows, **how)`` → its path."""
    return lambda rows, **how: write_workbook(tmp_path / "phu-luc.xlsx", rows, **how)


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    """``csv_file(rows, **how)`` → its path."""
    return lambda rows, **how: write_csv(tmp_path / "phu-luc.csv", rows, **how)


@pytest.fixture
def small() -> list[list[Any]]:
    """Two main indices with three indicators."""
    yes = "Có: điểm tối đa; Không: 0 điểm"
    return [
        ["1", "Nhận thức số", "20", "", "", ""],
        ["1.1", "Kế hoạch", "10", yes, "Quyết định", "Tỉnh"],
        ["1.2", "Chuyên mục", "10", yes, "Ảnh", "Tỉnh"],
        ["2", "Thể chế số", "5", "", "", ""],
        ["2.1", "Nghị quyết", "5", yes, "", ""],
    ]
