"""Review as a whole: what it writes, where the request goes, and what happens when it is repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dti.annual.model import RequestError
from dti.annual.request import get_request, move
from dti.annual.review import ChecksFailed, review
from dti.settings import Settings
from dti.warehouse.connect import engine
from tests.builders.candidates import DAK_LAK, HA_NOI, Desk
from tests.builders.object_store import ObjectStore

BEFORE = {(DAK_LAK, "n"): 50, (HA_NOI, "n"): 60}
FAR = BEFORE | {(DAK_LAK, "n"): 80}


def prepare(settings: Settings, after: Mapping[tuple[str, str], object], **request: Any) -> None:
    """A night, and a candidate with its request, for good."""
    with engine(settings, "loader").begin() as connection:
        desk = Desk(connection, settings)
        desk.run("night-2026-12-31", BEFORE)
        desk.request(desk.run("annual-2026-r1", after), **request)


def ask(settings: Settings, query: str) -> list[Any]:
    with engine(settings, "analyst").connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def to(settings: Settings, status: Any, **columns: Any) -> None:
    with engine(settings, "loader").begin() as connection:
        move(connection, "2026-r1", status, **columns)


def test_a_candidate_that_passes_waits_for_a_person(warehouse: Settings) -> None:
    prepare(warehouse, BEFORE | {(HA_NOI, "n"): 61})
    found = review("2026-r1", settings=warehouse)
    folder = warehouse.home_dir / "annual" / "2026-r1"
    assert found.request == get_request("2026-r1", settings=warehouse)
    assert found.request.status == "waiting"
    assert found.request.compared_with == {"publication_id": None, "night_run_id": "night-2026-12-31"}
    assert found.report == str(folder / "report.html")
    assert (folder / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    written = json.loads((folder / "difference.json").read_text("utf-8"))
    assert [move["unit_id"] for move in written["night"]["moves"]] == [HA_NOI, HA_NOI]
    assert sorted(path.name for path in folder.iterdir()) == ["difference.json", "report.html", "summary.md"]
    assert "Hà Nội" not in found.summary_md, "its rank did not change"
    assert ask(warehouse, "select status, decision from marts.annual_request") == [("waiting", None)]
    assert ask(warehouse, "select count(*), count(distinct position) from marts.annual_check") == [(7, 7)]


def test_in_an_object_store_its_files_are_there(
    warehouse: Settings, object_store: ObjectStore, store_keys: None
) -> None:
    prepare(warehouse, BEFORE)
    in_store = object_store.settings(warehouse)
    found = review("2026-r1", settings=in_store)
    assert found.report == f"{in_store.store_url}/annual/2026-r1/report.html"
    files = [f"annual/2026-r1/{name}" for name in ("difference.json", "report.html", "summary.md")]
    assert object_store.keys(in_store) == files
    assert object_store.read(in_store, files[2]).decode() == found.summary_md
    to(warehouse, "rejected")
    assert review("2026-r1", settings=in_store).summary_md == found.summary_md, "as it was read there"


def test_reviewed_again_it_says_the_same(warehouse: Settings) -> None:
    prepare(warehouse, BEFORE)
    first = review("2026-r1", settings=warehouse)
    Path(first.report).unlink()
    second = review("2026-r1", settings=warehouse)
    assert Path(second.report).is_file()
    assert second.model_dump(exclude={"request"}) == first.model_dump(exclude={"request"})
    assert ask(warehouse, "select count(*) from marts.annual_check") == [(7,)]


def test_a_failed_check_ends_the_request_and_leaves_candidate_and_report(warehouse: Settings) -> None:
    prepare(warehouse, FAR)
    for _ in ("first", "repeated by the scheduler"):
        with pytest.raises(ChecksFailed) as stopped:
            review("2026-r1", settings=warehouse)
        for needed in ("index_moves_explained", "Đắk Lắk", "accept index_moves_explained", "report.html"):
            assert needed in str(stopped.value), needed
        request = get_request("2026-r1", settings=warehouse)
        assert (request.status, request.status_reason) == ("failed", "checks failed: index_moves_explained")
    assert (warehouse.home_dir / "annual" / "2026-r1" / "report.html").is_file()
    assert ask(warehouse, "select run_id from marts.run where kind = 'annual'") == [("annual-2026-r1",)]


def test_a_failed_check_that_is_accepted_stops_nothing(warehouse: Settings) -> None:
    prepare(warehouse, FAR, accepted_checks=["index_moves_explained"])
    found = review("2026-r1", settings=warehouse)
    assert found.request.status == "waiting"
    assert {check.status for check in found.checks if check.check_name == "index_moves_explained"} == {"accepted"}


def test_a_check_of_the_facts_that_failed_stops_it_too(warehouse: Settings) -> None:
    prepare(warehouse, BEFORE)
    with engine(warehouse, "loader").begin() as connection:
        connection.execute(
            text("insert into annual.check_result values ('2026-r1', 3, 'totals_reconcile', 'failed', 'no', '[]')")
        )
    with pytest.raises(ChecksFailed, match="totals_reconcile"):
        review("2026-r1", settings=warehouse)


def test_after_the_decision_the_review_is_given_as_it_was(warehouse: Settings) -> None:
    prepare(warehouse, BEFORE)
    first = review("2026-r1", settings=warehouse)
    to(warehouse, "approved")
    with engine(warehouse, "loader").begin() as connection:
        Desk(connection, warehouse).run("night-2026-12-31", FAR)
    second = review("2026-r1", settings=warehouse)
    assert second.request.status == "approved"
    assert second.difference.model_dump() == first.difference.model_dump()
    assert second.summary_md == first.summary_md


@pytest.mark.parametrize(("status", "remedy"), [("requested", "compute it first"), ("withdrawn", "ask anew")])
def test_without_a_candidate_there_is_nothing_to_review(warehouse: Settings, status: Any, remedy: str) -> None:
    prepare(warehouse, BEFORE)
    to(warehouse, status)
    with pytest.raises(RequestError, match=remedy):
        review("2026-r1", settings=warehouse)
    with pytest.raises(RequestError, match="no such request"):
        review("2099-r1", settings=warehouse)
