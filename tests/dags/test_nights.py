"""Which night a run is for, and which runs of the index wait for the one at 02:30."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest


def vn(text: str) -> datetime:
    """A moment given in Vietnamese time, as Airflow hands it over: in UTC."""
    return datetime.fromisoformat(f"{text}+07:00").astimezone(UTC)


def night_of(context: dict) -> date:
    from dti_airflow import nights

    return nights.night_of(context)


def nights_to_compute(context: dict, behind: Sequence[date] = ()) -> list[date]:
    """``behind``: all nights whose index lacks something."""
    from dti_airflow import nights

    return nights.nights_to_compute(context, lambda year, end: [n for n in behind if n.year == year and n < end])


def run(moment: str, *, night: str | None = None, kind: str = "scheduled", events: list[dict] | None = None) -> dict:
    return {
        "params": {"night": night},
        "dag_run": SimpleNamespace(run_after=vn(moment), run_type=kind),
        "triggering_asset_events": {"feed": [SimpleNamespace(extra=extra) for extra in events or []]},
    }


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-07-01T01:00", date(2026, 6, 30)),
        ("2026-07-01T06:59", date(2026, 6, 30)),  # still 30 June in UTC
        ("2026-07-01T23:59", date(2026, 6, 30)),
        ("2026-01-01T00:00", date(2025, 12, 31)),
    ],
)
def test_the_night_is_the_vietnamese_day_before_the_run(moment, expected):
    assert night_of(run(moment)) == expected


def test_a_night_that_is_asked_for_wins():
    assert night_of(run("2026-07-01T01:00", night="2026-03-05")) == date(2026, 3, 5)


def test_the_run_by_the_clock_computes_the_night_before():
    assert nights_to_compute(run("2026-07-01T02:30")) == [date(2026, 6, 30)]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-07-01T01:12", []),
        ("2026-07-01T02:29:59", []),
        ("2026-07-01T02:30", [date(2026, 6, 30)]),
        ("2026-07-01T09:00", [date(2026, 6, 30)]),
        ("2026-06-30T22:00", [date(2026, 6, 30)]),  # pulled by hand before the day is over: a first look
        ("2026-11-24T01:30", [date(2026, 6, 30)]),  # an old night, pulled again: the newest follows at 02:30
        ("2026-11-24T09:00", [date(2026, 6, 30), date(2026, 11, 23)]),  # and now it is counted in at once
        ("2027-01-05T09:00", [date(2026, 6, 30)]),  # of a year that is over
    ],
)
def test_a_changed_feed_computes_its_night_unless_the_regular_run_is_still_to_come(moment, expected):
    events = [{"night": "2026-06-30"}, {"night": "2026-06-30"}]
    assert nights_to_compute(run(moment, kind="asset_triggered", events=events)) == expected


def test_feeds_of_several_nights_compute_each_of_them_once_oldest_first():
    events = [{"night": "2026-06-30"}, {"night": "2026-06-28"}, {"night": "2026-06-30"}]
    found = nights_to_compute(run("2026-07-01T09:00", kind="asset_triggered", events=events))
    assert found == [date(2026, 6, 28), date(2026, 6, 30)]


def test_an_event_that_someone_made_by_hand_means_the_night_before():
    assert nights_to_compute(run("2026-07-01T09:00", kind="asset_triggered", events=[{}])) == [date(2026, 6, 30)]


BEHIND = [date(2025, 6, 3), date(2026, 6, 3), date(2026, 7, 3)]


def test_the_run_by_the_clock_makes_up_for_nights_of_its_year_whose_index_is_behind():
    assert nights_to_compute(run("2026-07-01T02:30"), BEHIND) == [date(2026, 6, 3), date(2026, 6, 30)]
    for kind in ("manual", "backfill"):
        assert nights_to_compute(run("2026-07-01T02:30", kind=kind), BEHIND) == [date(2026, 6, 30)]


@pytest.mark.parametrize(
    ("moment", "named", "expected"),
    [
        ("2026-07-01T09:00", "2026-06-04", ["2026-06-03", "2026-06-04", "2026-06-30"]),
        ("2026-07-01T01:00", "2026-06-04", ["2026-06-03", "2026-06-04"]),
        ("2026-07-01T09:00", "2025-06-04", ["2025-06-03", "2025-06-04"]),
        ("2026-07-01T09:00", "2026-06-30", ["2026-06-30"]),
        ("2026-07-01T01:00", "2026-06-30", []),
    ],
)
def test_an_earlier_night_brings_those_of_its_year_that_are_behind_and_the_newest(moment, named, expected):
    found = nights_to_compute(run(moment, kind="asset_triggered", events=[{"night": named}]), BEHIND)
    assert found == [date.fromisoformat(night) for night in expected]


def test_of_the_nights_a_backfill_names_only_those_that_lack_something_are_computed():
    events = [{"night": "2026-06-03", "backfill": True}, {"night": "2026-06-04", "backfill": True}]
    found = nights_to_compute(run("2026-07-01T09:00", kind="asset_triggered", events=events), BEHIND)
    assert found == [date(2026, 6, 3), date(2026, 6, 30)]
    newest = [{"night": "2026-06-30", "backfill": True}]
    assert nights_to_compute(run("2026-07-01T09:00", kind="asset_triggered", events=newest)) == [date(2026, 6, 30)]
