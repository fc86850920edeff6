"""Completeness, freshness and references: each rule passes what is in order and names what is not."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from dti.clock import ZONE, day_end
from dti.feeds import feed_names
from tests.unit.quality.conftest import NIGHT

DAY = timedelta(days=1)
CATALOGUE = (
    "source_id text, unit_id text, procedure_code text, snapshot_on date, is_active boolean, service_level_code int"
)
DOSSIER_AGENCY = "source_id text, unit_id text, agency_code text, day date, dossiers bigint"
INVENTORY_AGENCY = "source_id text, unit_id text, agency_code text, day date, items bigint"


def test_every_source_that_is_pulled_must_deliver(world):
    for source_id in ("good", "dead", "stopped", "never", "mended"):
        world.source(source_id, "staffing")
    world.source("retired", "staffing", enabled=False)
    world.batch("good", "staffing")
    dead = {"outcome": "failed", "status": "failed", "fault_what": "no answer", "fault_remedy": "call them"}
    world.batch("dead", "staffing", rows=0, **dead)
    stop = {"status": "stopped", "rows_loaded": 0, "rows_quarantined": 10, "stopped_reason": "too many bad rows"}
    world.batch("stopped", "staffing", **stop)
    world.batch("mended", "staffing", rows=0, **dead)
    world.batch("mended", "staffing", started_at=day_end(NIGHT) + timedelta(hours=5))
    world.batch("never", "staffing", NIGHT - DAY)
    found = {finding.source_id: (finding.status, finding.detail) for finding in world.findings("source_delivered")}
    assert found == {
        "good": ("passed", ""),
        "mended": ("passed", ""),
        "dead": ("failed", "no answer — call them"),
        "stopped": ("failed", "too many bad rows"),
        "never": ("failed", "no batch of this night was decided"),
    }


def test_every_province_must_report_in_the_rhythm_of_the_feed(world):
    world.source("s", "staffing")
    world.source("d", "service_catalogue")
    world.fact("staffing", NIGHT - 46 * DAY, "P34-66")
    world.fact("staffing", NIGHT - 47 * DAY, "P34-68")
    world.fact("service_catalogue", NIGHT, "P34-66")
    world.fact("service_catalogue", NIGHT - DAY, "P34-68")
    world.fact("service_catalogue", NIGHT + DAY, "P34-01")
    found = {(finding.feed, finding.unit_id): finding for finding in world.findings("unit_reported")}
    assert {feed for feed, _ in found} == {"staffing", "service_catalogue"}, "feeds that nobody fills are not missed"
    assert len({unit for _, unit in found}) == 34
    assert {key for key, finding in found.items() if finding.status == "passed"} == {
        ("staffing", "P34-66"),
        ("service_catalogue", "P34-66"),
    }
    assert found["staffing", "P34-68"].detail == "newest of 2026-05-14, 47 days before the night"
    assert found["service_catalogue", "P34-01"].detail == "nothing within 400 days"


def test_before_the_mergers_the_63_are_expected(world):
    world.source("s", "staffing")
    units = {finding.unit_id for finding in world.findings("unit_reported", night=date(2025, 6, 30))}
    assert (len(units), {unit[:4] for unit in units}) == (63, {"P63-"})


def test_the_rhythm_of_every_feed_is_told(world):
    told = {each["feed"] for each in world.rules["unit_reported"].parameters["rhythm"]}
    assert told == set(feed_names(world.settings.include_dir / "feeds"))


def test_days_in_between_must_not_be_missing(world):
    for back in (5, 4, 2, 0):
        world.fact("service_catalogue", NIGHT - back * DAY)
        world.fact("service_catalogue", NIGHT - back * DAY, "P34-68")
    world.fact("service_catalogue", NIGHT - 3 * DAY, "P34-68")
    world.fact("service_catalogue", NIGHT - DAY, "P34-68")
    found = {finding.unit_id: finding for finding in world.findings("day_without_gap")}
    assert found["P34-68"].status == "passed"
    gap = found["P34-66"]
    assert (gap.checked_count, gap.failed_count) == (5, 2)
    assert gap.detail == "without facts: 2026-06-27, 2026-06-29"


def test_data_is_no_older_than_its_limit(world):
    world.source("fresh", "staffing", freshness_limit_hours=24)
    world.batch("fresh", "staffing", NIGHT - DAY)
    world.source("stale", "staffing", freshness_limit_hours=23)
    world.batch("stale", "staffing", NIGHT - DAY)
    world.source("never", "staffing")
    world.source("later", "staffing")
    world.batch("later", "staffing", NIGHT + DAY)
    found = {finding.source_id: finding for finding in world.findings("data_fresh")}
    assert {name: finding.status for name, finding in found.items()} == {
        "fresh": "passed", "stale": "failed", "never": "failed", "later": "failed",
    }  # fmt: skip
    assert found["stale"].detail == "good until 24 h before the night's end; limit 23 h"


@pytest.mark.parametrize(
    ("unit", "key", "status"),
    [
        ("P34-66", "2025-07", "passed"),
        ("P34-66", "2025-06", "failed"),
        ("P63-66", "2025-06", "passed"),
        ("P63-66", "2025-07", "failed"),
        ("P34-66", "2025", "passed"),
        ("P63-66", "2025", "passed"),
        ("P63-66", "2026", "failed"),
        ("P34-00", "2026-01", "failed"),
    ],
)
def test_a_unit_exists_in_the_time_of_its_records(world, unit, key, status):
    world.fact("staffing", date(2026, 1, 1), unit, partition_key=key)
    found = world.one("unit_valid")
    assert (found.status, found.checked_count) == (status, 1)
    assert found.detail == (f"{unit} in {key}" if status == "failed" else "")


def dossiers(world, code, day=NIGHT, unit="P34-66", received=1, online=0):
    world.fact("online_services", day, unit, procedure_code=code, dossiers_received=received, dossiers_online=online)


def test_dossiers_are_held_against_the_catalogue_of_their_day(world):
    world.lay(
        "catalogue_item",
        CATALOGUE,
        ("c", "P34-66", "1.000001.000.00.00.H15", date(2026, 6, 10), True, 4),
        ("c", "P34-66", "1.000002", date(2026, 6, 10), True, 2),
        ("c", "P34-66", "1.000002", date(2026, 6, 20), True, 3),
        ("c", "P34-66", "1.000003", date(2026, 6, 20), False, 4),
        ("c", "P34-68", "1.000001", date(2026, 6, 10), True, 4),
    )
    dossiers(world, "1.000001", date(2026, 6, 1))  # before the first list: that one counts
    dossiers(world, "1.000001.000.00.00.H15", date(2026, 6, 25), received=3)  # no longer listed
    dossiers(world, "1.000002", date(2026, 6, 12), received=4, online=2)  # not yet offered online
    dossiers(world, "1.000002", date(2026, 6, 21), received=4, online=4)
    dossiers(world, "1.000003", date(2026, 6, 21), received=5)
    dossiers(world, "1.000001", date(2026, 6, 25), "P34-68")
    dossiers(world, "9.999999", date(2026, 5, 1))  # too long ago
    dossiers(world, "9.999999", date(2026, 6, 25), "P34-01")  # a province without a catalogue

    unlisted = {finding.unit_id: finding for finding in world.findings("procedure_known")}
    assert (unlisted["P34-66"].checked_count, unlisted["P34-66"].failed_count) == (17, 3)
    assert unlisted["P34-66"].detail == "procedures 1.000001"
    assert unlisted["P34-68"].status == "passed"
    assert (unlisted["P34-01"].status, unlisted["P34-01"].detail) == (
        "not_judged",
        "the province has no catalogue yet",
    )
    in_force = {finding.unit_id: finding for finding in world.findings("procedure_in_force")}
    assert (in_force["P34-66"].failed_count, in_force["P34-66"].detail) == (5, "procedures 1.000003")
    online = {finding.unit_id: finding for finding in world.findings("procedure_offered_online")}
    assert (online["P34-66"].checked_count, online["P34-66"].failed_count) == (6, 2)
    assert online["P34-66"].detail == "procedures 1.000002"


def test_agencies_are_those_of_the_staffing_report_of_their_day(world):
    for day, codes in ((date(2026, 5, 31), ("A", "B")), (date(2026, 6, 20), ("A", "C"))):
        for code in codes:
            world.fact("staffing", day, agency_code=code)
    world.lay(
        "dossier_agency",
        DOSSIER_AGENCY,
        ("s", "P34-66", "B", date(2026, 6, 10), 2),
        ("s", "P34-66", "C", date(2026, 6, 10), 3),
        ("s", "P34-66", "C", date(2026, 6, 25), 4),
        ("s", "P34-68", "A", date(2026, 6, 25), 4),
    )
    world.lay("inventory_agency", INVENTORY_AGENCY, ("i", "P34-66", "B", NIGHT, 1), ("i", "P34-66", "A", NIGHT, 1))
    found = {(finding.feed, finding.unit_id): finding for finding in world.findings("agency_known")}
    assert found["online_services", "P34-66"].failed_count == 3
    assert found["online_services", "P34-66"].detail == "agencies C"
    assert found["online_services", "P34-68"].status == "not_judged"
    assert found["platform_inventory", "P34-66"].failed_count == 1


def test_moments_are_those_of_viet_nam(world):
    world.source("s", "staffing", freshness_limit_hours=1)
    world.batch("s", "staffing", until=datetime(2026, 6, 30, 23, tzinfo=ZONE))
    assert world.one("data_fresh").status == "passed"
    world.say("update ops.batch set until = until - interval '1 second'")
    assert world.one("data_fresh").status == "failed"
