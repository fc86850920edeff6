"""What a candidate changes, against figures computed by hand."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from dti.annual.difference import differ
from dti.annual.difference_model import Difference, IndicatorPart
from dti.annual.difference_sides import laid_beside
from dti.annual.model import RequestError
from tests.builders.candidates import DAK_LAK, HA_NOI, LAM_DONG, Desk, method

BEFORE = {(HA_NOI, "n"): 80, (HA_NOI, "k"): 60, (DAK_LAK, "n"): 50, (DAK_LAK, "m"): 50, (DAK_LAK, "k"): 50,
          (LAM_DONG, "n"): 90}  # fmt: skip
"""ALL: Hà Nội (4.8 + 6) / 20 = 0.54, Đắk Lắk 0.5, Lâm Đồng 5.4 / 20 = 0.27."""
AFTER = BEFORE | {(DAK_LAK, "n"): 70, (DAK_LAK, "k"): 45}
"""Đắk Lắk: 1.2 points more in 1.1, 0.5 less in 2.1: 0.5 + 0.06 − 0.025 = 0.535; in A 6.2 / 10 passes the others."""


def difference(desk: Desk, run_id: str) -> Difference:
    with laid_beside(desk.connection, run_id, desk.settings) as sides:
        return differ(desk.connection, "2026-r1", sides, desk.settings)


def test_ranks_values_and_the_indicators_behind_them(desk: Desk) -> None:
    desk.publish(desk.run("annual-2026-r0", BEFORE))
    desk.run("annual-2026-r1", AFTER | {(HA_NOI, "k"): 50})
    found = difference(desk, "annual-2026-r1").publication
    assert found.is_comparable
    assert [(m.measure, m.unit_id, m.rank_before, m.rank_after, m.ranks_gained) for m in found.moves] == [
        ("ALL", DAK_LAK, 2, 1, 1),
        ("ALL", HA_NOI, 1, 2, -1),
        ("A", DAK_LAK, 2, 1, 1),
        ("A", LAM_DONG, 1, 2, -1),
        ("B", HA_NOI, 1, 1, 0),
        ("B", DAK_LAK, 2, 2, 0),
    ]
    up = next(move for move in found.moves if (move.measure, move.unit_id) == ("ALL", DAK_LAK))
    assert (up.unit_name, up.value_before, up.value_after) == ("Đắk Lắk", Decimal("0.5"), Decimal("0.535"))
    assert (up.index_change, up.overtook, up.overtaken_by) == (Decimal("0.035"), [HA_NOI], [])
    assert up.indicators == [
        IndicatorPart(
            pillar_code=pillar, indicator_no=number, indicator_code=code, indicator_name=f"Chỉ số {code}",
            points_before=Decimal(before), points_after=Decimal(after), max_points=Decimal(top),
            status_before="scored", status_after="scored", contribution=Decimal(change),
        )
        for pillar, number, code, before, after, top, change in (
            ("A", 1, "1.1", "3", "4.2", "6", "0.06"),
            ("B", 3, "2.1", "5", "4.5", "10", "-0.025"),
        )
    ]  # fmt: skip
    assert sum(part.contribution for part in up.indicators) == up.index_change


def test_a_unit_that_stood_still_and_lost_a_rank_has_no_indicator_behind_it(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE)
    desk.run("annual-2026-r1", AFTER | {(DAK_LAK, "k"): 50})
    moves = {move.unit_id: move for move in difference(desk, "annual-2026-r1").night.rank_changes("ALL")}
    assert (moves[HA_NOI].ranks_gained, moves[HA_NOI].ranks_gained_own, moves[HA_NOI].indicators) == (-1, 0, [])
    assert (moves[DAK_LAK].ranks_gained, moves[DAK_LAK].overtook) == (1, [HA_NOI])


def test_a_publication_is_compared_as_it_was_published_and_leaves_no_trace(desk: Desk) -> None:
    desk.publish(desk.run("annual-2026-r0", BEFORE))
    desk.run("annual-2026-r0", {})
    desk.run("annual-2026-r1", BEFORE)
    found = difference(desk, "annual-2026-r1")
    assert (found.publication.moves, found.publication.is_comparable) == ([], True)
    assert found.main is found.publication
    assert desk.ask("select run_id from score.run where kind = 'publication'") == []


def test_the_newest_version_and_the_newest_night_are_taken(desk: Desk) -> None:
    first = desk.run("annual-2026-r0", {})
    desk.publish(first)
    desk.publish(desk.run("annual-2026-r0", BEFORE), version=2)
    desk.run(
        "night-2026-12-30", {}, as_of_date=first.period_to.replace(day=30), period_to=first.period_to.replace(day=30)
    )
    desk.run("night-2026-12-31", BEFORE)
    desk.run("night-2026-12-31-other", {}, of=method(framework="other", family="other"))
    desk.run("annual-2026-r1", BEFORE)
    found = difference(desk, "annual-2026-r1")
    assert found.publication.side is not None
    assert found.night.side is not None
    assert (found.publication.side.publication_id, found.publication.side.version) == ("2026.dti.34.v2", 2)
    assert found.night.side.run_id == "night-2026-12-31"
    assert (found.publication.moves, found.night.moves) == ([], [])


def test_without_anything_before_it_says_why(desk: Desk) -> None:
    desk.run("annual-2026-r1", BEFORE)
    found = difference(desk, "annual-2026-r1")
    assert found.publication.why_not == "2026 (dti) has not been published yet"
    assert found.night.why_not == "no night computed 2026"
    assert (found.main, found.units_count) == (None, 34)


def test_other_units_are_not_compared(desk: Desk) -> None:
    desk.publish(desk.run("annual-2026-r0", {("P63-66", "n"): 50}, geography="63"))
    desk.run("annual-2026-r1", BEFORE)
    found = difference(desk, "annual-2026-r1").publication
    assert not found.is_comparable
    assert found.why_not == "2026.dti.63.v1 is of geography 63, this one of 34: no unit in common"


def test_another_framework_has_ranks_but_no_indicators_behind_them(desk: Desk) -> None:
    desk.run("night-2026-12-31", BEFORE, of=method(framework="older"))
    desk.run("annual-2026-r1", AFTER)
    found = difference(desk, "annual-2026-r1").night
    assert found.method_changes == ["framework little instead of older"]
    assert "different methods" in found.note
    assert found.moves
    assert not any(move.indicators for move in found.moves)


def test_restated_days_and_changed_corrections_are_told(desk: Desk) -> None:
    night = desk.run("night-2026-12-31", BEFORE)
    run = desk.run("annual-2026-r1", AFTER)
    for day in ("2026-05-04", "2026-05-04", "2026-05-09"):
        desk.restate(DAK_LAK, "source-n", day)
    desk.restate(HA_NOI, "source-n", "2025-05-04")
    desk.correct(night, "gone", "n")
    for each in (night, run):
        desk.correct(each, "kept", "m")
        desk.correct(each, "changed", "k", given_value=40 if each is night else 45)
    desk.correct(run, "new", "n")
    found = difference(desk, "annual-2026-r1").night
    (days,) = found.restated
    assert (days.unit_id, days.source_id, days.kind, days.days_count) == (DAK_LAK, "source-n", "restated", 2)
    assert (str(days.first_day), str(days.last_day), days.columns) == (
        "2026-05-04",
        "2026-05-09",
        ["dossiers_received"],
    )
    assert [(each.correction_id, each.change) for each in found.corrections] == [
        ("changed", "changed"),
        ("gone", "removed"),
        ("new", "added"),
    ]


def test_it_reads_back_from_json_with_exact_numbers(desk: Desk) -> None:
    desk.publish(desk.run("annual-2026-r0", BEFORE))
    desk.run("annual-2026-r1", AFTER)
    found = difference(desk, "annual-2026-r1")
    written = found.model_dump_json()
    assert json.loads(written)["publication"]["moves"][0]["value_after"] == "0.5350"
    assert Difference.model_validate_json(written).model_dump() == found.model_dump()


def test_a_candidate_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(RequestError, match="no such candidate"):
        difference(desk, "annual-2026-r9")
