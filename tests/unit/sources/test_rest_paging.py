"""Lists are read whole, and each record once, whatever the agency does to them meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti.errors import SourceMalformed, SourceUnstable
from tests.unit.sources.agency import Agency, dossier, minute

PAGE = {"style": "page", "size": 3}


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["dossier_id"] for row in rows]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7, 20])
@pytest.mark.parametrize("style", ["keyset", "page"])
def test_a_still_list_of_any_length_is_read_once(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any], count: int, style: str
) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(count)]
    rows, stats = pull(rest_source(paging={"style": style, "size": 3, "total_path": "total"}))
    assert ids(rows) == [f"HS-{n:05}" for n in range(count)]
    assert stats.warnings == []


def test_a_page_size_above_what_the_agency_gives_loses_nothing(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.cap = 4
    agency.records = [dossier(n, minute(n)) for n in range(11)]
    for style in ("keyset", "page"):
        rows, _ = pull(rest_source(paging={"style": style, "size": 500}))
        assert len(ids(rows)) == len(set(ids(rows))) == 11


def test_keyset_pages_within_one_change_time(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.records = [dossier(n, minute(5)) for n in range(8)] + [dossier(n, minute(n)) for n in range(8, 12)]
    rows, _ = pull(rest_source())
    assert sorted(ids(rows)) == [f"HS-{n:05}" for n in range(12)]


def test_keyset_loses_nothing_when_a_record_of_a_crowded_change_time_moves(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.records = [dossier(n, minute(5)) for n in range(8)] + [dossier(8, minute(9))]
    moves = {4: 0, 6: 2}
    agency.before_answer = lambda question: agency.touch(moves.pop(question)) if question in moves else None
    rows, stats = pull(rest_source(paging={"style": "keyset", "size": 3, "max_passes": 6}))
    assert sorted(ids(rows)) == [f"HS-{n:05}" for n in range(9)]
    assert {row["dossier_id"] for row in rows if row["status_code"] == "9"} == {"HS-00000", "HS-00002"}
    assert stats.passes_count > 1


def test_keyset_refuses_a_crowded_change_time_without_paging(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.honours_page, agency.total = False, lambda _: None
    agency.records = [dossier(n, minute(5)) for n in range(8)]
    with pytest.raises(SourceMalformed, match=r"share one change time.*raise paging.size"):
        pull(rest_source())
    rows, _ = pull(rest_source(paging={"style": "keyset", "size": 50}))
    assert len(rows) == 8


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    times=st.lists(st.integers(0, 6), min_size=1, max_size=14),
    moves=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 13)), max_size=5),
    style=st.sampled_from(["keyset", "page"]),
)
@example(times=[0, 0, 0, 3, 0, 0, 0, 0, 3, 3], moves=[(1, 0), (11, 3)], style="keyset")
def test_no_record_is_lost_or_doubled_under_any_moves(
    httpserver: HTTPServer,
    rest_source: Callable[..., Any],
    pull: Callable[..., Any],
    times: list[int],
    moves: list[tuple[int, int]],
    style: str,
) -> None:
    httpserver.clear()
    agency = Agency([dossier(n, minute(t)) for n, t in enumerate(times)])
    httpserver.expect_request("/dossiers").respond_with_handler(agency.handle)

    def move(question: int) -> None:
        for at, index in moves:
            if at == question and index < len(times):
                agency.touch(index)

    agency.before_answer = move
    rows, _ = pull(rest_source(paging={"style": style, "size": 3, "max_passes": 9}))
    assert sorted(ids(rows)) == [f"HS-{n:05}" for n in range(len(times))]
    # Two equal readings take half of the questions each at most: what moved before the last one is seen moved.
    moved = {f"HS-{index:05}" for at, index in moves if at <= len(agency.questions) // 2 and index < len(times)}
    assert moved <= {row["dossier_id"] for row in rows if row["status_code"] == "9"}


def test_a_list_that_never_stands_still_is_given_up(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(8)]
    agency.before_answer = lambda question: agency.touch(question % 8)
    with pytest.raises(SourceUnstable, match=r"dossiers: http://.*/dossiers: .*4 readings.*keyset"):
        pull(rest_source(paging=PAGE))


@pytest.mark.parametrize("style", ["keyset", "page", "cursor"])
def test_a_list_that_never_ends_is_given_up(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any], style: str
) -> None:
    asked = []

    def endless(_: Request) -> Response:
        asked.append(1)
        records = [dossier(3 * len(asked) + n, minute(3 * len(asked) + n)) for n in range(3)]
        return Response(json.dumps({"data": records, "next": f"c{len(asked)}"}), content_type="application/json")

    httpserver.expect_request("/dossiers").respond_with_handler(endless)
    with pytest.raises(SourceMalformed, match=r"goes on beyond 20 pages"):
        pull(rest_source(paging={"style": style, "size": 3, "max_pages": 20}))


def test_an_agency_that_ignores_the_page_number_is_found_out(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.honours_page = False
    agency.records = [dossier(n, minute(n)) for n in range(8)]
    with pytest.raises(SourceMalformed, match=r"repeats the page before"):
        pull(rest_source(paging=PAGE))


def test_an_agency_that_ignores_the_start_is_found_out(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    first = [dossier(n, minute(n)) for n in range(3)]
    httpserver.expect_request("/dossiers").respond_with_json({"data": first})
    with pytest.raises(SourceMalformed, match=r"lies before the start that was asked for.*'since'"):
        pull(rest_source())


def test_an_unsorted_list_is_found_out(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    httpserver.expect_request("/dossiers").respond_with_json({"data": [dossier(1, minute(2)), dossier(2, minute(1))]})
    with pytest.raises(SourceMalformed, match=r"page 1, record 2 lies before the record above"):
        pull(rest_source())


@pytest.mark.parametrize("style", ["keyset", "page"])
def test_a_total_too_small_stops_nothing_and_one_too_large_is_told(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any], style: str
) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(8)]
    paging = {"style": style, "size": 3, "total_path": "total"}
    agency.total = lambda _: 2
    rows, _ = pull(rest_source(paging=paging))
    assert len(rows) == 8
    agency.total = lambda count: count + 5
    if style == "page":
        with pytest.raises(SourceMalformed, match=r"truncated list.*remove paging.total_path"):
            pull(rest_source(paging=paging))
    else:
        assert pull(rest_source(paging=paging))[1].warnings == ["the agency said there were 13 records and gave 8"]


def test_cursor_follows_tokens_and_refuses_a_circle(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    pages = {None: ([1, 2], "/dossiers?cursor=b"), "b": ([], "c"), "c": ([3], None)}

    def handle(request: Request) -> Response:
        numbers, following = pages[request.args.get("cursor")]
        body = {"data": [dossier(n, minute(n)) for n in numbers], "next": following}
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/dossiers").respond_with_handler(handle)
    rows, _ = pull(rest_source(paging={"style": "cursor"}))
    assert ids(rows) == ["HS-00001", "HS-00002", "HS-00003"]
    pages["c"] = ([3], "b")
    with pytest.raises(SourceMalformed, match=r"never ends"):
        pull(rest_source(paging={"style": "cursor"}))


def test_change_times_are_asked_in_the_agencys_own_format(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    records = [
        dossier(n, minute(n), CapNhat=(minute(n * 400) + timedelta(hours=7)).strftime("%d/%m/%Y %H:%M:%S"))
        for n in range(9)
    ]
    asked = []

    def handle(request: Request) -> Response:
        asked.append(request.args["since"])
        day = [r for r in records if r["CapNhat"][:10].split("/")[::-1] >= request.args["since"].split("/")[::-1]]
        size, page = int(request.args["size"]), int(request.args["page"])
        return Response(json.dumps({"data": day[(page - 1) * size : page * size]}), content_type="application/json")

    httpserver.expect_request("/dossiers").respond_with_handler(handle)
    change_time = {"since_param": "since", "field": "CapNhat", "format": "%d/%m/%Y"}
    rows, _ = pull(rest_source(change_time=change_time))
    assert ids(rows) == [f"HS-{n:05}" for n in range(9)]
    assert asked[0] == "01/01/2026"


def test_repetitions_are_dropped_and_counted_and_contradictions_passed_on(
    agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    twice = dossier(1, minute(1))
    agency.records = [
        twice,
        twice,
        dossier(2, minute(2)),
        dossier(2, minute(2), TrangThaiHoSo=7),
        dossier(3, minute(3)),
    ]
    rows, stats = pull(rest_source(paging={"style": "none"}))
    assert ids(rows) == ["HS-00001", "HS-00002", "HS-00002", "HS-00003"]
    assert stats.warnings == ["1 exact repetition(s) of a record dropped"]


def test_a_list_in_another_place_is_told_apart_from_an_empty_one(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    httpserver.expect_ordered_request("/dossiers").respond_with_json({"data": None})
    httpserver.expect_ordered_request("/dossiers").respond_with_json({"error": "session expired"})
    assert pull(rest_source(paging={"style": "none"}))[0] == []
    with pytest.raises(SourceMalformed, match=r"no list of records at 'data' in the answer; there is: error"):
        pull(rest_source(paging={"style": "none"}))
