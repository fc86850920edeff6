"""Feeds against one another, facts against records: each rule passes what agrees and names what does not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.unit.quality.conftest import NIGHT

DAY = timedelta(days=1)


def test_what_two_sources_report_counts_twice(world):
    world.fact("online_services", unit="P34-66", source="province", dossiers_received=100)
    world.fact("online_services", unit="P34-68", source="portal", dossiers_received=100)
    assert world.one("unit_reported_once").status == "passed"
    assert [finding.status for finding in world.findings("portal_total")] == ["not_judged"]

    world.fact("online_services", unit="P34-66", source="portal", dossiers_received=97)
    found = world.one("unit_reported_once")
    assert (found.status, found.checked_count, found.failed_count) == ("failed", 2, 1)
    assert found.detail == "P34-66 by portal and province on 1 days, last 2026-06-30"
    totals = world.one("portal_total")
    assert (totals.status, totals.unit_id, totals.detail) == ("passed", "P34-66", "portal 97, province 100")
    world.say(
        "update facts.online_services set dossiers_received = 94 where source_id = 'portal' and unit_id = 'P34-66'"
    )
    assert world.one("portal_total").status == "failed"


def test_a_source_that_hands_over_to_another_is_no_double(world):
    world.fact("staffing", NIGHT - 30 * DAY, source="old")
    world.fact("staffing", NIGHT, source="new")
    assert world.one("unit_reported_once").status == "passed"


def test_servers_with_antimalware_are_servers(world):
    world.fact("data_centre", servers_total=10, servers_with_antimalware=10)
    world.fact("data_centre", NIGHT - DAY, servers_total=None, servers_with_antimalware=10)
    assert world.one("antimalware_within_servers").status == "passed"
    world.say("update facts.data_centre set servers_with_antimalware = 11 where servers_total = 10")
    found = world.one("antimalware_within_servers")
    assert (found.status, found.detail) == ("failed", "x on 2026-06-30")


def test_a_day_has_86400_seconds(world):
    columns = "source_id text, unit_id text, day date, samples bigint, seconds bigint"
    world.lay("sample_day", columns, ("p", "P34-66", NIGHT, 288, 86400), ("q", "P34-66", NIGHT, 289, 86700))
    found = {finding.source_id: finding for finding in world.findings("samples_within_day")}
    assert (found["p"].status, found["q"].status) == ("passed", "failed")
    assert found["q"].detail == "P34-66 on 2026-06-30: 86700 s"


def test_nobody_knows_the_figures_of_a_year_before_it_begins(world):
    world.fact("declarations", date(2026, 1, 1), period_year=2026, basis="declared")
    assert world.one("declared_in_time").status == "passed"
    world.fact("declarations", date(2025, 12, 31), period_year=2026, basis="declared")
    found = world.one("declared_in_time")
    assert (found.failed_count, found.detail) == (1, "P34-66 for 2026 on 2025-12-31")


def test_what_is_appraised_was_declared(world):
    appraised = {"period_year": 2025, "basis": "appraised", "metric": "directives_total"}
    world.fact("declarations", **appraised)
    found = world.one("appraised_was_declared")
    assert (found.status, found.detail) == ("failed", "directives_total of 2025")
    world.fact("declarations", NIGHT - DAY, **{**appraised, "basis": "declared"})
    assert world.one("appraised_was_declared").status == "passed"


IMPOSSIBLE = {
    "online_services": [
        {"dossiers_received": 1, "dossiers_online": 2},
        {"dossiers_finished": 1, "dossiers_on_time": 2},
        {"dossiers_received": 3, "dossiers_with_fee": 1, "dossiers_paid_online": 2},
        {"dossiers_finished": 3, "dossiers_early": 2, "dossiers_on_time": 1},
        {"dossiers_received": 2, "dossiers_online": 1, "dossiers_direct": 1, "dossiers_by_post": 1},
    ],
    "service_catalogue": [{"services_total": 3, "services_online": 2, "services_full_online": 3}],
    "data_centre": [
        {"data_centre_up_seconds": 86401, "data_centre_expected_seconds": 86400},
        {"cpu_utilisation_avg_pct": 101},
    ],
    "platform_inventory": [
        {"systems_total": 1, "systems_monitored": 2},
        {"agencies_total": 1, "agencies_on_dedicated_network": 2},
    ],
    "staffing": [{"staff_total": 1, "staff_trained_dx": 2}],
    "community_teams": [{"villages_total": 1, "villages_with_team": 2}],
}


@pytest.mark.parametrize(("feed", "values"), [(feed, each) for feed, rows in IMPOSSIBLE.items() for each in rows])
def test_a_fact_that_cannot_be(world, feed, values):
    world.fact(feed)
    assert world.one("facts_within_bounds").status == "passed"
    world.fact(feed, NIGHT - DAY, **values)
    found = world.one("facts_within_bounds")
    assert (found.feed, found.checked_count, found.failed_count) == (feed, 2, 1)
    assert found.detail.endswith(f"on {NIGHT - DAY}")


def test_facts_count_what_the_lake_holds(world):
    world.lay("lake_read", "feed text, version bigint", ("online_services", 3), ("service_catalogue", 1))
    counts = "source_id text, partition_key text, dossiers_received bigint, dossiers_finished bigint"
    world.lay("dossier_count", counts, ("s", "2026-06", 5, 2), ("t", "2026-06", 1, 0))
    items = (
        "source_id text, unit_id text, procedure_code text, snapshot_on date, is_active boolean, service_level_code int"
    )
    world.lay(
        "catalogue_item",
        items,
        ("c", "P34-66", "1.000001", NIGHT, True, 4),
        ("c", "P34-66", "1.000002", NIGHT, True, 3),
        ("c", "P34-66", "1.000003", NIGHT, False, 4),
    )
    world.say("insert into ops.lake_state (feed, version) values ('online_services', 3), ('service_catalogue', 1)")
    world.fact("online_services", source="s", dossiers_received=5, dossiers_finished=2)
    world.fact("online_services", source="t", dossiers_received=1)
    world.fact("service_catalogue", source="c", services_total=2, services_full_online=1)
    assert [finding.status for finding in world.findings("facts_match_lake")] == ["passed"] * 3

    world.say("update facts.online_services set dossiers_finished = 1 where source_id = 's'")
    world.say("delete from facts.online_services where source_id = 't'")
    found = {finding.source_id: finding for finding in world.findings("facts_match_lake")}
    assert {name: finding.status for name, finding in found.items()} == {"s": "failed", "t": "failed", "c": "passed"}
    assert found["s"].detail == "2026-06: lake 5 and 2, facts 5 and 1"

    world.say("update ops.lake_state set version = 2 where feed = 'online_services'")
    found = {finding.source_id: finding for finding in world.findings("facts_match_lake")}
    assert (found["s"].status, found["s"].detail) == ("not_judged", "a load is under way")
    assert found["c"].status == "passed"
