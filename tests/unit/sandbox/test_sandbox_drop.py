"""The drop folder: files that open, and hold the promised mess."""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from sandbox import SYNTHETIC_NOTE, drop, truth
from sandbox.drop import SHEETS, write_drop
from sandbox.files import windows_1258, write_whole
from sandbox.portals.agencies import World
from sandbox.world.times import VIETNAM, moment

CLOCK = moment(datetime(2026, 7, 1, 2, tzinfo=VIETNAM))
BOOKS = [s for s in SHEETS.values() if s.suffix == ".xlsx"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_drop(World(), folder, CLOCK)
    return folder


def newest(home: Path, source: str) -> Path:
    return SHEETS[source].path(home, SHEETS[source].days(CLOCK)[0])


def text_of(home: Path, source: str, encoding: str) -> str:
    return newest(home, source).read_bytes().decode(encoding)


@pytest.mark.parametrize("sheet", BOOKS, ids=lambda s: s.source)
def test_a_workbook_is_as_offices_make_it(home: Path, sheet: drop.Sheet) -> None:
    book = openpyxl.load_workbook(newest(home, sheet.source))
    page = book.worksheets[0]
    cells = [[c.value for c in row] for row in page.iter_rows()]
    above = [row[0] for row in cells[:6]]
    assert SYNTHETIC_NOTE in above
    assert book.properties.title == SYNTHETIC_NOTE
    assert [s.sheet_state for s in book.worksheets] == ["visible", "hidden"]
    table = sheet.table(World(), sheet.days(CLOCK)[0])
    at = next(i for i, row in enumerate(cells) if row[0] in {"STT", "TT"})
    groups, names = cells[at], cells[at + 1]
    label, found = "", []
    for group, name in zip(groups, names, strict=True):
        label = group or label
        found.append(f"{label} / {name}" if name else label)
    assert tuple(found) == table.labels
    assert any(r.min_row == at + 1 and r.max_row == at + 1 and r.max_col > r.min_col for r in page.merged_cells.ranges)
    first = at + 2
    for row, line in zip(cells[first:], table.lines, strict=False):
        assert [v.date() if isinstance(v, datetime) else v for v in row] == list(line.cells)
    below = [v for row in cells[first + len(table.lines) :] for v in row if v is not None]
    assert "(Đã ký)" in below
    if sheet.source in {"so-noi-vu-dak-lak", "to-cnscd-dak-lak"}:
        assert f"Tính đến ngày {sheet.days(CLOCK)[0]:%d/%m/%Y}" in " ".join(str(a) for a in above)
        assert "Tổng cộng" in below


def test_numbers_come_as_numbers_and_as_vietnamese_text(home: Path) -> None:
    values = [d.record["Kê khai / Số liệu"] for d in truth.delivered("khai-bao-dak-lak", date(2026, 6, 30))]
    assert any(isinstance(v, int) for v in values)
    assert any(isinstance(v, float) for v in values)
    texts = [v for v in values if isinstance(v, str)]
    assert any("." in v for v in texts)
    assert any("," in v for v in texts)


def test_days_come_as_dates_and_as_text() -> None:
    days = [d.record["Kê khai / Ngày"] for d in truth.delivered("khai-bao-dak-lak", date(2026, 6, 30))]
    assert {type(d) for d in days} == {str, date}


def test_names_come_composed_and_decomposed() -> None:
    names = [str(d.record["Xã, phường, đặc khu / Tên"]) for d in truth.delivered("to-cnscd-dak-lak", date(2026, 6, 30))]
    assert {unicodedata.is_normalized("NFC", n) for n in names} == {True, False}


def test_the_ministry_of_home_affairs_writes_windows_1258(home: Path) -> None:
    raw = newest(home, "bo-noi-vu").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    rows = list(csv.reader(io.StringIO(unicodedata.normalize("NFC", raw.decode("cp1258"))), delimiter=";"))
    assert rows[1] == [SYNTHETIC_NOTE]
    assert rows[2][:4] == ["STT", "Tỉnh, thành phố", "Ngày báo cáo", "Mã cơ quan"]
    provinces = {unicodedata.normalize("NFC", row[1]).casefold() for row in rows[3:]}
    assert {"cần thơ", "tp. hồ chí minh", "tỉnh sông xanh"} & provinces
    assert len(rows) - 3 == len(list(truth.delivered("bo-noi-vu", date(2026, 6, 30))))


def test_the_national_list_of_teams_is_decomposed_behind_a_mark(home: Path) -> None:
    raw = newest(home, "to-cnscd-quoc-gia").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    text = raw.decode("utf-8-sig")
    assert unicodedata.is_normalized("NFD", text)
    assert SYNTHETIC_NOTE in unicodedata.normalize("NFC", text)
    assert len(list(csv.reader(io.StringIO(text)))) > 2000


def test_lam_dong_sends_semicolons_and_its_own_words(home: Path) -> None:
    rows = list(csv.reader(io.StringIO(text_of(home, "kiem-ke-lam-dong", "utf-8-sig")), delimiter=";"))
    assert rows[0] == [SYNTHETIC_NOTE]
    kinds = [row[3] for row in rows[2:]]
    assert sum(k in {"Phần mềm", "Đường truyền"} for k in kinds) / len(kinds) > 0.2


@pytest.mark.parametrize(
    "text", ["Nguyễn Hữu Đức, xã Ea Kao", "ẮẰẲẴẶ ốồổỗộ ứừửữự ỳỹỷỵý", "Tỉnh Đắk Lắk; Thừa Thiên - Huế"]
)
def test_windows_1258_holds_all_of_vietnamese(text: str) -> None:
    assert unicodedata.normalize("NFC", windows_1258(text).decode("cp1258")) == text


def test_the_same_clock_writes_the_same_bytes(home: Path, tmp_path: Path) -> None:
    for path in write_drop(World(), tmp_path, CLOCK):
        assert path.read_bytes() == (home / path.relative_to(tmp_path)).read_bytes()


@pytest.mark.parametrize(
    ("clock", "newest_file", "before"),
    [
        ("2026-07-04T07:59", "nhan-luc-2026-05.csv", "nhan-luc-2026-04.csv"),
        ("2026-07-04T08:00", "nhan-luc-2026-06.csv", "nhan-luc-2026-05.csv"),
        ("2026-01-04T08:00", "nhan-luc-2025-12.csv", "nhan-luc-2025-11.csv"),
    ],
)
def test_a_report_comes_on_the_fourth_at_eight(clock: str, newest_file: str, before: str) -> None:
    assert _names("bo-noi-vu", clock) == [newest_file, before]


def test_until_five_in_the_morning_it_is_still_yesterday() -> None:
    assert _names("kiem-ke-dak-lak", "2026-07-01T04:59") == ["danh-muc-2026-06-30.xlsx", "danh-muc-2026-06-29.xlsx"]
    assert _names("kiem-ke-dak-lak", "2026-07-01T05:00") == ["danh-muc-2026-07-01.xlsx", "danh-muc-2026-06-30.xlsx"]


def _names(source: str, clock: str) -> list[str]:
    sheet = SHEETS[source]
    return [sheet.path(Path(), day).name for day in sheet.days(moment(datetime.fromisoformat(clock)))]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "drop/bo-noi-vu/ghi-chu.txt"
    other.parent.mkdir(parents=True)
    other.write_text("giữ lại", "utf-8")
    write_drop(World(), tmp_path, CLOCK)
    assert other.read_text("utf-8") == "giữ lại"


def test_no_reader_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    write_whole(path, b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_people_in_sheets_cannot_exist() -> None:
    for delivery in truth.delivered("so-noi-vu-dak-lak", date(2026, 6, 30)):
        assert str(delivery.record["Người liên hệ / Điện thoại"]).startswith("0000")
        assert str(delivery.record["Người liên hệ / Thư điện tử"]).endswith(".example")
