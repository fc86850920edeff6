"""What agencies' systems answer: JSON lists in every style of paging, and ranges of Prometheus, whole and damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti.settings import Settings
from dti.sources.model import Source
from dti.sources.spec import parse_source
from dti.sources.window import Window
from tests.unit.hostile.junk import JSON, NASTY, SCALARS, broken, scratched
from tests.unit.hostile.landed import landed
from tests.unit.hostile.profiles import fuzz
from tests.unit.sources.agency import DOSSIERS, WINDOW, dossier, minute

STYLES = ("none", "page", "cursor", "keyset")
RECORDS = [dossier(n, minute(n)) for n in range(3)]
LIST = {"data": RECORDS, "total": 3, "next": None}
METRIC = {"__name__": "up", "job": "node", "rack": "r1"}
START = int(WINDOW.until.timestamp()) - 4 * 3600
HOURS = Window(WINDOW.night, minute(0).fromtimestamp(START, minute(0).tzinfo), WINDOW.until)
SERIES = {"metric": METRIC, "values": [[START + 3600 * n, "0.5"] for n in range(4)]}
RANGE = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [SERIES, {**SERIES, "metric": {"job": "db"}}]},
    "warnings": ["slow"],
}
ERROR = {"status": "error", "errorType": "bad_data", "error": "parse error"}
CURSORS = ["http://[", "//", "?cursor=", "/?cursor=a&cursor=b", "http://x/?cursor=%00", "²", "\r\nHost: x", "A" * 9_000]

Build = Callable[..., Source]


def written(documents: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return documents.map(lambda document: json.dumps(document).encode())


def bodies(sound: list[Any]) -> st.SearchStrategy[bytes]:
    """Sound documents with wrong things in them, sound text with wrong bytes, and any JSON at all."""
    whole = [json.dumps(document, ensure_ascii=False).encode() for document in sound]
    return st.one_of(written(broken(sound)), written(broken(sound)), scratched(whole), written(JSON))


class Wire:
    """A server that gives one body after the other, and the last for ever."""

    def __init__(self, server: HTTPServer) -> None:
        self.answers: list[bytes] = [b""]
        self.url = server.url_for("/x")
        server.expect_request("/x").respond_with_handler(self.answer)
        server.expect_request("/x/api/v1/query_range").respond_with_handler(self.answer)

    def answer(self, _: Request) -> Response:
        body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Response(body, content_type="application/json")


@pytest.fixture
def wire(httpserver: HTTPServer) -> Wire:
    return Wire(httpserver)


@pytest.fixture
def lists(wire: Wire) -> dict[str, Source]:
    """The same agency in every style of paging."""

    def build(style: str) -> Source:
        connector: dict[str, Any] = {
            "type": "rest",
            "address": wire.url,
            "timeout_seconds": 5,
            "retries": 0,
            "paging": {"style": style, "size": 3, "total_path": "total", "max_pages": 6, "max_passes": 2},
        }
        if style == "keyset":
            connector["change_time"] = {"since_param": "since", "field": "CapNhat"}
        return parse_source(yaml.safe_dump(DOSSIERS | {"connector": connector}), "dossiers.yml", {})

    return {style: build(style) for style in STYLES}


@pytest.fixture
def centre(wire: Wire) -> Source:
    text = {
        "source": "centre", "feed": "data_centre", "agency": "a", "owner": "o", "licence": "l",
        "unit": {"fixed": "P34-66"}, "fields": {"data_centre_id": "job"},
        "connector": {
            "type": "prometheus", "address": wire.url, "step_seconds": 3600, "retries": 0,
            "queries": [{"measure": "up_share", "promql": "avg(up)"}],
        },
    }  # fmt: skip
    return parse_source(yaml.safe_dump(text), "centre.yml", {})


EMPTY = json.dumps({"data": [], "total": 3}).encode()


@fuzz(60, 1800, style=st.sampled_from(STYLES), answers=st.lists(bodies([LIST]), min_size=1, max_size=3))
def test_a_list(style: str, answers: list[bytes], wire: Wire, lists: dict[str, Source], settings: Settings) -> None:
    wire.answers = [*answers, EMPTY]
    landed(lists[style], WINDOW, settings)


@fuzz(40, 900, style=st.sampled_from(STYLES), values=st.lists(st.tuples(st.sampled_from(sorted(RECORDS[0])), SCALARS)))
def test_a_value_of_a_record(
    style: str, values: list[Any], wire: Wire, lists: dict[str, Source], settings: Settings
) -> None:
    """Single values, so that the pull comes to its end more often than not."""
    records = [record | {name: value} for record, (name, value) in zip(RECORDS, values, strict=False)]
    body = json.dumps({"data": [*records, *RECORDS[len(records) :]]}).encode()
    wire.answers = [body, EMPTY, body, EMPTY] if style == "page" else [body, EMPTY]
    landed(lists[style], WINDOW, settings)


@fuzz(30, 500, cursor=st.sampled_from([*NASTY, *CURSORS]) | SCALARS | JSON, total=SCALARS)
def test_a_cursor_and_a_total(
    cursor: Any, total: Any, wire: Wire, lists: dict[str, Source], settings: Settings
) -> None:
    wire.answers = [json.dumps({"data": RECORDS, "next": cursor, "total": total}).encode(), EMPTY]
    landed(lists["cursor"], WINDOW, settings)


@fuzz(60, 1200, answer=bodies([RANGE, RANGE, ERROR]))
def test_a_range_of_prometheus(answer: bytes, wire: Wire, centre: Source, settings: Settings) -> None:
    wire.answers = [answer]
    landed(centre, HOURS, settings)


@fuzz(30, 500, time=SCALARS | st.floats(0, 4e9), value=SCALARS | st.floats().map(str), label=SCALARS)
def test_a_sample_of_prometheus(
    time: Any, value: Any, label: Any, wire: Wire, centre: Source, settings: Settings
) -> None:
    series = {"metric": {"job": label}, "values": [[time, value], [START, "1"]]}
    wire.answers = [json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [series]}}).encode()]
    landed(centre, HOURS, settings)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"data":' * 50_000,
        b'{"data": [{"MaHoSo": ' + b"9" * 10_000 + b"}]}",
        b'{"data": [' + b"{}," * 1_000 + b"{}]}",
        b'{"data": [{"MaHoSo": "\\u0000\\ud800"}]}',
        b"\xff\xfe{\x00}\x00",
        b"\x00" * 1_000,
        b'{"data": {"a": 1}}',
    ],
)
@pytest.mark.parametrize("style", STYLES)
def test_json_that_would_take_the_reader_down_is_refused(
    style: str, body: bytes, wire: Wire, lists: dict[str, Source], settings: Settings
) -> None:
    wire.answers = [body]
    assert landed(lists[style], WINDOW, settings) is None
