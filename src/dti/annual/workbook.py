"""A publication as a workbook for people: what it is, the table of ranks, and what stands behind it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from dti.annual.cover import cover_lines
from dti.annual.publication import Publication

Rows = Sequence[dict[str, Any]]
CELL_LIMIT = 32_000
"""Characters that a cell of a workbook holds, with some to spare; the CSV has the whole text."""
_FORMATS = {
    "text": {"valign": "top"},
    "long": {"valign": "top", "text_wrap": True},
    "index": {"num_format": "0.0000", "valign": "top"},
    "points": {"num_format": "#,##0.00", "valign": "top"},
    "number": {"num_format": "#,##0.######", "valign": "top"},
    "share": {"num_format": "0.0%", "valign": "top"},
    "rank": {"num_format": "0", "valign": "top"},
    "head": {"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#1F4E79", "font_color": "#FFFFFF"},
    "title": {"bold": True, "font_size": 16},
    "name": {"bold": True, "valign": "top", "text_wrap": True},
    "warning": {"bold": True, "valign": "top", "text_wrap": True, "font_color": "#9C0006", "bg_color": "#FFC7CE"},
}


@dataclass(frozen=True)
class Column:
    """One column of a sheet: header in Vietnamese and English, name in the rows, format, width in characters."""

    header: str
    name: str
    style: str = "text"
    width: int = 14


_UNIT = (Column("Mã\nCode", "unit_id", width=11), Column("Đơn vị\nUnit", "unit_name", width=22))
_REGION = Column("Vùng\nRegion", "region_name", width=24)
_RANKS = (
    Column("Hạng toàn quốc\nNational rank", "rank_national", "rank", 12),
    Column("Hạng trong vùng\nRank in region", "rank_region", "rank", 12),
)
_COVERAGE = Column("Độ phủ\nCoverage", "coverage", "share", 11)
_PROVENANCE = Column("Xuất xứ\nProvenance", "provenance", width=13)
_INDEX = Column("Chỉ số\nIndex", "index_value", "index", 10)
_POINTS = (
    Column("Điểm\nPoints", "points", "points", 10),
    Column("Điểm tối đa\nFull points", "max_points", "points", 10),
)
PILLARS = (
    *_UNIT, _REGION,
    Column("Trụ cột\nPillar", "pillar_code", width=9), Column("Tên trụ cột\nPillar name", "pillar_name", width=32),
    _INDEX, *_RANKS, *_POINTS, _COVERAGE, _PROVENANCE,
)  # fmt: skip
COMPOSITES = (
    *_UNIT, _REGION,
    Column("Chỉ số\nComposite", "composite_code", width=18),
    Column("Tên\nName", "composite_name", width=32),
    _INDEX, *_RANKS, _COVERAGE, _PROVENANCE,
)  # fmt: skip
INDICATORS = (
    *_UNIT,
    Column("Trụ cột\nPillar", "pillar_code", width=9), Column("Chỉ tiêu\nIndicator", "indicator_code", width=10),
    Column("Tên chỉ tiêu\nIndicator name", "indicator_name", "long", 48),
    *_POINTS,
    Column("Giá trị\nValue", "value", "number"), Column("Tử số\nNumerator", "numerator", "number"),
    Column("Mẫu số\nDenominator", "denominator", "number"), Column("Cơ sở\nBasis", "basis", width=11),
    Column("Trạng thái\nStatus", "status", width=11), _COVERAGE,
    Column("Giá trị gốc\nBefore correction", "original_value", "number"),
    Column("Hiệu chỉnh\nCorrection", "correction_id", width=20),
    Column("Xuất xứ tên\nName from", "name_provenance", width=13),
    Column("Xuất xứ điểm\nPoints from", "points_provenance", width=13),
)  # fmt: skip
CORRECTIONS = (
    Column("Hiệu chỉnh\nCorrection", "correction_id", width=22), *_UNIT,
    Column("Đối tượng\nTarget", "target", width=30), Column("Nguồn tin\nFeed", "feed", width=18),
    Column("Cơ sở\nBasis", "basis", width=11), Column("Thao tác\nAction", "action", width=10),
    Column("Trạng thái\nStatus", "status", width=14), Column("Trước\nBefore", "original_value", "number"),
    Column("Sau\nAfter", "corrected_value", "number"), Column("Từ ngày\nFirst day", "first_day", width=11),
    Column("Đến ngày\nLast day", "last_day", width=11), Column("Lý do\nReason", "reason", "long", 40),
    Column("Văn bản\nDocument", "document", "long", 30), Column("Diễn giải\nDetail", "detail", "long", 40),
)  # fmt: skip
CHECKS = (
    Column("Kiểm tra\nCheck", "check_name", width=28), Column("Kết quả\nResult", "status", width=11),
    Column("Nhận xét\nMessage", "message", "long", 90),
)  # fmt: skip


def workbook(publication: Publication, tables: Mapping[str, Rows]) -> bytes:
    """The workbook of a publication. ``tables``: rows by name of table; text is never taken for a formula."""
    target = io.BytesIO()
    with Workbook(
        target,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    ) as book:
        moment = publication.published_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        book.set_properties({"title": publication.publication_id, "author": publication.approver, "created": moment})
        book.set_calc_mode("auto")
        formats = {name: book.add_format(look) for name, look in _FORMATS.items()}
        _cover(book.add_worksheet("Bìa · Cover"), publication, formats)
        ranked, columns = ranking(tables["composite_index"], tables["pillar_index"])
        _sheet(book, "Xếp hạng · Ranking", columns, ranked, formats)
        _sheet(book, "Trụ cột · Pillars", PILLARS, tables["pillar_index"], formats)
        _sheet(book, "Tổng hợp · Composites", COMPOSITES, tables["composite_index"], formats)
        _sheet(book, "Chỉ tiêu · Indicators", INDICATORS, tables["indicator_score"], formats)
        _sheet(book, "Hiệu chỉnh · Corrections", CORRECTIONS, tables["correction"], formats)
        _sheet(book, "Kiểm tra · Checks", CHECKS, tables["check_result"], formats)
    return target.getvalue()


def ranking(composites: Rows, pillars: Rows) -> tuple[list[dict[str, Any]], list[Column]]:
    """One row a unit, by the rank of the first composite: all composites, then all pillars, each with its rank."""
    parts = sorted({(0, row["composite_no"], row["composite_code"], row["composite_name"]) for row in composites})
    parts += sorted({(1, row["pillar_no"], row["pillar_code"], row["pillar_name"]) for row in pillars})
    units: dict[str, dict[str, Any]] = {}
    for row in (*composites, *pillars):
        code = row.get("composite_code") or row["pillar_code"]
        unit = units.setdefault(row["unit_id"], {name: row[name] for name in ("unit_id", "unit_name", "region_name")})
        unit |= {code: row["index_value"], f"{code} rank": row["rank_national"], f"{code} region": row["rank_region"]}
    first = parts[0][2] if parts else ""
    columns = [
        Column("Hạng\nRank", f"{first} rank", "rank", 8), *_UNIT, _REGION,
        Column("Hạng trong vùng\nRank in region", f"{first} region", "rank", 12),
    ]  # fmt: skip
    for _, _, code, name in parts:
        columns.append(Column(f"{code}\n{name}", code, "index", 16))
        if code != first:
            columns.append(Column(f"Hạng {code}\nRank", f"{code} rank", "rank", 9))
    return sorted(units.values(), key=lambda unit: (unit.get(f"{first} rank") or 0, unit["unit_id"])), columns


def _cover(sheet: Worksheet, publication: Publication, formats: dict[str, Format]) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 100)
    for number, (style, name, value) in enumerate(cover_lines(publication)):
        sheet.write_string(number, 0, name, formats[style if style != "text" else "name"])
        sheet.write_string(number, 1, value, formats["warning" if style == "warning" else "long"])


def _sheet(book: Workbook, title: str, columns: Iterable[Column], rows: Rows, formats: dict[str, Format]) -> None:
    sheet = book.add_worksheet(title)
    columns = list(columns)
    sheet.set_row(0, 34)
    sheet.freeze_panes(1, min(2, len(columns) - 1))
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.header, formats["head"])
        for number, row in enumerate(rows, start=1):
            _write(sheet, number, place, row.get(column.name), formats[column.style])


def _write(sheet: Worksheet, row: int, column: int, value: Any, look: Format) -> None:
    """A number as a number, everything else as the text it is: never a formula, never a link."""
    if value is None:
        sheet.write_blank(row, column, None, look)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        sheet.write_number(row, column, float(value), look)
    else:
        text = value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else str(value)
        sheet.write_string(row, column, text if len(text) <= CELL_LIMIT else f"{text[:CELL_LIMIT]}… (CSV)", look)


VERSION = xlsxwriter.__version__
