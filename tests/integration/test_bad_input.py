"""What agencies really send: each fault gets a reason that a person can act on, and the rest of the night goes on.

One night over small made-up agencies on a wire that misbehaves and in a drop folder. Afterwards no file below DTI_HOME
holds a secret or a person.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from pytest_httpserver import HTTPServer
from sqlalchemy import text
from werkzeug import Request, Response

from dti import flow
from dti.errors import SourceError
from dti.settings import Settings
from dti.sources.credentials import Credentials, credentials_from_environment
from dti.sources.spec import Source, parse_source
from dti.warehouse import connect
from dti.warehouse.query import run_select

NIGHT = date(2026, 6, 30)
SECRET = "canary-secret-93127"
PERSON = "Nguyễn Canary Thị Ẩn"
IDENTITY = "079canary12345"
HEADERS = ["Mã cơ quan", "Tên cơ quan", "Ngày", "Tổng", "CĐS", "CNTT", "ATTT", "BD CĐS", "BD KN", "BD DL", "Đầu mối"]
STAFF_COLUMNS = [
    "agency_code", "agency_name", "reported_on", "staff_total", "staff_digital_transformation",
    "staff_information_technology", "staff_information_security", "staff_trained_dx", "staff_trained_digital_skills",
    "staff_trained_data", "has_focal_staff",
]  # fmt: skip
SOUND = ["A1", "Sở Y tế", "31/05/2026", 40, 1, 1, 1, 9, 9, 9, "Có"]


def rest(source: str, address: str, **connector: Any) -> Source:
    """A province's dossier list at ``address``, with quick retries."""
    text = yaml.safe_dump(
        {
            "source": source,
            "feed": "online_services",
            "agency": "An agency",
            "owner": "someone",
            "licence": "test",
            "connection": "agency",
            "unit": {"field": "Tinh"},
            "connector": {
                "type": "rest",
                "address": address,
                "paging": {"style": "keyset", "size": 50},
                "change_time": {"since_param": "since", "field": "NgayCapNhat"},
                "retries": 1,
                "timeout_seconds": 2,
                **connector,
            },
            "fields": {
                "dossier_id": "MaHoSo", "procedure_code": "MaTTHC", "status_code": "TrangThaiHoSo",
                "opened_at": "NgayNopHoSo", "received_at": "NgayNopHoSo", "updated_at": "NgayCapNhat",
                "applicant_name": "ChuHoSo", "applicant_identity": "SoDinhDanh",
            },
        },
        allow_unicode=True,
    )  # fmt: skip
    return parse_source(text, f"{source}.yml")


def sheet(source: str, path: str, **connector: Any) -> Source:
    """A workbook of staff in the drop folder."""
    text = yaml.safe_dump(
        {
            "source": source,
            "feed": "staffing",
            "agency": "An office",
            "owner": "someone",
            "licence": "test",
            "unit": {"fixed": "Đắk Lắk"},
            "connector": {"type": "tabular", "path": path, **connector},
            "fields": dict(zip(STAFF_COLUMNS, HEADERS, strict=True)),
        },
        allow_unicode=True,
    )
    return parse_source(text, f"{source}.yml")


def dossier(number: int, **changes: Any) -> dict[str, Any]:
    """A sound dossier of Đắk Lắk, changed as told."""
    return {
        "MaHoSo": f"H-{number}",
        "Tinh": "Đắk Lắk",
        "MaTTHC": "1.000656",
        "TrangThaiHoSo": 4,
        "NgayNopHoSo": "2026-06-29T08:00:00+07:00",
        "NgayCapNhat": f"2026-06-30T08:00:{number:02d}+07:00",
        "ChuHoSo": PERSON,
        "SoDinhDanh": IDENTITY,
        **changes,
    }


def workbook(path: Path, rows: list[list[Any]], title: str = "Nhân lực") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)


@pytest.fixture
def night(httpserver: HTTPServer, warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Run the night over every faulty agency and one sound one; what each fault was told as."""
    monkeypatch.setenv("AIRFLOW_CONN_AGENCY", json.dumps({"login": "client", "password": SECRET}))

    def page(request: Request) -> Response:
        """The records that changed since the time that was asked for."""
        since = datetime.fromisoformat(request.args["since"])
        later = [r for r in records if datetime.fromisoformat(r["NgayCapNhat"]) >= since]
        return Response(
            json.dumps({"data": later if request.args["page"] == "1" else []}), content_type="application/json"
        )

    records = [dossier(1), dossier(2, Tinh="Tỉnh Sông Xanh"), dossier(3, TrangThaiHoSo="xong"), dossier(4, MaTTHC=None)]
    httpserver.expect_request("/sound").respond_with_handler(page)
    httpserver.expect_request("/html").respond_with_data("<html>Bảo trì</html>", content_type="text/html")
    httpserver.expect_request("/truncated").respond_with_data(
        '{"data": [{"MaHoSo": "H-', content_type="application/json"
    )
    httpserver.expect_request("/token").respond_with_response(Response('{"error": "invalid_client"}', 401))
    drop = warehouse.home_dir / "drop"
    workbook(drop / "sound.xlsx", [HEADERS, SOUND])
    workbook(drop / "empty.xlsx", [])
    workbook(drop / "wrong-sheet.xlsx", [HEADERS, SOUND], title="Danh mục")
    workbook(drop / "missing-column.xlsx", [[h for h in HEADERS if h != "CNTT"], [*SOUND[:5], *SOUND[6:]]])
    (drop / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    sources = [
        rest("sound-list", httpserver.url_for("/sound")),
        rest("html", httpserver.url_for("/html")),
        rest("truncated", httpserver.url_for("/truncated")),
        rest("wrong-secret", httpserver.url_for("/sound"), oauth2={"token_address": httpserver.url_for("/token")}),
        rest("unreachable", "http://127.0.0.1:9/list"),
        sheet("sound-sheet", "sound.xlsx"),
        sheet("empty", "empty.xlsx"),
        sheet("wrong-sheet", "wrong-sheet.xlsx", sheet="Nhân lực"),
        sheet("missing-column", "missing-column.xlsx"),
        sheet("broken", "broken.xlsx"),
        sheet("no-file", "nowhere.xlsx"),
    ]
    monkeypatch.setattr(flow, "readable_sources", lambda folder: (sources, {}))
    monkeypatch.setattr(
        flow, "load_source", lambda source_id, folder: next(s for s in sources if s.source == source_id)
    )
    flow.prepare(warehouse)
    told = {}
    for source in sources:
        try:
            flow.extract(source.source, NIGHT, credentials_from_environment, settings=warehouse)
        except SourceError as fault:
            told[source.source] = str(fault)
    for feed in ("online_services", "staffing"):
        flow.gate(feed, NIGHT, settings=warehouse)
        flow.load(feed, NIGHT, settings=warehouse)
    flow.compute(NIGHT, settings=warehouse)
    return told


def test_every_fault_is_told_and_the_night_goes_on(night: dict[str, str], warehouse: Settings) -> None:
    expected = {
        "html": ["/html", "JSON"],
        "truncated": ["/truncated", "JSON"],
        "wrong-secret": ["/token", "401"],
        "unreachable": ["127.0.0.1:9"],
        "empty": ["empty.xlsx"],
        "wrong-sheet": ["wrong-sheet.xlsx", "Nhân lực", "Danh mục"],
        "missing-column": ["missing-column.xlsx", "CNTT"],
        "broken": ["broken.xlsx"],
        "no-file": ["nowhere.xlsx"],
    }
    assert night.keys() == expected.keys(), f"the sound ones came through, and only they: {night}"
    for source, words in expected.items():
        assert source in night[source]
        assert " — " in night[source], f"no remedy: {night[source]}"
        for word in words:
            assert word in night[source], night[source]

    _, rows = run_select(
        "select source_id, status, rows_landed, rows_loaded, rows_quarantined from marts.feed_freshness", warehouse
    )
    status = {source: figures for source, *figures in rows}
    assert {source: figures[0] for source, figures in status.items()} == {
        **dict.fromkeys(expected, "failed"),
        "sound-list": "stopped",
        "sound-sheet": "fresh",
    }
    assert status["sound-sheet"] == ["fresh", 1, 1, 0]
    _, scores = run_select(
        "select value from marts.metric_value"
        " where unit_id = 'P34-66' and metric = 'staff_total' and feed = 'staffing'",
        warehouse,
    )
    assert [int(value) for (value,) in scores] == [40], "the night was computed from what arrived"


def test_no_secret_and_no_person_is_left_anywhere(
    night: dict[str, str], warehouse: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    canaries = [word.encode() for word in (SECRET, PERSON, IDENTITY, "canary")]
    searched = [path for path in warehouse.home_dir.rglob("*") if path.is_file() and "postgres" not in path.parts]
    assert any(path.suffix == ".parquet" for path in searched)
    for path in searched:
        if path.name == "secrets.json":
            continue
        content = path.read_bytes()
        assert not [canary for canary in canaries if canary in content], path
    assert not any("canary" in told for told in (*night.values(), caplog.text))
    with connect.engine(warehouse, "owner").connect() as connection:
        tables = connection.execute(
            text("select schemaname, tablename from pg_tables where schemaname in ('ops', 'facts')")
        )
        for schema, table in tables.all():
            held = connection.execute(
                text(f"select count(*) from {schema}.{table} as t where t::text ilike '%canary%'")
            )
            assert held.scalar_one() == 0, f"{schema}.{table}"
    assert Credentials(login="a", password=SECRET).model_dump_json().count(SECRET) == 0
