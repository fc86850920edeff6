"""The Prometheus API: its grid, its limits, its warnings and its errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti import clock
from dti.errors import SourceError, SourceMalformed, SourceRefused, SourceUnreachable
from dti.sources.model import Source
from dti.sources.spec import parse_source
from dti.sources.window import Window
from tests.unit.sources.agency import NIGHT, WINDOW

START = clock.day_start(NIGHT)
DAY = Window(NIGHT, START, clock.day_end(NIGHT))


def build(httpserver: HTTPServer, **connector: Any) -> Source:
    settings = {
        "type": "prometheus",
        "address": httpserver.url_for("/prom/"),
        "step_seconds": 300,
        "retries": 0,
        "queries": [{"measure": "up_share", "promql": "avg(up)"}],
    }
    text = {
        "source": "centre",
        "feed": "data_centre",
        "agency": "a",
        "owner": "o",
        "licence": "l",
        "unit": {"fixed": "P34-66"},
        "connector": settings | connector,
        "fields": {"data_centre_id": "job"},
    }
    return parse_source(yaml.safe_dump(text), "centre.yml", {})


class Prometheus:
    """Answers query_range with one sample a step, and refuses more points than a real server does."""

    def __init__(
        self, httpserver: HTTPServer, limit: int = 11_000, value: Callable[[int], str] = lambda _: "1"
    ) -> None:
        self.limit, self.value = limit, value
        self.ranges: list[tuple[int, int]] = []
        httpserver.expect_request("/prom/api/v1/query_range").respond_with_handler(self.handle)

    def handle(self, request: Request) -> Response:
        start, end, step = (int(request.args[name]) for name in ("start", "end", "step"))
        times = range(start, end + 1, step)
        if len(times) > self.limit:
            error = {"status": "error", "errorType": "bad_data", "error": "exceeded maximum resolution of points"}
            return Response(json.dumps(error), status=400, content_type="application/json")
        self.ranges.append((start, end))
        series = {
            "metric": {"__name__": "up", "job": "node", "rack": "r1"},
            "values": [[t, self.value(t)] for t in times],
        }
        body = {"status": "success", "data": {"resultType": "matrix", "result": [series]}}
        return Response(json.dumps(body), content_type="application/json")


def test_a_day_is_every_grid_time_once(httpserver: HTTPServer, pull: Callable[..., Any]) -> None:
    Prometheus(httpserver)
    rows, stats = pull(build(httpserver), window=DAY)
    expected = [(START + timedelta(seconds=300 * n)).isoformat() for n in range(288)]
    assert [row["sampled_at"] for row in rows] == expected
    assert rows[0] | {"source_row": ""} == {
        "unit": "P34-66",
        "data_centre_id": "node",
        "measure": "up_share",
        "sampled_at": expected[0],
        "step_seconds": "300",
        "value": "1",
        "source_row": "",
    }
    assert stats.unmapped_fields == {"rack"}


@pytest.mark.parametrize("points", [1, 7, 288, 300])
def test_no_range_passes_the_servers_point_limit(httpserver: HTTPServer, pull: Callable[..., Any], points: int) -> None:
    server = Prometheus(httpserver, limit=points)
    rows, _ = pull(build(httpserver, max_points=points), window=DAY)
    assert len({row["sampled_at"] for row in rows}) == len(rows) == 288
    assert all(before[1] < after[0] for before, after in zip(server.ranges, server.ranges[1:], strict=False))


def test_a_window_off_the_grid_keeps_the_grid(httpserver: HTTPServer, pull: Callable[..., Any]) -> None:
    Prometheus(httpserver)
    odd = Window(NIGHT, START + timedelta(seconds=1), START + timedelta(seconds=900))
    rows, _ = pull(build(httpserver), window=odd)
    assert [row["sampled_at"][11:19] for row in rows] == ["00:05:00", "00:10:00"]


def test_nothing_is_asked_of_the_future(
    httpserver: HTTPServer, pull: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Prometheus(httpserver)
    monkeypatch.setattr(clock, "now", lambda: START + timedelta(minutes=12))
    rows, _ = pull(build(httpserver), window=DAY)
    assert [row["sampled_at"][11:16] for row in rows] == ["00:00", "00:05", "00:10"]
    monkeypatch.setattr(clock, "now", lambda: START - timedelta(days=1))
    assert pull(build(httpserver), window=DAY)[0] == []
    assert len(server.ranges) == 1


def test_warnings_infos_and_missing_numbers_are_told(httpserver: HTTPServer, pull: Callable[..., Any]) -> None:
    values = [[int(START.timestamp()) + 300 * n, text] for n, text in enumerate(["0.5", "NaN", "+Inf", "1e-3", "0.1"])]
    body = {
        "status": "success",
        "data": {"resultType": "matrix", "result": [{"metric": {"job": "node"}, "values": values}]},
        "warnings": ["results may be incomplete: store x is down"],
        "infos": ["metric might not be a counter"],
    }
    httpserver.expect_request("/prom/api/v1/query_range").respond_with_json(body)
    rows, stats = pull(build(httpserver), window=DAY)
    assert [row["value"] for row in rows] == ["0.5", "0.001", "0.1"]
    assert stats.warnings == [
        "up_share: warning of Prometheus: results may be incomplete: store x is down",
        "up_share: info of Prometheus: metric might not be a counter",
        "up_share: 2 sample(s) without a number (NaN or Inf) left out, of {job=node}",
    ]


def test_a_measure_without_any_sample_is_told(httpserver: HTTPServer, pull: Callable[..., Any]) -> None:
    body = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    httpserver.expect_request("/prom/api/v1/query_range").respond_with_json(body)
    rows, stats = pull(build(httpserver), window=DAY)
    assert rows == []
    assert stats.warnings == ["up_share: no sample at all; the series may have been renamed"]


def far_off(time: float) -> dict[str, Any]:
    """A sample at a time that no calendar reaches; the first is one at which Python raises OSError."""
    data = {"resultType": "matrix", "result": [{"metric": {"job": "a"}, "values": [[time, "1"]]}]}
    return {"status": "success", "data": data}


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (
            400,
            {"status": "error", "errorType": "bad_data", "error": "parse error at char 5"},
            SourceMalformed,
            "bad_data: parse",
        ),
        (
            422,
            {"status": "error", "errorType": "execution", "error": "many-to-many"},
            SourceMalformed,
            "execution: many",
        ),
        (
            503,
            {"status": "error", "errorType": "timeout", "error": "query timed out"},
            SourceUnreachable,
            "timeout: query",
        ),
        (401, {"status": "error", "errorType": "auth", "error": "who are you"}, SourceRefused, "auth: who"),
        (
            200,
            {"status": "success", "data": {"resultType": "vector", "result": []}},
            SourceMalformed,
            "no range of samples",
        ),
        (200, {"status": "success", "data": {"resultType": "matrix", "result": [1]}}, SourceMalformed, "no range"),
        (200, far_off(67_768_036_191_676_800), SourceMalformed, "no range"),
        (200, far_off(1e300), SourceMalformed, "no range"),
        (502, None, SourceUnreachable, "HTTP 502"),
    ],
)
def test_errors_speak_with_prometheus_own_words(
    httpserver: HTTPServer, pull: Callable[..., Any], status: int, body: Any, kind: type, message: str
) -> None:
    handler = httpserver.expect_request("/prom/api/v1/query_range")
    if body is None:
        handler.respond_with_data("<html>bad gateway</html>", status=status, content_type="text/html")
    else:
        handler.respond_with_json(body, status=status)
    with pytest.raises(SourceError, match=message) as caught:
        pull(build(httpserver), window=DAY)
    assert type(caught.value) is kind
    assert "/prom" in caught.value.where


def test_two_readings_of_a_sample_have_one_key(httpserver: HTTPServer, pull: Callable[..., Any]) -> None:
    Prometheus(httpserver)
    first, _ = pull(build(httpserver), window=Window(NIGHT, START - timedelta(seconds=77), clock.day_end(NIGHT)))
    second, _ = pull(build(httpserver), window=DAY)
    assert {row["sampled_at"] for row in second} <= {row["sampled_at"] for row in first}
    assert datetime.fromisoformat(first[0]["sampled_at"]).astimezone(UTC).timestamp() % 300 == 0
    assert WINDOW.since < DAY.since
