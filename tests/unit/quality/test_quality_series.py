"""Volume and distribution: each rule says nothing while a source is new, passes the usual, and names what is not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.unit.quality.conftest import NIGHT

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def statuses(findings):
    return {finding.unit_id or finding.source_id: finding.status for finding in findings}


@pytest.mark.parametrize(("tonight", "status"), [(0, "failed"), (80, "failed"), (95, "passed"), (104, "passed")])
def test_a_list_is_about_as_long_as_before(world, tonight, status):
    world.source("list", "service_catalogue")
    for back in range(1, 12):
        world.batch("list", "service_catalogue", NIGHT - back * DAY, 100)
    world.batch("list", "service_catalogue", rows=tonight)
    assert statuses(world.findings("list_length")) == {"list": status}


def test_a_new_list_and_a_released_row_say_nothing_of_length(world):
    world.nights("new", "service_catalogue", 8)
    world.nights("old", "service_catalogue", 9)
    release = {"released_from": f"old.{NIGHT}.x", "released_rows": "1", "released_by": "me", "release_reason": "so"}
    world.say("set constraints all deferred")
    world.say(
        "update ops.batch set batch_id = :id where source_id = 'old' and night = :night",
        id=f"old.{NIGHT}.x", night=NIGHT,
    )  # fmt: skip
    world.batch(
        "old",
        "service_catalogue",
        rows=1,
        batch_id="release",
        waived_rules=[],
        delivered_at=f"{NIGHT} 23:00+07",
        **release,
    )
    found = world.findings("list_length")
    assert statuses(found) == {"new": "not_judged", "old": "passed"}
    assert next(f.detail for f in found if f.source_id == "new").startswith("cold start: 7 comparable")


def weekly(world, rule, usual, tonight, *, weeks=12, unit="P34-66", since=date(2026, 1, 1), days=1, **fixed):
    """Facts of ``usual(week)`` on the night's weekday of each week before, and of ``tonight``."""
    world.nights("s", "online_services", 1)
    world.say("update ops.batch set since = :since", since=since)
    for back in range(weeks + 1):
        for day in range(days):
            values = tonight if back == 0 else usual
            world.fact("online_services", NIGHT - back * WEEK - day * DAY, unit, **{**fixed, **values})
    return world.findings(rule)


@pytest.mark.parametrize("measure", ["received", "finished"])
@pytest.mark.parametrize(("tonight", "status"), [(0, "failed"), (40, "failed"), (90, "passed"), (300, "failed")])
def test_as_many_dossiers_as_on_this_day_of_other_weeks(world, measure, tonight, status):
    column = f"dossiers_{measure}"
    found = weekly(world, f"dossiers_{measure}", {column: 100}, {column: tonight})
    assert statuses(found) == {"s": status}


def test_a_day_without_any_dossier_is_seen(world):
    world.nights("s", "online_services", 1)
    world.say("update ops.batch set since = '2026-01-01'")
    for back in range(1, 13):
        world.fact("online_services", NIGHT - back * WEEK, dossiers_received=100)
    (found,) = world.findings("dossiers_received")
    assert (found.status, found.detail) == ("failed", "0 where 100 is usual (median of 12)")


def test_days_before_the_source_was_pulled_are_no_zeros(world):
    found = weekly(
        world, "dossiers_received", {"dossiers_received": 100}, {"dossiers_received": 0}, since=NIGHT - 7 * WEEK
    )
    assert statuses(found) == {"s": "not_judged"}
    assert found[0].detail == "cold start: 7 comparable values of the 8 it takes"


def test_a_province_that_falls_silent_within_a_large_source(world):
    loud = {"dossiers_received": 10}
    found = weekly(world, "dossiers_received_in_week", loud, {"dossiers_received": 0}, days=7)
    assert statuses(found) == {"P34-66": "failed"}
    for back in range(13 * 7):
        world.fact("online_services", NIGHT - back * DAY, "P34-68", **loud)
    assert statuses(world.findings("dossiers_received_in_week")) == {"P34-66": "failed", "P34-68": "passed"}


SHARES = {
    "share_online": ("dossiers_online", "dossiers_received"),
    "share_with_fee": ("dossiers_with_fee", "dossiers_received"),
    "share_paid_online": ("dossiers_paid_online", "dossiers_with_fee"),
    "share_digitised": ("dossiers_digitised", "dossiers_received"),
    "share_reusing_data": ("dossiers_reusing_data", "dossiers_received"),
    "share_synchronised": ("dossiers_synchronised", "dossiers_received"),
    "share_on_time": ("dossiers_on_time", "dossiers_finished"),
    "share_electronic_result": ("dossiers_electronic_result", "dossiers_finished"),
}


@pytest.mark.parametrize("rule", SHARES)
def test_a_share_is_as_in_other_weeks(world, rule):
    part, whole = SHARES[rule]
    found = weekly(world, rule, {part: 70, whole: 100}, {part: 10, whole: 100})
    assert statuses(found) == {"s": "failed"}
    assert found[0].detail == "0.1 where 0.7 is usual (median of 12)"
    world.say(f"update facts.online_services set {part} = 66 where day = :night", night=NIGHT)
    assert statuses(world.findings(rule)) == {"s": "passed"}
    world.say(f"update facts.online_services set {part} = 0, {whole} = 29 where day = :night", night=NIGHT)
    assert statuses(world.findings(rule)) == {"s": "not_judged"}


def test_who_has_not_answered_yet_is_neither_satisfied_nor_not(world):
    usual = {"dossiers_satisfied": 90, "dossiers_disliked": 10, "dossiers_finished": 100}
    found = weekly(
        world, "share_satisfied", usual, {"dossiers_satisfied": 36, "dossiers_disliked": 4, "dossiers_finished": 100}
    )
    assert statuses(found) == {"s": "passed"}
    world.say("update facts.online_services set dossiers_disliked = 30 where day = :night", night=NIGHT)
    assert statuses(world.findings("share_satisfied")) == {"s": "failed"}


def test_a_data_centre_is_sampled_as_often_as_before(world):
    world.nights("p", "data_centre", 1)
    world.say("update ops.batch set since = '2026-01-01'")
    rows = [("p", unit, NIGHT - back * DAY, 1000, 86400) for unit in ("P34-66", "P34-68") for back in range(1, 15)]
    rows += [("p", "P34-66", NIGHT, 990, 86400), ("p", "P34-68", NIGHT - 40 * DAY, 1000, 86400)]
    world.lay("sample_day", "source_id text, unit_id text, day date, samples bigint, seconds bigint", *rows)
    found = {finding.unit_id: finding for finding in world.findings("samples_given")}
    assert found["P34-66"].status == "passed"
    assert (found["P34-68"].status, found["P34-68"].detail[:10]) == ("failed", "0 where 10")


@pytest.mark.parametrize(
    ("rule", "usual", "tonight", "fine"),
    [
        ("data_centre_up", {"data_centre_up_seconds": 86000}, {"data_centre_up_seconds": 40000}, 80000),
        ("data_centre_storage", {"storage_utilisation_avg_pct": 40}, {"storage_utilisation_avg_pct": 90}, 45),
        ("data_centre_servers", {"servers_total": 50}, {"servers_total": 20}, 55),
    ],
)
def test_a_data_centre_is_as_before(world, rule, usual, tonight, fine):
    world.nights("s", "data_centre", 1)
    whole = {"data_centre_expected_seconds": 86400}
    for back in range(1, 10):
        world.fact("data_centre", NIGHT - back * DAY, **whole, **usual)
    world.fact("data_centre", **whole, **tonight)
    assert statuses(world.findings(rule)) == {"P34-66": "failed"}
    world.say(f"update facts.data_centre set {next(iter(usual))} = {fine} where day = :night", night=NIGHT)
    assert statuses(world.findings(rule)) == {"P34-66": "passed"}


@pytest.mark.parametrize(
    ("rule", "feed", "column"),
    [("staff_total", "staffing", "staff_total"), ("population_total", "community_teams", "population")],
)
def test_a_report_is_like_those_before(world, rule, feed, column):
    world.nights("s", feed, 1)
    for months in range(1, 4):
        world.fact(feed, NIGHT - 30 * months * DAY, **{column: 1000 + months})
    world.fact(feed, **{column: 700})
    (found,) = world.findings(rule)
    assert (found.status, found.checked_count) == ("failed", 3)
    world.say(f"update facts.{feed} set {column} = 1050 where day = :night", night=NIGHT)
    assert statuses(world.findings(rule)) == {"P34-66": "passed"}
    world.say(f"delete from facts.{feed} where day < :day", day=NIGHT - 70 * DAY)
    assert statuses(world.findings(rule)) == {"P34-66": "not_judged"}


@pytest.mark.parametrize(
    ("rule", "feed", "part", "whole"),
    [
        ("share_full_online", "service_catalogue", "services_full_online", "services_total"),
        ("share_level_approved", "platform_inventory", "systems_level_approved", "systems_total"),
        ("share_staff_trained", "staffing", "staff_trained_dx", "staff_total"),
        ("share_villages_with_team", "community_teams", "villages_with_team", "villages_total"),
    ],
)
def test_a_list_is_made_up_as_those_before(world, rule, feed, part, whole):
    world.nights("s", feed, 1)
    for back in range(1, 4):
        world.fact(feed, NIGHT - back * DAY, **{part: 60 + back, whole: 100})
    world.fact(feed, **{part: 10, whole: 100})
    (found,) = world.findings(rule)
    assert (found.status, found.detail) == ("failed", "0.1 where 0.62 is usual (median of 3)")
    world.say(f"update facts.{feed} set {part} = 66 where day = :night", night=NIGHT)
    assert statuses(world.findings(rule)) == {"P34-66": "passed"}
    world.say(f"update facts.{feed} set {part} = 0, {whole} = 5 where day = :night", night=NIGHT)
    assert statuses(world.findings(rule)) == {"P34-66": "not_judged"}
    world.say(f"delete from facts.{feed} where day < :day", day=NIGHT - 2 * DAY)
    assert statuses(world.findings(rule)) == {"P34-66": "not_judged"}, "cold start"


def test_a_stated_figure_is_of_the_magnitude_of_the_last_one(world):
    world.nights("s", "declarations", 1)
    stated = {"metric": "staff_total", "basis": "declared"}
    world.fact("declarations", NIGHT - 300 * DAY, period_year=2025, value=1200, **stated)
    assert world.one("declared_magnitude").status == "not_judged", "nothing to hold it against"
    world.fact("declarations", period_year=2026, value=12000, **stated)
    (found,) = world.findings("declared_magnitude")
    assert (found.status, found.failed_count, found.detail) == ("failed", 1, "staff_total: 12000, before 1200")
    for fine in (11999, 0):
        world.say("update facts.declarations set value = :fine where period_year = 2026", fine=fine)
        assert statuses(world.findings("declared_magnitude")) == {"P34-66": "passed"}
    world.say("update facts.declarations set value = 120 where period_year = 2026")
    assert statuses(world.findings("declared_magnitude")) == {"P34-66": "failed"}
