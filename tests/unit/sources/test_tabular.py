"""Workbooks and CSV as offices really send them."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from openpyxl.worksheet.worksheet import Worksheet

from dti.errors import ConfigError, SourceChanged, SourceError, SourceMalformed, SourceMissing
from dti.sources.model import Source
from dti.sources.spec import parse_source

FIELDS = {
    "agency_code": "Mã cơ quan",
    "agency_name": "Tên cơ quan",
    "staff_total": "Nhân lực / Tổng số",
    "staff_digital_transformation": "Nhân lực / Chuyển đổi số",
    "staff_information_technology": "Nhân lực / CNTT",
    "staff_information_security": "Nhân lực / ATTT",
    "staff_trained_dx": "Đã bồi dưỡng / Chuyển đổi số",
    "staff_trained_digital_skills": "Đã bồi dưỡng / Kỹ năng số",
    "staff_trained_data": "Đã bồi dưỡng / Dữ liệu",
    "has_focal_staff": "Đầu mối",
    "contact_name": "Người liên hệ",
    "contact_phone": "Điện thoại",
}
# fmt: off
TOP = ["STT", "Mã cơ quan", "Tên cơ quan", "Nhân lực", None, None, None, "Đã bồi dưỡng", None, None, "Đầu mối",
       "Người liên hệ", "Điện thoại"]
SUB = [None, None, None, "Tổng số", "Chuyển đổi số", "CNTT", "ATTT", "Chuyển đổi số", "Kỹ năng số", "Dữ liệu", None,
       None, None]
# fmt: on
ONE = [1, "SNV", "Sở Nội vụ", 120, 3, 2, 1, 40, 60, 10, "x", "Trần Văn Canary", "0905000001"]
TWO = [2, "STC", "Sở Tài chính", "1.090", "4", 2.0, 1, 50, 70, "12", None, "Lê Thị Canary", "0905000002"]
TITLE = ["BÁO CÁO NHÂN LỰC", "(Tính đến ngày 31/12/2025)"]


def source(**connector: Any) -> Source:
    settings = {
        "type": "tabular",
        "path": "staff*",
        "header_rows": 2,
        "title_pattern": r"đến ngày (?P<reported_on>\d{1,2}/\d{1,2}/\d{4})",
    }
    text = {
        "source": "staff",
        "feed": "staffing",
        "agency": "a",
        "owner": "o",
        "licence": "l",
        "unit": {"fixed": "Đắk Lắk"},
        "connector": settings | connector,
        "fields": connector.pop("fields", None) or FIELDS,
        "codes": {"has_focal_staff": {"x": "true", "": "false"}},
    }
    text["connector"].pop("fields", None)
    return parse_source(yaml.safe_dump(text), "staff.yml", {})


def fill(sheet: Worksheet, records: list[list[Any]], below: list[list[Any]] = []) -> None:  # noqa: B006 - read only
    """A sheet as offices make them: title, two merged header rows, records, then whatever stands below."""
    sheet.append([TITLE[0]])
    sheet.merge_cells("A1:M1")
    sheet.append([TITLE[1]])
    sheet.append([])
    sheet.append(TOP)
    sheet.append(SUB)
    sheet.merge_cells("D4:G4")
    sheet.merge_cells("H4:J4")
    for column in "ABCKLM":
        sheet.merge_cells(f"{column}4:{column}5")
    for row in [*records, *below]:
        sheet.append(row)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def workbook(path: Path, records: list[list[Any]], below: list[list[Any]] = []) -> None:  # noqa: B006 - read only
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, records, below)
    book.save(path)


def csv_text(delimiter: str = ";") -> str:
    lines = [[TITLE[0]], [TITLE[1]], [], TOP, SUB, ONE, TWO]
    return "\r\n".join(delimiter.join("" if cell is None else str(cell) for cell in line) for line in lines) + "\r\n"


def expect_two(rows: list[dict[str, Any]]) -> None:
    assert [row["agency_code"] for row in rows] == ["SNV", "STC"]
    assert rows[0] | {"source_row": None} == {
        "unit": "Đắk Lắk",
        "agency_code": "SNV",
        "agency_name": "Sở Nội vụ",
        "reported_on": "2025-12-31",
        "staff_total": "120",
        "staff_digital_transformation": "3",
        "staff_information_technology": "2",
        "staff_information_security": "1",
        "staff_trained_dx": "40",
        "staff_trained_digital_skills": "60",
        "staff_trained_data": "10",
        "has_focal_staff": "true",
        "source_row": None,
    }
    assert (rows[1]["staff_total"], rows[1]["has_focal_staff"]) == ("1090", "false")
    assert "Canary" not in str(rows)


def test_titles_merged_headers_totals_notes_and_signatures(drop: Path, pull: Callable[..., Any]) -> None:
    below = [
        ["Tổng cộng", None, None, 1210, 7, 4, 2, 90, 130, 22],
        [],
        ["Ghi chú: số liệu tạm tính"],
        [None, "Người lập biểu", None, None, None, None, None, "Giám đốc"],
        [None, "(ký tên)", None, None, None, None, None, "Nguyễn Văn Canary"],
    ]
    workbook(drop / "staff.xlsx", [ONE, TWO], below)
    rows, stats = pull(source(), drop_dir=drop)
    expect_two(rows)
    assert [row["source_row"] for row in rows] == ["Sheet!row 6", "Sheet!row 7"]
    assert stats.warnings == [
        "Sheet: 1 total(s) left out: row 8",
        "Sheet: 3 note or section line(s) left out: row 10, 11, 12",
    ]
    assert stats.source_files == ["staff.xlsx"]
    assert stats.unmapped_fields == {"STT"}


def test_sections_subtotals_blank_rows_repeated_headers_and_column_numbers(
    drop: Path, pull: Callable[..., Any]
) -> None:
    records = [
        [f"({n})" for n in range(1, 14)],
        ["Tổng số", None, None, 1210, 7, 4, 2, 90, 130, 22],
        ["I", "Khối sở, ngành"],
        ONE,
        [],
        TOP,
        TWO,
        ["Cộng:", None, None, 1210],
    ]
    workbook(drop / "staff.xlsx", records)
    rows, stats = pull(source(), drop_dir=drop)
    expect_two(rows)
    assert sorted(stats.warnings) == [
        "Sheet: 1 note or section line(s) left out: row 8",
        "Sheet: 1 repeated header(s) left out: row 11",
        "Sheet: 2 total(s) left out: row 7, 13",
    ]


def test_an_agency_that_is_called_like_a_total_is_a_record(drop: Path, pull: Callable[..., Any]) -> None:
    odd = ["Cộng", "CỘNG", "Tổng", *ONE[3:]]
    workbook(drop / "staff.xlsx", [ONE, TWO, ["Cộng", "XCONG", "Xã Cộng", *ONE[3:]]])
    rows, _ = pull(source(), drop_dir=drop)
    assert [row["agency_code"] for row in rows] == ["SNV", "STC", "XCONG"]
    workbook(drop / "staff.xlsx", [ONE, TWO, odd])
    assert len(pull(source(), drop_dir=drop)[0]) == 2


def test_a_record_with_missing_cells_is_passed_on_for_the_gate(drop: Path, pull: Callable[..., Any]) -> None:
    workbook(drop / "staff.xlsx", [ONE, [2, None, "Sở Tài chính", 100, None, 2, 1, 50, 70, 12], [3, "SYT", "Sở Y tế"]])
    rows, _ = pull(source(), drop_dir=drop)
    assert [(row["agency_code"], row["staff_digital_transformation"]) for row in rows] == [
        ("SNV", "3"),
        (None, None),
        ("SYT", None),
    ]


def test_hidden_and_empty_sheets_are_passed_over(drop: Path, pull: Callable[..., Any]) -> None:
    book = openpyxl.Workbook()
    hidden = book.active
    assert isinstance(hidden, Worksheet)
    hidden.title, hidden.sheet_state = "Tham số", "hidden"
    fill(hidden, [TWO])
    fill(book.create_sheet("Số liệu"), [ONE, TWO])
    book.create_sheet("Sheet3")
    book.save(drop / "staff.xlsx")
    expect_two(pull(source(), drop_dir=drop)[0])
    named = unicodedata.normalize("NFD", "SỐ  liệu")
    expect_two(pull(source(sheet=named), drop_dir=drop)[0])


def test_dates_numbers_and_decomposed_text_of_cells(drop: Path, pull: Callable[..., Any]) -> None:
    fields = FIELDS | {"reported_on": "Ngày báo cáo"}
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append([unicodedata.normalize("NFD", str(cell)) if cell else cell for cell in [*TOP, "Ngày\nbáo  cáo"]])
    sheet.append(SUB)
    sheet.append([*ONE, dt.datetime(2025, 12, 31)])  # noqa: DTZ001 - a cell has no zone
    sheet.append([*TWO, "31/12/2025"])
    sheet.append([3.0, 12.0, unicodedata.normalize("NFD", "Sở Y tế"), 0.1 + 0.2, *ONE[4:], "cuối năm"])
    book.save(drop / "staff.xlsx")
    rows, _ = pull(source(title_pattern=None, fields=fields), drop_dir=drop)
    expect_two(rows[:2])
    assert [rows[2][name] for name in ("agency_code", "agency_name", "staff_total", "reported_on")] == [
        "12", "Sở Y tế", "0.3", "cuối năm",
    ]  # fmt: skip


def test_formulas_give_their_stored_values(drop: Path, pull: Callable[..., Any]) -> None:
    workbook(drop / "made.xlsx", [[1, "SNV", "Sở Nội vụ", "=SUM(E6:G6)", *ONE[4:]], TWO])
    with zipfile.ZipFile(drop / "made.xlsx") as made, zipfile.ZipFile(drop / "staff.xlsx", "w") as stored:
        for entry in made.namelist():
            data = made.read(entry)
            if entry.endswith("sheet1.xml"):
                data = data.replace(b"<f>SUM(E6:G6)</f><v></v>", b"<f>SUM(E6:G6)</f><v>120</v>")
                data = data.replace(b"<f>SUM(E6:G6)</f><v />", b"<f>SUM(E6:G6)</f><v>120</v>")
            stored.writestr(entry, data)
    expect_two(pull(source(), drop_dir=drop)[0])


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_of_any_delimiter_and_encoding(drop: Path, pull: Callable[..., Any], delimiter: str, encoding: str) -> None:
    (drop / "staff.csv").write_bytes(csv_text(delimiter).encode(encoding))
    rows, stats = pull(source(), drop_dir=drop)
    expect_two(rows)
    assert rows[0]["source_row"] == "staff.csv!row 6"
    assert stats.warnings == []


def test_csv_in_windows_1258_comes_out_composed(drop: Path, pull: Callable[..., Any]) -> None:
    # windows-1258 holds a vowel with its breve, circumflex or horn as one, and each tone as a mark of its own.
    letters = []
    for letter in csv_text():
        base = "".join(c for c in unicodedata.normalize("NFD", letter) if c not in "\u0300\u0301\u0303\u0309\u0323")
        tones = "".join(c for c in unicodedata.normalize("NFD", letter) if c in "\u0300\u0301\u0303\u0309\u0323")
        letters.append(unicodedata.normalize("NFC", base) + tones)
    (drop / "staff.csv").write_bytes("".join(letters).encode("cp1258"))
    rows, stats = pull(source(), drop_dir=drop)
    expect_two(rows)
    assert stats.warnings == ["neither UTF-8 nor marked: read as windows-1258"]


def test_csv_with_quotes_line_breaks_and_a_sep_line(drop: Path, pull: Callable[..., Any]) -> None:
    text = csv_text(",").replace("Sở Nội vụ", '"Sở ""Nội vụ"",\nTây Nguyên"')
    (drop / "staff.csv").write_text("sep=,\r\n" + text, "utf-8", newline="")
    rows, _ = pull(source(), drop_dir=drop)
    assert rows[0]["agency_name"] == 'Sở "Nội vụ",\nTây Nguyên'
    assert [row["source_row"] for row in rows] == ["staff.csv!row 7", "staff.csv!row 9"]


def test_the_newest_name_wins_and_files_in_use_are_passed_over(drop: Path, pull: Callable[..., Any]) -> None:
    for name, records in [("staff-2025-11.xlsx", [TWO]), ("staff-2025-12.xlsx", [ONE, TWO])]:
        workbook(drop / name, records)
    (drop / "~$staff-2025-12.xlsx").write_bytes(b"lock")
    rows, stats = pull(source(path="*staff-*.xlsx"), drop_dir=drop)
    expect_two(rows)
    assert stats.source_files == ["staff-2025-12.xlsx"]


def test_an_absolute_path_stands_for_itself(tmp_path: Path, drop: Path, pull: Callable[..., Any]) -> None:
    workbook(tmp_path / "staff-elsewhere.xlsx", [ONE, TWO])
    expect_two(pull(source(path=str(tmp_path / "staff-*.xlsx")), drop_dir=drop)[0])


def test_paths_do_not_lead_out_of_the_drop_folder(tmp_path: Path, drop: Path, pull: Callable[..., Any]) -> None:
    workbook(tmp_path / "staff-elsewhere.xlsx", [ONE])
    (drop / "staff-link.xlsx").symlink_to(tmp_path / "staff-elsewhere.xlsx")
    for path in ("../staff-elsewhere.xlsx", "x/../../staff*", "staff-link.xlsx"):
        with pytest.raises(ConfigError, match=r"out of"):
            pull(source(path=path), drop_dir=drop)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 3_000_000)


def document(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", b"<w/>")


def truncated(path: Path) -> None:
    workbook(path, [ONE])
    path.write_bytes(path.read_bytes()[:3000])


def broken_inside(path: Path) -> None:
    workbook(path.with_name("whole"), [ONE])
    with zipfile.ZipFile(path.with_name("whole")) as whole, zipfile.ZipFile(path, "w") as broken:
        for entry in whole.namelist():
            broken.writestr(entry, b"<worksheet><sheetData><row" if "sheet1" in entry else whole.read(entry))


def several(path: Path) -> None:
    book = openpyxl.Workbook()
    for name in ("Quý III", "Quý IV"):
        fill(book.create_sheet(name), [ONE])
    book.save(path)


def stray(path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, [ONE])
    book.active["XFD1048576"] = "x"
    book.save(path)


def renamed(path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, [ONE])
    book.active["B4"] = "Mã cơ quan, đơn vị"
    book.save(path)


def doubled(path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, [ONE])
    book.active["N4"] = "Mã cơ quan"
    book.save(path)


@pytest.mark.parametrize(
    ("make", "connector", "kind", "message"),
    [
        (lambda p: None, {}, SourceMissing, r"staff: no file 'staff\*' in .*drop — ask the agency for its file"),
        (lambda p: p.touch(), {}, SourceMalformed, r"staff.xlsx: the file is empty"),
        (
            lambda p: openpyxl.Workbook().save(p),
            {},
            SourceMalformed,
            r"the workbook is empty \(visible sheets: 'Sheet'\)",
        ),
        (
            lambda p: workbook(p, [ONE]),
            {"sheet": "Năm 2025"},
            SourceChanged,
            r"no sheet 'Năm 2025'; there are: 'Sheet'",
        ),
        (several, {}, SourceChanged, r"several sheets hold data: 'Sheet', 'Quý III', 'Quý IV' — name the one"),
        (truncated, {}, SourceMalformed, r"broken or cut off"),
        (broken_inside, {}, SourceMalformed, r"staff.xlsx: .*save it again"),
        (lambda p: p.write_bytes(b"PK\x03\x04" + b"x" * 99), {}, SourceMalformed, r"broken or cut off"),
        (lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0" + b"x" * 999), {}, SourceMalformed, r"cannot be read"),
        (
            lambda p: p.write_bytes(b"x" * 2000),
            {"max_bytes": 1000},
            SourceMalformed,
            r"too large: 2,000 of at most 1,000",
        ),
        (bomb, {"max_bytes": 100_000}, SourceMalformed, r"too large: more than 1,000,000 bytes unpacked"),
        (document, {}, SourceMalformed, r"no Excel workbook"),
        (stray, {}, SourceMalformed, r"reaches to row 1,048,576.*delete the stray cells"),
        (
            lambda p: p.write_text("<html><table><tr><td>Mã cơ quan"),
            {},
            SourceMalformed,
            r"a web page in place of a table",
        ),
        (
            lambda p: p.write_bytes(b"\x8a\xff;\xd2\xd2\n"),
            {},
            SourceMalformed,
            r"cannot be read as UTF-8 or windows-1258",
        ),
        (lambda p: p.write_text("a;b\n1;2\n"), {}, SourceChanged, r"no header found: none of 'Mã cơ.*look at row 1,"),
        (
            renamed,
            {},
            SourceChanged,
            r"Sheet: 1 mapped .* 'Mã cơ quan' \(agency_code, required\).*fields: {agency_code: 'Mã cơ quan, đơn vị'}",
        ),
        (doubled, {}, SourceChanged, r"'Mã cơ quan' stands over columns B \('Mã cơ quan'\), N"),
        (
            lambda p: workbook(p, [ONE]),
            {"title_pattern": "Kỳ (?P<reported_on>.*)"},
            SourceChanged,
            r"title_pattern fits none",
        ),
    ],
)
def test_what_cannot_be_read_names_file_and_remedy(
    drop: Path,
    pull: Callable[..., Any],
    make: Callable[[Path], None],
    connector: dict[str, Any],
    kind: type,
    message: str,
) -> None:
    make(drop / "staff.xlsx")
    with pytest.raises(SourceError, match=message) as caught:
        pull(source(**connector), drop_dir=drop)
    assert type(caught.value) is kind
    assert caught.value.remedy
    assert "Canary" not in str(caught.value)


def test_an_optional_column_that_is_gone_is_told(drop: Path, pull: Callable[..., Any], tmp_path: Path) -> None:
    text = {
        "source": "figures", "feed": "declarations", "agency": "a", "owner": "o", "licence": "l",
        "unit": {"field": "Tỉnh"}, "connector": {"type": "tabular", "path": "f.csv"},
        "fields": {"metric": "Mã số liệu", "basis": "Hình thức", "value": "Số liệu", "evidence_ref": "Tài liệu"},
        "constants": {"period_year": "2025", "stated_on": "{night}"},
    }  # fmt: skip
    (drop / "f.csv").write_text("Tỉnh;Mã số liệu;Hình thức;Số liệu\nĐắk Lắk;staff_total;declared;1.234,5\n", "utf-8")
    rows, stats = pull(parse_source(yaml.safe_dump(text), "figures.yml", {}), drop_dir=drop)
    assert [rows[0][n] for n in ("unit", "value", "stated_on", "evidence_ref")] == [
        "Đắk Lắk",
        "1234.5",
        "2026-03-01",
        None,
    ]
    assert stats.warnings == ["no column for evidence_ref"]
