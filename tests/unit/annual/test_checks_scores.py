"""Checks of a candidate by itself and against what was known before: each passes, and each can fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from dti.annual.checks import candidate_checks, read_checks, write_checks
from dti.annual.difference_sides import laid_beside
from dti.annual.limits import CHECK_NAMES, load_limits
from dti.annual.model import CheckResult, Request
from dti.errors import ConfigError
from dti.index.identity import Run
from dti.settings import Settings
from tests.builders.candidates import CUT_OFF, DAK_LAK, HA_NOI, LAM_DONG, NIGHT_CUT_OFF, Desk, method

BEFORE = {(DAK_LAK, "n"): 50, (DAK_LAK, "m"): 50, (DAK_LAK, "k"): 50, (HA_NOI, "n"): 60, (LAM_DONG, "k"): 40}
AFTER = BEFORE | {(DAK_LAK, "n"): 70}
"""Đắk Lắk: 1.2 points more of 10 in pillar A, 6 percentage points of ALL."""


@contextmanager
def checked(desk: Desk, run: Run, request: Request | None = None) -> Iterator[dict[str, CheckResult]]:
    with laid_beside(desk.connection, run.run_id, desk.settings) as sides:
        results = candidate_checks(desk.connection, request or desk.request(run), sides, desk.settings)
    yield {result.check_name: result for result in results}


def check(desk: Desk, run: Run, name: str, **request: Any) -> CheckResult:
    with checked(desk, run, desk.request(run, **request)) as results:
        return results[name]


def test_a_sound_candidate_passes_every_check(desk: Desk) -> None:
    desk.do("insert into ops.source values ('source-n', 'online_services', 'a', 'o', 'l', false, 'p', true, 48)")
    run = desk.run("annual-2026-r1", {(DAK_LAK, "n"): 50})
    with checked(desk, run) as results:
        assert {name: result.status for name, result in results.items()} == dict.fromkeys(CHECK_NAMES[3:], "passed")


def test_a_unit_without_a_composite_is_missing_and_a_strange_one_is_too_many(desk: Desk) -> None:
    run = desk.run("annual-2026-r1", BEFORE)
    desk.do("delete from score.composite_index where unit_id = :unit", unit=HA_NOI)
    desk.do("update score.pillar_index set unit_id = 'P63-66' where unit_id = :unit and pillar_code = 'A'",
            unit=LAM_DONG)  # fmt: skip
    result = check(desk, run, "units_present")
    assert result.status == "failed"
    assert result.detail == [
        {"unit_id": HA_NOI, "measure": "ALL", "fault": "is missing"},
        {"unit_id": LAM_DONG, "measure": "A", "fault": "is missing"},
        {"unit_id": "P63-66", "measure": "A", "fault": "is not expected"},
    ]


@pytest.mark.parametrize(
    ("change", "figure", "measure"),
    [
        ("update score.indicator_score set points = points + 0.5 where unit_id = 'P34-66' and indicator_code = '1.1'",
         "points", "A"),
        ("update score.pillar_index set index_unrounded = 0.501 where unit_id = 'P34-66' and pillar_code = 'A'",
         "index_unrounded", "A"),
        ("update score.composite_index set index_value = 0.5001 where unit_id = 'P34-66'", "index_value", "ALL"),
        ("update score.composite_index set rank_national = 2 where unit_id = 'P34-66'", "rank_national", "ALL"),
        ("update score.pillar_index set rank_region = 3 where unit_id = 'P34-66' and pillar_code = 'B'",
         "rank_region", "B"),
        ("update score.composite_index set coverage = 0.9 where unit_id = 'P34-66'", "coverage", "ALL"),
    ],
)  # fmt: skip
def test_a_figure_that_is_not_what_its_parts_make_it_is_found(
    desk: Desk, change: str, figure: str, measure: str
) -> None:
    run = desk.run("annual-2026-r1", BEFORE)
    desk.do(change)
    result = check(desk, run, "points_add_up")
    assert result.status == "failed"
    assert (DAK_LAK, measure, figure) in [(row["unit_id"], row["measure"], row["figure"]) for row in result.detail]


def test_a_unit_that_knows_less_than_when_published_fails_and_little_less_does_not(desk: Desk) -> None:
    published = desk.run("annual-2026-r0", BEFORE)
    desk.publish(published)
    less = {key: value for key, value in BEFORE.items() if key != (DAK_LAK, "m")}
    result = check(desk, desk.run("annual-2026-r1", less), "coverage_kept")
    assert result.status == "failed"
    (row,) = result.detail
    assert (row["unit_id"], row["measure"], row["coverage_drop"]) == (DAK_LAK, "ALL", "0.200000")
    assert "Đắk Lắk" in result.message


def test_a_loss_of_many_little_coverages_fails_in_the_mean(desk: Desk) -> None:
    units = [row["unit_id"] for row in desk.ask("select unit_id from ref.unit where geography = '34'")]
    published = desk.run("annual-2026-r0", {(unit, metric): 50 for unit in units for metric in "nmk"})
    desk.publish(published)
    two = {("P34-01", "m"), ("P34-04", "m")}
    kept = {(unit, metric): 50 for unit in units for metric in "nmk" if (unit, metric) not in two}
    result = check(desk, desk.run("annual-2026-r1", kept), "coverage_kept")
    assert (result.detail[0]["unit_id"], result.detail[0]["coverage_drop"]) == (None, "0.011765"), "2 × 0.2 / 34"
    assert len(result.detail) == 3


def test_without_a_publication_no_coverage_can_fall(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE)
    assert check(desk, desk.run("annual-2026-r1", {}), "coverage_kept").status == "passed"


def test_a_move_without_a_cause_fails_and_names_the_indicators(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE)
    result = check(desk, desk.run("annual-2026-r1", AFTER), "index_moves_explained")
    assert result.status == "failed"
    assert [(row["unit_id"], row["measure"], row["index_change"]) for row in result.detail] == [
        (DAK_LAK, "A", "0.12"),
        (DAK_LAK, "ALL", "0.06"),
    ]
    assert {tuple(row["unexplained_indicators"]) for row in result.detail} == {("1.1",)}
    assert "night-2026-12-31" in result.message


@pytest.mark.parametrize("metric", ["n", "m"])
def test_only_a_restated_day_of_a_source_behind_the_indicator_explains_it(desk: Desk, metric: str) -> None:
    desk.run("night-2026-12-31", BEFORE)
    desk.restate(DAK_LAK, f"source-{metric}", "2026-05-04")
    result = check(desk, desk.run("annual-2026-r1", AFTER), "index_moves_explained")
    assert result.status == ("passed" if metric == "n" else "failed")
    if metric == "n":
        assert result.detail[0]["explained_by"] == ["restated: 1 day(s) of source-n, 2026-05-04 to 2026-05-04"]


@pytest.mark.parametrize(
    ("unit", "at"),
    [(HA_NOI, None), (DAK_LAK, NIGHT_CUT_OFF - timedelta(days=1)), (DAK_LAK, CUT_OFF + timedelta(days=1))],
)
def test_a_day_of_another_unit_or_another_time_explains_nothing(desk: Desk, unit: str, at: Any) -> None:
    desk.run("night-2026-12-31", BEFORE)
    desk.restate(unit, "source-n", "2026-05-04", at=at)
    assert check(desk, desk.run("annual-2026-r1", AFTER), "index_moves_explained").status == "failed"


def test_a_changed_correction_explains_its_metric(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE)
    run = desk.run("annual-2026-r1", AFTER)
    desk.correct(run, "dak-lak-n", "n")
    result = check(desk, run, "index_moves_explained")
    assert result.status == "passed"
    assert result.detail[0]["explained_by"] == ["correction dak-lak-n: added"]


def test_figures_that_reach_further_explain_a_move(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE, last_day="2026-12-20")
    result = check(desk, desk.run("annual-2026-r1", AFTER), "index_moves_explained")
    assert result.status == "passed"
    assert result.detail[0]["explained_by"] == ["figures up to 2026-12-31, before up to 2026-12-20"]


def test_a_move_that_only_another_version_of_the_framework_explains_is_left_to_the_approver(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE, of=method(name_en="An older one"))
    result = check(desk, desk.run("annual-2026-r1", AFTER), "index_moves_explained")
    assert (result.status, result.detail[0]["method_change"]) == ("warning", "another version of the framework")
    assert "another version of the framework" in result.message


def test_the_last_publication_is_what_counts_not_the_night(desk: Desk) -> None:
    desk.publish(desk.run("annual-2026-r0", AFTER))
    desk.run("annual-2026-r0", {})  # what was published stays, whatever its run became since
    desk.run("night-2026-12-31", BEFORE)
    assert check(desk, desk.run("annual-2026-r1", AFTER), "index_moves_explained").status == "passed"


def test_a_little_move_needs_no_cause(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE)
    result = check(desk, desk.run("annual-2026-r1", BEFORE | {(DAK_LAK, "n"): 53}), "index_moves_explained")
    assert (result.status, result.detail) == ("passed", []), "0.9 percentage points of ALL, 1.8 of A"


def test_expired_corrections_estimates_and_made_up_data_are_left_to_the_approver(desk: Desk) -> None:
    run = desk.run("annual-2026-r1", BEFORE, framework_in_force=False)
    desk.correct(run, "dak-lak-n", "n", status="expired", held_value=71)
    with checked(desk, run) as results:
        told = {name: results[name].status for name in ("corrections_hold", "framework_in_force", "synthetic")}
        assert set(told.values()) == {"warning"}
        assert results["corrections_hold"].detail[0]["held_value"] == "71"


def test_a_failure_that_the_request_accepts_is_told_and_stops_nothing(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE)
    run = desk.run("annual-2026-r1", AFTER)
    result = check(desk, run, "index_moves_explained", accepted_checks=["index_moves_explained"])
    assert (result.status, len(result.detail)) == ("accepted", 2)


def test_checks_are_replaced_by_name_and_told_in_their_order(desk: Desk) -> None:
    desk.request(desk.run("annual-2026-r1", BEFORE))
    late = CheckResult(check_name="synthetic", status="warning", message="made up")
    early = CheckResult(check_name="totals_reconcile", status="passed", message="fine", detail=[{"a": None}])
    for results in ([late, early], [early.model_copy(update={"message": "still fine"})]):
        write_checks(desk.connection, "2026-r1", results)
    assert read_checks(desk.connection, "2026-r1") == [early.model_copy(update={"message": "still fine"}), late]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("unit_coverage_drop_max_percentage_points: {limit: -1, reason: because it is so, and stays so}", "limit"),
        ("index_move: {limit: 1, reason: because it is so, and stays so}", "index_move"),
        ("[", "not YAML"),
    ],
)
def test_limits_that_make_no_sense_are_refused(settings: Settings, tmp_path: Any, wrong: str, said: str) -> None:
    project = tmp_path / "project"
    (project / "include" / "annual").mkdir(parents=True)
    (project / "include" / "annual" / "checks.yml").write_text(wrong)
    with pytest.raises(ConfigError, match=said):
        load_limits(settings.model_copy(update={"project": project}))
