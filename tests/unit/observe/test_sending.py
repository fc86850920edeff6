"""Lineage events in their file, and an endpoint that hangs, is away, or refuses."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import pytest
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti.observe import sending
from dti.settings import Settings
from tests.builders.watching import hanging

NIGHT = "2026-06-30"
SLACK_SECONDS = 4.0
"""Beyond the patience of one process, on a busy machine."""


def event(name: str = "extract.x") -> RunEvent:
    moment = datetime.now(UTC).isoformat()
    return RunEvent(eventTime=moment, run=Run(str(uuid4())), job=Job("dti", name), eventType=RunState.START)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No endpoint is configured, and none is remembered."""
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(name)
    sending._endpoint.cache_clear()
    yield
    sending._endpoint.cache_clear()


def kept(settings: Settings) -> list[dict]:
    return [json.loads(line) for line in sending.events_file(NIGHT, settings).read_text("utf-8").splitlines()]


def some_events(settings: Settings, count: int) -> float:
    began = time.monotonic()
    for _ in range(count):
        sending.send(event(), NIGHT, settings)
        sending.flush()
    return time.monotonic() - began


@pytest.mark.parametrize("away", ["hangs", "is not there", "fails"])
def test_an_endpoint_that(
    away: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    httpserver.expect_request("/api/v1/lineage").respond_with_data("no", status=500)
    with hanging() as url, caplog.at_level(logging.WARNING):
        place = {"hangs": url, "is not there": "http://127.0.0.1:9", "fails": httpserver.url_for("").rstrip("/")}[away]
        monkeypatch.setenv("OPENLINEAGE_URL", place)
        monkeypatch.setenv("OPENLINEAGE_API_KEY", "very-secret-4711")
        spent = some_events(settings, 20)
    assert spent < sending.PATIENCE_SECONDS + SLACK_SECONDS, "it costs a process its patience once, and no more"
    assert len(kept(settings)) == 20, "the file has what the endpoint missed"
    told = [record.getMessage() for record in caplog.records]
    assert len([text for text in told if "gets no more events of this process" in text]) == 1
    assert "very-secret" not in caplog.text


def test_an_endpoint_that_answers_gets_every_event_in_order(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    came: list[dict] = []

    def take(request: Request) -> Response:
        came.append(json.loads(request.get_data()))
        assert request.headers["Authorization"] == "Bearer key"
        return Response("", 201)

    httpserver.expect_request("/api/v1/lineage", method="POST").respond_with_handler(take)
    monkeypatch.setenv("OPENLINEAGE_URL", httpserver.url_for("").rstrip("/"))
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "key")
    some_events(settings, 5)
    httpserver.check()
    assert [each["run"]["runId"] for each in came] == [each["run"]["runId"] for each in kept(settings)]


def test_a_configuration_file_of_openlineage_is_obeyed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {"transport": {"type": "file", "log_file_path": str(tmp_path / "theirs.jsonl"), "append": True}}
    (tmp_path / "openlineage.yml").write_text(json.dumps(given))
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(tmp_path / "openlineage.yml"))
    some_events(settings, 3)
    assert len((tmp_path / "theirs.jsonl").read_text().splitlines()) == len(kept(settings)) == 3


def write_many(home: str) -> None:
    settings = Settings(home=Path(home))
    for _ in range(20):
        sending.send(event("x" * 30_000), NIGHT, settings)


def test_lines_of_several_processes_stay_whole(settings: Settings) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("fork")) as pool:
        list(pool.map(write_many, [str(settings.home_dir)] * 3))
    assert len(kept(settings)) == 60


def test_a_line_that_a_killed_process_left_half_written_spoils_no_other(settings: Settings) -> None:
    some_events(settings, 1)
    path = sending.events_file(NIGHT, settings)
    with path.open("a") as file:
        file.write('{"half": ')
    some_events(settings, 1)
    first, torn, last = path.read_text("utf-8").splitlines()
    assert torn == '{"half": '
    assert json.loads(first)["run"] != json.loads(last)["run"]


def test_files_are_bounded_in_size_and_number(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MAX_BYTES", 2_000)
    monkeypatch.setattr(sending, "KEPT_FILES", 4)
    some_events(settings, 20)
    folder = sending.events_file(NIGHT, settings).parent
    assert sorted(path.name for path in folder.glob("events*")) == [
        "events-2026-06-30.1.jsonl",
        "events-2026-06-30.jsonl",
    ]
    assert all(path.stat().st_size < 3_000 for path in folder.glob("events*"))
    for day in range(1, 10):
        sending.send(event(), f"2026-07-{day:02d}", settings)
    assert len(list(folder.glob("events*"))) == 4
    with closing(sending.events_file("2026-07-09", settings).open()) as newest:
        assert newest.read()
