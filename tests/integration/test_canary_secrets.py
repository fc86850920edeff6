"""Secrets that agencies, mail servers and chat programs throw back at us are in nothing that a night leaves behind."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti import flow
from dti.cli.night import run_steps
from dti.errors import DtiError
from dti.observe.logs import night_log
from dti.settings import Settings
from dti.warehouse import connect
from tests.builders import searching

NIGHT = date(2026, 6, 30)
LOGIN = "canary-client"
PASSWORD = "CANARY/secret+7h=x&y 93127"
BEARER = "CANARY.bearer~0451.Zm9v"
API_KEY = "CANARY key/55+1"
HOOK = "CANARY-hook-31415"
MAIL = "CANARY-mail-27182"
BASIC = base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()


def spellings(secret: str) -> set[str]:
    coded = {secret, base64.b64encode(secret.encode()).decode().rstrip("=")}
    return coded | {quote(text, safe="") for text in coded} | {quote_plus(text) for text in coded}


SECRETS = {form for each in (PASSWORD, BEARER, API_KEY, HOOK, MAIL, BASIC) for form in spellings(each)} | {
    BASIC.rstrip("=")
}


def echo(request: Request, status: int, **more: str) -> Response:
    """An answer that repeats all that it was sent, and all that it could know, in body and headers."""
    said = json.dumps({"error": PASSWORD, "sent": dict(request.headers), "url": request.url, "all": sorted(SECRETS)})
    headers = {"X-Debug": quote(PASSWORD), "WWW-Authenticate": f'Basic realm="{BASIC}"', **more}
    return Response(said, status, headers, content_type="application/json")


def away(request: Request) -> Response:
    place = f"/login/{quote(BEARER, safe='')}/{quote(PASSWORD, safe='')}?token={quote(PASSWORD)}"
    return echo(request, 302, Location=place)


def prometheus(request: Request) -> Response:
    said = {"status": "error", "errorType": "bad_data", "error": f"{PASSWORD} {BASIC} {quote(PASSWORD)}"}
    return Response(json.dumps(said), 400, content_type="application/json")


def warned(request: Request) -> Response:
    said = {"status": "success", "data": {"resultType": "matrix", "result": []}, "warnings": [PASSWORD, BASIC]}
    return Response(json.dumps(said), content_type="application/json")


ANSWERS: dict[str, Callable[[Request], Response]] = {
    "refused": lambda request: echo(request, 401),
    "failing": lambda request: echo(request, 500),
    "busy": lambda request: echo(request, 429, **{"Retry-After": "9999"}),
    "led-away": away,
    "odd-type": lambda _: Response("no json", content_type=f"application/{quote(PASSWORD)}"),
    "odd-name": lambda _: Response(json.dumps({"data": [{PASSWORD: BASIC, BASIC: 1}]}), content_type="text/x-json"),
    "token-refused": lambda request: echo(request, 401),
    "token-odd": lambda _: Response(json.dumps({"error": PASSWORD, "error_description": BASIC}), 200),
    "token-taken": lambda request: echo(request, 403),
    "graph": prometheus,
    "graph-warns": warned,
}


def source(name: str, address: str, token_address: str) -> str:
    connector = {
        "type": "rest",
        "address": address,
        "params": {"apiKey": "${CANARY_API_KEY}"},
        "paging": {"style": "none"},
        "retries": 0,
        "timeout_seconds": 2,
    } | ({"oauth2": {"token_address": token_address}} if name.startswith("token") else {})
    described = {
        "source": name, "feed": "service_catalogue", "agency": "A", "owner": "o", "licence": "l",
        "connection": "canary", "unit": {"fixed": "Đắk Lắk"}, "connector": connector,
        "fields": {
            "procedure_code": "Ma", "procedure_name": "Ten", "service_level_code": "Muc",
            "is_eligible_full_online": "Du", "is_active": "Con",
        },
        "constants": {"snapshot_on": "{night}"},
    }  # fmt: skip
    if name.startswith("graph"):
        described["feed"] = "data_centre"
        described["connector"] = {
            "type": "prometheus", "address": address, "retries": 0, "step_seconds": 86_400,
            "queries": [{"measure": "up_share", "promql": "up"}],
        }  # fmt: skip
        del described["constants"]
        described["fields"] = {"data_centre_id": "dc"}
    return yaml.safe_dump(described, allow_unicode=True)


@pytest.fixture
def installed(httpserver: HTTPServer, warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose agencies and channels all throw back what they were sent."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "tmp").mkdir()
    for name, answer in ANSWERS.items():
        httpserver.expect_request(f"/{name}").respond_with_handler(answer)
        httpserver.expect_request(f"/{name}/api/v1/query_range").respond_with_handler(answer)
        token = {"token-refused": "/token-refused", "token-odd": "/token-odd"}.get(name, "/token")
        text = source(name, httpserver.url_for(f"/{name}"), httpserver.url_for(token))
        (tmp_path / "sources" / f"{name}.yml").write_text(text, "utf-8")
    for name, address in {
        "gone": f"http://127.0.0.1:9/list?token={quote(PASSWORD)}",
        "in-address": httpserver.url_for("/failing").replace("//", f"//{LOGIN}:{quote(PASSWORD, safe='')}@"),
    }.items():
        (tmp_path / "sources" / f"{name}.yml").write_text(source(name, address, ""), "utf-8")
    given = {"access_token": BEARER, "token_type": "bearer", "expires_in": 3600}
    httpserver.expect_request("/token").respond_with_json(given)
    httpserver.expect_request(f"/hook/{HOOK}").respond_with_handler(lambda request: echo(request, 410))
    channels = [
        {"name": "chat", "type": "webhook", "connection": "hook"},
        {"name": "mail", "type": "mail", "host": "127.0.0.1", "port": 9, "security": "none", "connection": "mail",
         "sender": "a@example.vn", "to": ["b@example.vn"]},
    ]  # fmt: skip
    (tmp_path / "notify.yml").write_text(yaml.safe_dump({"channels": channels}), "utf-8")
    connections = {
        "CANARY": {"login": LOGIN, "password": PASSWORD},
        "HOOK": {"login": "", "password": httpserver.url_for(f"/hook/{HOOK}")},
        "MAIL": {"login": "mailer", "password": MAIL},
    }
    for name, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))
    monkeypatch.setenv("CANARY_API_KEY", API_KEY)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return warehouse.model_copy(update={"sources": tmp_path / "sources", "notify": tmp_path / "notify.yml"})


def test_a_night_of_failures_leaves_no_secret_anywhere(
    installed: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with night_log(NIGHT, installed):
        run_steps(NIGHT, None, installed)
        flow.tell(settings=installed)
    told = {}
    for name in [*ANSWERS, "gone", "in-address"]:
        try:
            flow.extract(name, NIGHT, settings=installed)
        except DtiError as fault:
            told[name] = repr(fault) + str(fault.__cause__) + str(fault.args)
    assert told.keys() == {*ANSWERS, "gone", "in-address"} - {"graph-warns"}, "each of them failed, in our words"
    assert "redirected to" in told["led-away"]

    home = installed.home_dir
    kept = json.loads((home / "secrets.json").read_text())
    assert (home / "secrets.json").stat().st_mode & 0o777 == 0o600
    ours = {form for secret in kept.values() for form in spellings(secret)}
    out, err = capfd.readouterr()
    logged = "\n".join(each.getMessage() + str(each.exc_text) for each in caplog.records if each.name != "werkzeug")
    said = [("errors", str(told)), ("output", out), ("error output", err), ("log", logged)]
    postgres = home / "postgres"
    places = [
        *said,
        *searching.files(home, but=[home / "secrets.json", postgres]),
        *searching.files((postgres / "data" / "log").resolve()),
        *searching.files(tmp_path / "tmp"),
    ]
    with connect.connect(installed, "owner") as connection:
        tables = dict(searching.rows(connection))
    places += tables.items()
    assert searching.found(SECRETS | ours | {"canary"} - {"canary-client"}, places) == []
    assert "is refused" in tables["ops.notice"] or len(tables["ops.notice"]) > 100, "people were told of causes"
    assert searching.found(["led-away"], places), "what is there to be found is found"
    watched = [(place, text) for place, text in places if place.endswith(".jsonl")]
    assert len(searching.found(["led-away"], watched)) == 2, "lineage and the night's log tell of it too"
    assert tables["ops.notice_told"] or "channel_failed/chat" in tables["ops.notice"]
