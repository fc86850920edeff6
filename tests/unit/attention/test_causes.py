"""What needs a person, found in the warehouse and the ledger."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dti.clock import day_end
from dti.settings import Settings
from dti.warehouse.load import load_feed
from tests.builders.facts import online_services
from tests.builders.receipts import manifest, receipt
from tests.unit.attention.conftest import NIGHT

DAY = timedelta(days=1)
DEAD, ALIVE = "dvc-ca-mau", "dvc-dak-lak"


def test_nothing_that_ran_means_nothing_to_say(world):
    assert world.causes() == {}


def test_a_dead_agency_is_one_cause_that_grows_worse(world):
    for night in (NIGHT, NIGHT + DAY, NIGHT + 2 * DAY):
        world.passed(ALIVE, night)
        world.passed("tthc-dak-lak", night, feed="service_catalogue")
        if night == NIGHT:
            world.passed(DEAD, night)
        else:
            world.failed(DEAD, night)
        causes = world.causes()
        if night == NIGHT:
            assert causes == {}
            continue
        assert list(causes) == [f"source_failed/{DEAD}"]
        cause = causes[f"source_failed/{DEAD}"]
        assert cause.since == NIGHT + DAY
        assert cause.severity == ("warning" if night == NIGHT + DAY else "critical")  # 24 h, then 48 h; its limit is 36
        assert "Cà Mau" in cause.agency
        assert cause.owner
        assert "no answer in 30 s" in cause.what.en
        assert "2026-03-02" in cause.what.en  # the moment until which its data is good
        assert "02/03/2026" in cause.what.vi
        assert cause.remedy.en == "ask the agency"
    world.passed(DEAD, NIGHT + 3 * DAY)
    world.passed(ALIVE, NIGHT + 3 * DAY)
    assert world.causes() == {}


def test_another_kind_of_fault_is_worth_telling_again(world):
    world.failed(DEAD, NIGHT)
    first = world.causes()[f"source_failed/{DEAD}"]
    world.failed(DEAD, NIGHT + DAY, kind="unreachable", what="HTTP 502")
    same = world.causes()[f"source_failed/{DEAD}"]
    world.failed(DEAD, NIGHT + 2 * DAY, kind="refused", what="HTTP 401")
    other = world.causes()[f"source_failed/{DEAD}"]
    assert first.identity == same.identity != other.identity
    assert "bị từ chối truy cập" in other.what.vi


def test_a_renamed_column_leads_to_its_own_runbook(world):
    world.failed(DEAD, NIGHT, kind="changed", what="column 'NgayTiepNhan' is gone", remedy="map it")
    assert world.causes()[f"source_failed/{DEAD}"].runbook == "docs/runbooks/changed-schema.md"


def test_a_stopped_batch_says_why_and_shows_no_record(world):
    world.passed(ALIVE, NIGHT - DAY)
    world.stopped(ALIVE, NIGHT)
    cause = world.causes()[f"batch_stopped/{ALIVE}"]
    assert "no row has a key" in cause.what.en
    assert "Đắc Lắcc" not in cause.model_dump_json()  # stands in the quarantined record
    assert cause.severity == "warning"
    assert cause.runbook == "docs/runbooks/rejected-batch.md"


def test_a_source_nobody_asks_any_more_grows_stale(world):
    world.passed(ALIVE, NIGHT)
    world.passed(DEAD, NIGHT)
    world.passed("tthc-dak-lak", NIGHT, feed="service_catalogue")
    world.passed(ALIVE, NIGHT + DAY)
    assert world.causes() == {}
    world.passed(ALIVE, NIGHT + 2 * DAY)
    causes = world.causes()
    assert list(causes) == [f"source_stale/{DEAD}"]  # the catalogue's limit is 72 h
    assert causes[f"source_stale/{DEAD}"].since == NIGHT
    assert "ingest_online_services" in causes[f"source_stale/{DEAD}"].remedy.en


def test_a_source_that_was_never_read(world):
    world.passed(ALIVE, NIGHT)
    assert set(world.causes()) == {f"source_never/{DEAD}", "source_never/tthc-dak-lak"}


def test_a_broken_file_is_named_and_its_source_still_waited_for(world):
    world.passed(ALIVE, NIGHT)
    (world.settings.sources_dir / f"{ALIVE}.yml").write_text("source: [", "utf-8")
    cause = world.causes()[f"source_broken/{ALIVE}"]
    assert (cause.severity, cause.feed) == ("critical", "online_services")
    assert "not YAML" in cause.what.en
    assert "uv run dti source check dvc-dak-lak.yml" in cause.remedy.en


@pytest.fixture
def computed(world, compute) -> Settings:
    """A night whose index knows 100 dossiers of Đắk Lắk, and none of Cà Mau."""
    rows = {"source_id": ALIVE, "day": NIGHT, "dossiers_received": 100, "dossiers_online": 80}
    batch = receipt(world.folder, manifest(ALIVE, NIGHT))
    facts = online_services(rows)
    load_feed("online_services", facts, ["2026-03"], [batch], 1, settings=world.settings)
    world.failed(DEAD, NIGHT)
    compute(NIGHT)
    return world.settings


def test_the_effect_is_counted_in_the_newest_run(world, computed):
    world.failed(ALIVE, NIGHT + DAY)
    causes = world.causes()
    run = f"night-{NIGHT}.922-2022.34"
    held = causes[f"source_failed/{ALIVE}"].effect
    (expected,) = world.ask(
        """
        select count(*) as indicators, sum(max_points) as points from marts.indicator_score
        where run_id = :run and unit_id = 'P34-66' and status <> 'missing' and indicator_code in (
            select indicator_code from score.indicator_input
            where run_id = :run and unit_id = 'P34-66' and feed = 'online_services'
        )
        """,
        run=run,
    )
    assert held.state == "held"
    assert held.units == ["P34-66"]
    assert len(held.indicators) == expected["indicators"] > 0
    assert held.points == float(expected["points"])
    assert held.max_points == 1000
    assert "Đắk Lắk" in held.words.vi
    assert f"{held.points:g} of 1000 points" in held.words.en

    missing = causes[f"source_failed/{DEAD}"].effect
    (expected,) = world.ask(
        """
        select count(*) as indicators, sum(s.max_points) as points
        from score.indicator_score as s
        inner join score.run as r using (run_id)
        inner join method.indicator as i using (framework_id, framework_hash, indicator_code)
        where s.run_id = :run and s.unit_id = 'P34-96' and s.status = 'missing' and i.feed = 'online_services'
        """,
        run=run,
    )
    assert missing.state == "missing"
    assert missing.units == ["P34-96"]
    assert (len(missing.indicators), missing.points) == (expected["indicators"], float(expected["points"]))
    assert "Cà Mau" in missing.words.en

    none = causes["source_never/tthc-dak-lak"].effect
    assert none.state == "none"
    assert "service_catalogue" in none.words.en


def test_before_the_first_run_the_effect_is_honestly_unknown(world):
    world.failed(DEAD, NIGHT)
    effect = world.causes()[f"source_failed/{DEAD}"].effect
    assert (effect.state, effect.points) == ("unknown", None)


def test_an_index_that_is_not_there_by_four(world):
    world.passed(ALIVE, NIGHT)
    assert "index_missing" not in world.causes(day_end(NIGHT) + timedelta(hours=3.9))
    assert world.causes(day_end(NIGHT) + timedelta(hours=4.1))["index_missing"].since == NIGHT


def test_nights_that_are_no_longer_run_are_told_of_real_agencies_only(world):
    world.passed(ALIVE, NIGHT)
    later = day_end(NIGHT) + timedelta(days=3)
    assert "nights_missing" not in world.causes(later)
    world.do("update ops.source set synthetic = false where source_id = :id", id=ALIVE)
    assert world.causes(later)["nights_missing"].since == NIGHT + DAY
    assert "nights_missing" not in world.causes(day_end(NIGHT) + timedelta(hours=26))


def test_what_landed_and_was_never_decided(world):
    of = manifest(ALIVE, NIGHT)
    folder = world.settings.landing_dir / of.feed / of.source_id / of.batch_id
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(of.model_dump_json(), "utf-8")
    world.passed(DEAD, NIGHT)
    assert "batches_undecided/online_services" not in world.causes(of.finished_at + timedelta(hours=1))
    cause = world.causes(of.finished_at + timedelta(hours=4))["batches_undecided/online_services"]
    assert cause.since == NIGHT
    assert ALIVE in cause.what.en
    world.load(receipt(world.folder, of))
    assert "batches_undecided/online_services" not in world.causes(of.finished_at + timedelta(hours=4))


@pytest.mark.parametrize(("severity", "told"), [("critical", True), ("warning", False)])
def test_a_critical_night_check_that_fails(world, severity, told):
    statement = """
        insert into ops.night_check (night, rule, position, topic, feed, source_id, severity, status, checked_count,
            failed_count, detail, reason, reason_vi)
        values (:night, 'expected_source', :position, 'completeness', 'online_services', :source, :severity, 'failed',
            1, 1, 'no batch', 'a source is missing', 'thiếu nguồn')
    """
    for position, source in enumerate((ALIVE, DEAD)):
        world.do(statement, night=NIGHT, position=position, source=source, severity=severity)
    causes = world.causes()
    assert ("night_check/expected_source" in causes) is told
    if told:
        cause = causes["night_check/expected_source"]
        assert (cause.since, cause.fingerprint) == (NIGHT, f"{DEAD}, {ALIVE}")
        assert "thiếu nguồn" in cause.what.vi
        assert "2 places" in cause.what.en


def test_a_request_that_waits_for_days(world):
    world.do(
        """
        insert into annual.request (request_id, request_key, year, framework_id, framework_hash, family, geography,
            merge_method, as_of_date, data_cut_off, reference_hash, reason, requester, door, status, status_at)
        values ('2025-r1', 'k', 2025, '922-2022', 'x', 'dti', '34', 'none', '2026-02-01', '2026-02-01', 'x', 'why',
            'Nguyễn Văn An', 'form', 'waiting', :since)
        """,
        since=day_end(date(2026, 2, 25)),
    )
    now = day_end(NIGHT) + timedelta(hours=3)
    cause = world.causes(now)["request_waiting/2025-r1"]
    assert "Nguyễn Văn An" not in cause.model_dump_json()
    assert cause.runbook == "docs/runbooks/annual-recomputation.md"
    world.notify(request_waits_days=14)
    assert world.causes(now) == {}


def test_runs_of_ours_that_fail_last_until_one_succeeds(world):
    from dti.attention.runs import run_failed, run_succeeded

    run_failed("compute_indices", "r1", ["compute"], "task_failure", settings=world.settings)
    first = world.causes()["run_failed/compute_indices"]
    run_failed("compute_indices", "r2", ["compute"], "task_failure", settings=world.settings)
    assert world.causes()["run_failed/compute_indices"] == first
    assert run_succeeded("compute_indices", settings=world.settings) is True
    assert run_succeeded("compute_indices", settings=world.settings) is False
    assert world.causes() == {}
