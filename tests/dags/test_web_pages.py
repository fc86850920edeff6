"""The pages in Airflow's web server: who is let in, and what of the machine they can see."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dti.settings import get_settings

REPORT, DIFFERENCE = "<h1>Đắk Lắk</h1>", '{"changed": []}'


@pytest.fixture
def home(monkeypatch, tmp_path) -> Path:
    """A DTI_HOME with one report and one bundle, and something beside them that nobody may see."""
    monkeypatch.setenv("DTI_HOME", str(tmp_path))
    get_settings.cache_clear()
    report, bundle = tmp_path / "annual" / "2026-r1", tmp_path / "published" / "2026-v1"
    (bundle / "data").mkdir(parents=True)
    report.mkdir(parents=True)
    (report / "report.html").write_text(REPORT, "utf-8")
    (report / "difference.json").write_text(DIFFERENCE, "utf-8")
    (report / "notes.txt").write_text("not shown", "utf-8")
    (bundle / "SHA256SUMS").write_text("", "utf-8")
    (bundle / "dti-2026.xlsx").write_bytes(b"PK")
    (bundle / "data" / "pillar_index.parquet").write_bytes(b"PAR1")
    (bundle / "passwords").symlink_to(tmp_path / "secrets.json")
    (tmp_path / "secrets.json").write_text("secret", "utf-8")
    night = tmp_path / "docs" / "quality" / "2026-06-30"
    night.mkdir(parents=True)
    (night / "staffing.html").write_text(REPORT, "utf-8")
    (night / "secrets.html").symlink_to(tmp_path / "secrets.json")
    return tmp_path


@pytest.fixture
def stranger(home):
    from fastapi.testclient import TestClient

    from dti_airflow.web.app import create_app

    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture
def client(home):
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi.testclient import TestClient

    from dti_airflow.web.app import create_app

    app = create_app()
    app.dependency_overrides[get_user] = object
    return TestClient(app, raise_server_exceptions=False)


PATHS = (
    "/",
    "/quality/",
    "/quality/2026-06-30/staffing.html",
    "/requests/2026-r1/report.html",
    "/publications/2026-v1/",
    "/publications/2026-v1/dti-2026.xlsx",
    "/none",
)


@pytest.mark.parametrize("path", PATHS)
def test_without_a_login_nothing_is_shown_but_the_way_to_log_in(stranger, path):
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert "/auth/login?next=" in answer.text
    assert REPORT not in answer.text


def test_a_made_up_token_does_not_open_the_door(stranger):
    answer = stranger.get("/requests/2026-r1/report.html", headers={"Authorization": "Bearer made-up"})
    assert answer.status_code in (401, 403)


def test_the_report_is_shown_for_people_and_for_programs(client):
    page = client.get("/requests/2026-r1/report.html")
    assert (page.status_code, page.text) == (200, REPORT)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    data = client.get("/requests/2026-r1/difference.json")
    assert (data.status_code, data.json()) == (200, {"changed": []})
    assert data.headers["content-type"] == "application/json"


def test_the_data_docs_of_a_night_are_found_and_nothing_else(client):
    listed = client.get("/quality/")
    assert listed.status_code == 200
    assert 'href="/quality/2026-06-30/staffing.html"' in listed.text
    assert client.get("/quality/2026-06-30/staffing.html").text == REPORT
    for path in ("2026-06-29/staffing.html", "2026-06-30/secrets.html", "..%2f..%2fsecrets/staffing.html"):
        assert client.get(f"/quality/{path}").status_code == 404


def test_no_page_may_run_a_script_or_be_framed(client):
    for path in ("/requests/2026-r1/report.html", "/publications/2026-v1/", "/none"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "script-src" not in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path


def test_a_bundle_lists_its_files_and_hands_them_out(client):
    page = client.get("/publications/2026-v1/")
    assert page.status_code == 200
    assert "data/pillar_index.parquet" in page.text
    book = client.get("/publications/2026-v1/dti-2026.xlsx")
    assert book.content == b"PK"
    assert book.headers["content-disposition"] == 'attachment; filename="dti-2026.xlsx"'
    assert book.headers["content-type"].endswith("spreadsheetml.sheet")
    assert client.get("/publications/2026-v1/data/pillar_index.parquet").content == b"PAR1"


@pytest.mark.parametrize(
    "path",
    [
        "/requests/2026-r1/notes.txt",
        "/requests/2026-r2/report.html",
        "/requests/..%2F..%2Fsecrets.json/report.html",
        "/requests/2026-r1/..%2F..%2F..%2Fsecrets.json",
        "/publications/../../secrets.json",
        "/publications/2026-v1/..%2F..%2Fsecrets.json",
        "/publications/2026-v1/%2e%2e/%2e%2e/secrets.json",
        "/publications/2026-v1/data/..%2f..%2f..%2fsecrets.json",
        "/publications/2026-v1/%2Fetc%2Fpasswd",
        "/publications/2026-v1/passwords",
        "/publications/2026-v1/data",
        "/publications/%2e%2e/secrets.json",
        "/publications/2026-v9/",
    ],
)
def test_nothing_else_of_the_machine_can_be_read(client, path):
    answer = client.get(path)
    assert answer.status_code == 404, path
    assert "secret" not in answer.text.replace("secrets.json", ""), path
    assert "root:" not in answer.text


def test_the_list_shows_requests_and_publications_and_escapes_what_people_wrote(client, monkeypatch):
    from dti_airflow.web import app

    moment = datetime(2027, 8, 2, 0, 30, tzinfo=UTC)
    asked = {
        "request_id": "2026-r1", "year": 2026, "framework_id": "922-2022", "geography": "34", "status": "rejected",
        "status_reason": "<script>alert(1)</script>", "reason": "Đợt 1", "requester": "An", "requested_at": moment,
    }  # fmt: skip
    published = {
        "publication_id": "2026-v1", "year": 2026, "version": 1, "framework_id": "922-2022", "geography": "34",
        "is_newest": True, "is_outdated": True, "outdated_since": moment, "approver": "Bình", "published_at": moment,
        "reason": "Đợt 1",
    }  # fmt: skip
    monkeypatch.setattr(app, "requests", lambda settings: [asked])
    monkeypatch.setattr(app, "publications", lambda settings: [published])
    text = client.get("/").text
    assert 'href="/requests/2026-r1/report.html"' in text
    assert 'href="/publications/2026-v1/"' in text
    assert "2027-08-02 07:30" in text, "times are those of Việt Nam"
    assert "outdated since" in text
    assert "<script>" not in text


def test_when_the_warehouse_is_away_the_list_says_so(client, monkeypatch):
    from dti.errors import WarehouseError
    from dti_airflow.web import app

    def away(settings):
        raise WarehouseError("no answer", where="postgres", remedy="start it")

    monkeypatch.setattr(app, "requests", away)
    answer = client.get("/")
    assert answer.status_code == 503
    assert "start it" in answer.text


def test_the_plugin_registers_the_pages_and_only_the_web_server_imports_them(installation):
    import subprocess
    import sys

    code = """
import sys
from airflow import plugins_manager
assert [p.name for p in plugins_manager._get_plugins()[0] if p.name == "dti_web"] == ["dti_web"], "not loaded"
assert "dti_airflow.web.app" not in sys.modules, "imported too early"
[app] = [app for app in plugins_manager.get_fastapi_plugins()[0] if app["name"] == "DTI"]
print(app["url_prefix"])
"""
    folder = str(Path(__file__).parents[2] / "plugins")
    variables = {**installation, "AIRFLOW__CORE__PLUGINS_FOLDER": folder}
    import os

    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "/dti"
