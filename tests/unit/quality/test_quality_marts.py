"""The marts add up: a run as it is computed passes, and each figure that is touched afterwards is named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dti.index.run import compute
from dti.warehouse.connect import engine
from tests.unit.quality.conftest import NIGHT, World

IDENTITIES = (
    "index_computed", "units_complete", "points_add_up", "weights_add_up", "ranks_hold", "figures_in_bounds",
    "latest_is_newest",
)  # fmt: skip
UNIT = "unit_id = 'P34-66'"
FACTS = {
    "online_services": {
        "dossiers_received": 100,
        "dossiers_online": 70,
        "dossiers_finished": 50,
        "dossiers_on_time": 45,
    },
    "staffing": {"staff_total": 40, "staff_trained_dx": 20},
}


@pytest.fixture
def run(warehouse):
    """A nightly run over a few facts of two provinces."""
    with engine(warehouse, "loader").begin() as connection:
        world = World(connection, warehouse)
        for unit, times in (("P34-66", 1), ("P34-68", 2)):
            for feed, values in FACTS.items():
                world.fact(feed, unit=unit, **{name: value * times for name, value in values.items()})
            world.fact("declarations", unit=unit, period_year=2026, metric="staff_total", basis="declared", value=41)
    return compute(NIGHT, "922-2022", settings=warehouse)


@pytest.fixture
def ask(world, run):
    """``ask(rule)``: its findings for the run."""
    return lambda rule, **changes: world.findings(rule, run_id=run.run_id, **changes)


@pytest.mark.parametrize(
    ("rule", "touched", "told"),
    [
        ("units_complete", f"delete from score.pillar_index where {UNIT} and pillar_code = 'NT'", "pillar NT"),
        ("units_complete", f"delete from score.indicator_score where {UNIT} and indicator_code = '7.3'", "7.3: 0"),
        ("points_add_up", "update score.indicator_score set points = points / 2 where points > 0", "points"),
        ("points_add_up", "update score.pillar_index set coverage = 1 - coverage where unit_id = 'P34-66'", "coverage"),
        ("points_add_up", "update score.pillar_index set index_value = 0.5 where unit_id = 'P34-01'", "index_value"),
        (
            "weights_add_up",
            "update score.composite_index set index_unrounded = index_unrounded + 0.0001 where unit_id = 'P34-66'",
            "P34-66, CHINH_QUYEN_SO, index_unrounded",
        ),
        ("weights_add_up", f"delete from score.pillar_index where {UNIT} and pillar_code = 'CQS'", "pillars"),
        ("ranks_hold", "update score.composite_index set rank_national = rank_national + 1", "must be 1"),
        ("ranks_hold", "update score.pillar_index set rank_region = 9 where unit_id = 'P34-66'", "P34-66"),
        ("figures_in_bounds", "update score.indicator_score set coverage = 1 where status = 'missing'", "indicator"),
        ("latest_is_newest", "update score.run set as_of_date = '2026-06-29', period_to = '2026-06-29'", ""),
    ],
)  # fmt: skip
def test_each_identity_is_seen_to_break(world, ask, rule, touched, told):
    assert [finding.status for finding in ask(rule) if finding.status != "passed"] == []
    if rule == "latest_is_newest":
        world.say(
            'insert into score.run select (jsonb_populate_record(r, \'{"run_id": "other", "finished_at":'
            ' "2099-01-01"}\')).* from score.run as r'
        )
        broken = [finding for finding in ask(rule) if finding.status == "failed"]
        assert {finding.detail.partition(":")[0] for finding in broken} == {
            "latest_composite_index", "latest_indicator_score", "latest_pillar_index",
        }  # fmt: skip
        return
    world.say(touched)
    (found,) = ask(rule)
    assert found.status == "failed"
    assert told in found.detail


def test_all_identities_hold_for_a_run_as_computed(world, ask):
    found = {rule: ask(rule) for rule in IDENTITIES}
    assert {rule: {finding.status for finding in findings} for rule, findings in found.items()} == {
        rule: {"passed"} for rule in IDENTITIES
    }
    assert found["units_complete"][0].checked_count == 34 * (98 + 4 + 8)


def test_an_older_night_says_nothing_of_the_latest(world, ask):
    world.say(
        'insert into score.run select (jsonb_populate_record(r, \'{"run_id": "next", "as_of_date": "2026-07-01"}\')).*'
        " from score.run as r"
    )
    assert [finding.status for finding in ask("latest_is_newest")] == ["not_judged"]


def test_a_night_without_an_index(world):
    assert world.one("index_computed").status == "failed"
    for rule in IDENTITIES[1:]:
        assert [finding.status for finding in world.findings(rule)] == ["not_judged"], rule


def test_a_province_may_not_jump_in_one_night(world, run, ask):
    for back in range(1, 4):
        night = NIGHT - timedelta(days=back)
        changes = f'{{"run_id": "night-{back}", "as_of_date": "{night}", "period_to": "{night}"}}'
        world.say(
            "insert into score.run select (jsonb_populate_record(r, cast(:changes as jsonb))).* from score.run as r"
            " where r.run_id = :run_id",
            changes=changes, run_id=run.run_id,
        )  # fmt: skip
        world.say(
            "insert into score.composite_index select (jsonb_populate_record(c, cast(:changes as jsonb))).*"
            " from score.composite_index as c where c.run_id = :run_id",
            changes=f'{{"run_id": "night-{back}"}}', run_id=run.run_id,
        )  # fmt: skip
    assert {finding.status for finding in ask("index_level")} == {"passed"}
    world.say(
        f"update score.composite_index set index_value = index_value + 0.03 where {UNIT} and run_id = :run_id",
        run_id=run.run_id,
    )
    assert [finding.unit_id for finding in ask("index_level") if finding.status == "failed"] == ["P34-66"]


def test_declared_figures_are_held_against_measured_ones(world, ask):
    found = {finding.unit_id: finding for finding in ask("declared_against_measured")}
    assert found["P34-66"].status == "passed"
    assert found["P34-68"].detail == "staff_total: declared 41, measured 80"


def test_a_part_larger_than_its_whole_is_noted(world, ask):
    assert {finding.status for finding in ask("part_within_whole")} <= {"passed"}
    world.say(
        f"update score.indicator_score set uncapped_share = 1.5 where {UNIT} and status = 'scored' and"
        " indicator_code in (select indicator_code from method.indicator where rule = 'ratio')"
    )
    broken = [finding for finding in ask("part_within_whole") if finding.status == "failed"]
    assert [finding.unit_id for finding in broken] == ["P34-66"]
