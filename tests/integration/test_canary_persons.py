"""Persons in every feed, wherever a person could stand: nothing of them is on disk, in the database or in a log."""

from __future__ import annotations

import csv
import json
import logging
import shutil
import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti import flow
from dti.cli.night import run_steps
from dti.settings import Settings
from dti.warehouse import connect
from tests.builders import searching
from tests.conftest import PROJECT

NIGHT = date(2026, 6, 30)
NAME = "Nguyễn Thị Kanari"
CAPITALS = "NGUYỄN THỊ KANARI"
IDENTITY = "079188012345"
PHONE = "0905123987"
MAIL = "kanari.nguyen@example.vn"
STREET = "12 Hẻm Kanari, phường Tân Lợi"
WORDS = {"kanari", IDENTITY, "079 188 012 345", PHONE, "0905 123 987", "0905.123.987", "905123987", MAIL}
TITLED = f"Quyết định 12/QĐ-UBND do bà {NAME} ký, số máy 0905 123 987, CCCD {IDENTITY}, thư {MAIL}"
ALL_OF_HER = f"{NAME} {IDENTITY} {PHONE} {MAIL} {STREET}"
EXTRA: dict[str, Any] = {
    "GhiChu": ALL_OF_HER,
    "NguoiNop": {"HoTen": NAME, "DiaChi": {"So": STREET, IDENTITY: PHONE}},
    "LichSu": [{"NguoiXuLy": NAME, "Thu": MAIL}],
    IDENTITY: NAME,
    f"Mail {MAIL}": PHONE,
}
"""What nobody asked for: columns outside the contract, nested, and named after a person."""


def rest(feed: str, address: str, fields: dict[str, str], **more: Any) -> dict[str, Any]:
    connector = {"type": "rest", "address": address, "paging": {"style": "none"}, "retries": 0, "timeout_seconds": 2}
    return {
        "source": f"{feed.replace('_', '-')}-rest", "feed": feed, "agency": "A", "owner": "o", "licence": "l",
        "unit": {"field": "Tinh"}, "connector": connector, "fields": fields, **more,
    }  # fmt: skip


def lists() -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Feed → its mapping and its records: sound ones, and ones that break a rule with a person in the wrong place."""
    dossier = {
        "MaHoSo": "H-1", "Tinh": "Đắk Lắk", "MaTTHC": "1.000656", "TrangThaiHoSo": 4,
        "NgayNopHoSo": "2026-06-29T08:00:00+07:00", "NgayCapNhat": "2026-06-30T08:00:00+07:00",
        "ChuHoSo": NAME, "SoDinhDanh": IDENTITY, "Email": MAIL, "SoDienThoai": PHONE, **EXTRA,
    }  # fmt: skip
    dossiers = [
        *({**dossier, "MaHoSo": f"H-{n}", "NgayCapNhat": f"2026-06-30T08:00:{n:02}+07:00"} for n in range(30)),
        {**dossier, "MaHoSo": "X-1", "TrangThaiHoSo": NAME},
        {**dossier, "MaHoSo": "X-2", "NgayNopHoSo": f"{CAPITALS} 0905 123 987"},
        {**dossier, "MaHoSo": "X-3", "Tinh": f"{unicodedata.normalize('NFD', NAME)}, {PHONE}"},
    ]
    procedure = {
        "Ma": "1.000656", "Ten": "Cấp giấy phép", "Muc": 4, "Du": True, "Con": True, "Tinh": "Đắk Lắk", **EXTRA,
    }  # fmt: skip
    procedures = [
        *({**procedure, "Ma": f"1.{n:06}"} for n in range(30)),
        {**procedure, "Ma": "2.000001", "Ten": TITLED},
        {**procedure, "Ma": "2.000002", "Muc": f"hỏi {NAME} {PHONE}"},
    ]
    figure = {
        "Ma": "population", "Loai": "declared", "Nam": "2026", "Ngay": "2026-06-01", "So": "1", "Tinh": "Đắk Lắk",
        "Nguoi": NAME, "TaiLieu": TITLED, **EXTRA,
    }  # fmt: skip
    figures = [
        {**figure, "Ngay": f"2026-06-{n:02}", "TaiLieu": f"{n}: {TITLED}; lập bởi {CAPITALS}"} for n in range(1, 28)
    ] + [{**figure, "So": f"{PHONE} ({NAME})"}]
    return {
        "online_services": (
            rest(
                "online_services", "/dossiers",
                {"dossier_id": "MaHoSo", "procedure_code": "MaTTHC", "status_code": "TrangThaiHoSo",
                 "opened_at": "NgayNopHoSo", "received_at": "NgayNopHoSo", "updated_at": "NgayCapNhat",
                 "applicant_name": "ChuHoSo", "applicant_identity": "SoDinhDanh", "applicant_email": "Email",
                 "applicant_phone": "SoDienThoai"},
            ),
            dossiers,
        ),
        "service_catalogue": (
            rest(
                "service_catalogue", "/procedures",
                {"procedure_code": "Ma", "procedure_name": "Ten", "service_level_code": "Muc",
                 "is_eligible_full_online": "Du", "is_active": "Con"},
                constants={"snapshot_on": "{night}"},
            ),
            procedures,
        ),
        "declarations": (
            rest(
                "declarations", "/figures",
                {"metric": "Ma", "basis": "Loai", "period_year": "Nam", "stated_on": "Ngay", "value": "So",
                 "evidence_ref": "TaiLieu", "declared_by": "Nguoi"},
            ),
            figures,
        ),
    }  # fmt: skip


def tables(sources: Path, drop: Path) -> None:
    """The sandbox's own sources of the three tabular feeds, over files with persons in headers, titles and names."""
    for name in ("so-noi-vu-dak-lak", "kiem-ke-dak-lak", "to-cnscd-quoc-gia"):
        shutil.copy(PROJECT / "include" / "sources" / "sandbox" / f"{name}.yml", sources)
    teams = max((drop / "to-cnscd-quoc-gia").glob("*.csv"))
    newest = max((drop / "so-noi-vu-dak-lak").glob("*.xlsx"))
    _haunt(newest, newest.with_name(f"nhan-luc-9999 {PHONE} {MAIL}.xlsx"))
    newest = max((drop / "kiem-ke-dak-lak").glob("*.xlsx"))
    _haunt(newest, newest)
    with teams.open(encoding="utf-8-sig", newline="") as file:
        titles, table = file.readline(), list(csv.reader(file))
    header = next(n for n, line in enumerate(table) if "Mã xã" in [unicodedata.normalize("NFC", cell) for cell in line])
    at = {unicodedata.normalize("NFC", name): n for n, name in enumerate(table[header])}
    records = [line for line in table[header + 1 :] if len(line) == len(at) and line[at["Mã xã"]]]
    for line in records:
        line[at["Tổ trưởng"]], line[at["Điện thoại"]] = NAME, PHONE
        line += [IDENTITY, STREET]
    records[3][at["Số thành viên"]] = f"{NAME} {PHONE}"
    records[4][at["Tên xã"]] += f" ({CAPITALS}, {PHONE})"
    table[header] += [f"Gọi {PHONE}", "Địa chỉ"]
    with teams.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(f"{titles.strip()} - {ALL_OF_HER}\r\n")
        csv.writer(file).writerows(table)


def _haunt(path: Path, to: Path) -> None:
    """Put her above, beside and below the table, into its personal columns, and into what it is called."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    wide, high = sheet.max_column, sheet.max_row
    for name in ("Họ và tên", "Điện thoại", "Thư điện tử"):
        for head in [cell for row in sheet.iter_rows(max_row=12) for cell in row if cell.value == name]:
            for row in range(head.row + 1, high - 3):
                if sheet.cell(row, 2).value is not None:
                    sheet.cell(row, head.column).value = {"Họ và tên": NAME, "Điện thoại": PHONE}.get(name, MAIL)
    for row in range(1, high + 1):
        sheet.cell(row, wide + 2).value = f"{IDENTITY} {MAIL}" if row < 12 else ALL_OF_HER
    sheet.cell(high + 3, 2).value = f"Người lập biểu: {ALL_OF_HER}"
    book.create_sheet("Kanari").append([ALL_OF_HER])
    book["Kanari"].sheet_state = "hidden"
    book.properties.creator = NAME
    book.save(to)
    if to != path:
        path.unlink()


def prometheus(_: Request) -> Response:
    values = [[1782752400 + n * 1200, "NaN" if n == 3 else "1"] for n in range(9)]
    labels = {"data_centre": "dc-1", "province": "Đắk Lắk", "admin": NAME, "contact": MAIL, f"id_{IDENTITY}": PHONE}
    told = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": labels, "values": values}]}}
    told["warnings"] = [f"ask {MAIL} or {PHONE}"]
    return Response(json.dumps(told), content_type="application/json")


@pytest.fixture
def installed(httpserver: HTTPServer, warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """All seven feeds from agencies that name her everywhere, and one more that fails with her in its answer."""
    sources, drop = tmp_path / "sources", warehouse.home_dir / "drop"
    sources.mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    described = lists()
    for source, records in described.values():
        path = source["connector"]["address"]
        httpserver.expect_request(path).respond_with_json({"data": records})
        source["connector"]["address"] = httpserver.url_for(path)
    failing = rest("service_catalogue", "", described["service_catalogue"][0]["fields"])
    failing |= {"source": "failing", "constants": {"snapshot_on": "{night}"}, "unit": {"fixed": "Đắk Lắk"}}
    failing["connector"] |= {"address": httpserver.url_for("/failing"), "params": {"nguoi": NAME, "so": IDENTITY}}
    httpserver.expect_request("/failing").respond_with_handler(
        lambda request: Response(
            json.dumps({"error": ALL_OF_HER, "url": request.url}), 500, {"X-Nguoi": PHONE}, content_type="text/x"
        )
    )
    changed = rest("declarations", httpserver.url_for("/changed"), described["declarations"][0]["fields"])
    changed["source"] = "changed"
    httpserver.expect_request("/changed").respond_with_json({"data": [{**EXTRA, "Ten": NAME}] * 3})
    httpserver.expect_request("/graph/api/v1/query_range").respond_with_handler(prometheus)
    graph = rest("data_centre", "", {"data_centre_id": "data_centre"}, unit={"field": "province"})
    graph["connector"] = {
        "type": "prometheus", "address": httpserver.url_for("/graph"), "step_seconds": 1200, "retries": 0,
        "queries": [{"measure": "up_share", "promql": "up"}],
    }  # fmt: skip
    for source in [*(source for source, _ in described.values()), failing, changed, graph]:
        text = yaml.safe_dump(source, allow_unicode=True)
        (sources / f"{source['source']}.yml").write_text(text, "utf-8")
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "drop",
        "--home",
        str(warehouse.home_dir),
        "--clock",
        "2026-07-01T02:00",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    tables(sources, drop)
    return warehouse.model_copy(update={"sources": sources})


def test_a_night_over_all_feeds_leaves_nothing_of_a_person(
    installed: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    run_steps(NIGHT, None, installed)
    flow.tell(settings=installed)
    home = installed.home_dir
    postgres = home / "postgres"
    with connect.connect(installed, "owner") as connection:
        held = connection.execute(
            "select feed, status, rows_landed, rows_quarantined, batch_id from ops.batch order by feed, batch_id"
        ).fetchall()
        stored = dict(searching.rows(connection))
    landed = {feed for feed, _, rows, _, _ in held if rows}
    assert landed == set(flow.feeds()), held
    assert {feed for feed, _, rows, held_back, _ in held if held_back} >= {"online_services", "declarations"}, held
    out, err = capfd.readouterr()
    logged = "\n".join(each.getMessage() + str(each.exc_text) for each in caplog.records if each.name != "werkzeug")
    places = [
        ("output", out),
        ("error output", err),
        ("log", logged),
        *searching.files(home, but=[home / "drop", postgres]),
        *searching.files((postgres / "data" / "log").resolve()),
        *searching.files(tmp_path / "tmp"),
        *stored.items(),
    ]
    assert "\n".join(searching.found(WORDS, places)) == ""
    assert searching.found(["Quyết định 12/QĐ-UBND"], places), "the texts she stood in are there"
    assert searching.found(["H-17"], places), "and so are the records"
    assert searching.found(WORDS, searching.files(home / "drop")), "and she would be found"
