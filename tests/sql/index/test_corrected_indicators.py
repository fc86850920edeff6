"""Corrections of indicators: the rule scores the corrected value, whatever the rule, against the oracle."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from dti.index.model import points_metric
from tests.oracle import method
from tests.oracle.correcting import Fix

U = "P34-66"
RATIO = {"rule": "target_ratio", "denominator_metric": "d", "target": "0.5"}
NEARLY = Fraction(1, 10**18)


def measured(numerator: object, denominator: object = 8, unit: str = U) -> dict[tuple[str, str, str, str], object]:
    return {
        (unit, name, "online_services", "measured"): value
        for name, value in (("n", numerator), ("d", denominator))
        if value is not None
    }


def correct(scorer: Any, code: str = "1.1", unit: str = U, **changes: Any) -> None:
    """A correction that waits for the scores: drops the indicator while it is 0.25."""
    row = {"id": "c", "unit": unit, "code": code, "action": "drop", "given": None, "guard": "0.25", **changes}
    scorer.connection.execute(
        text(
            "insert into score.correction (run_id, correction_id, unit_id, target_kind, target, action, status,"
            " given_value, guard_value, first_day, last_day, reason, document) values ('test', :id, :unit,"
            " 'indicator', :code, :action, 'pending', cast(:given as numeric), cast(:guard as numeric), '2026-01-01',"
            " '2026-12-31', 'r', 'd')"
        ),
        row,
    )


def finish(scorer: Any) -> dict[str, Any]:
    """Score what was begun; the correction as it was settled."""
    for name in ("10_indicator_input", "20_indicator_score", "22_indicator_correction", "30_pillar_index",
                 "40_composite_index", "50_run"):  # fmt: skip
        scorer.execute_file(f"{name}.sql")
    return {row["correction_id"]: row for row in scorer.rows("correction")}


@pytest.mark.parametrize(
    ("changes", "value", "status", "points", "coverage", "settled"),
    [
        ({}, None, "missing", 0, 0, "applied"),
        ({"action": "override", "given": "0.4"}, "0.4", "scored", 8, 1, "applied"),
        ({"action": "override", "given": 3}, 3, "scored", 10, 1, "applied"),
        ({"action": "scale", "given": "0.5"}, "0.125", "scored", "2.5", 1, "applied"),
        ({"action": "flag", "guard": None}, "0.25", "scored", 5, 1, "flagged"),
        ({"action": "flag", "guard": "0.2"}, "0.25", "scored", 5, 1, "expired"),
        ({"guard": "0.3"}, None, "missing", 0, 0, "applied"),
        ({"guard": "0.26"}, "0.25", "scored", 5, 1, "expired"),
        ({"guard": None}, "0.25", "scored", 5, 1, "expired"),
        ({"code": "9.9"}, "0.25", "scored", 5, 1, "not_applicable"),
    ],
    ids=["drop", "override", "beyond the whole", "scale", "flag", "flag repaired", "decimals of the guard",
         "repaired", "was missing, is there", "no such indicator"],
)  # fmt: skip
def test_the_rule_scores_the_corrected_value(
    scorer: Any, framework: Any, changes: dict[str, Any], value: object, status: str, points: object, coverage: int,
    settled: str,
) -> None:  # fmt: skip
    scorer.begin(framework([RATIO]), measured(2))
    correct(scorer, **changes)
    told = finish(scorer)["c"]
    row = scorer.one()
    assert (row["value"], row["status"]) == (None if value is None else Decimal(str(value)), status)
    assert (row["points"], row["coverage"]) == (Decimal(str(points)), coverage)
    applied = settled == "applied"
    assert (row["original_value"], row["correction_id"]) == ((Decimal("0.25"), "c") if applied else (None, None))
    assert told["status"] == settled
    if settled != "not_applicable":
        assert (told["original_value"], told["corrected_value"]) == (Decimal("0.25"), row["value"])
        assert scorer.one(unit="P34-68")["status"] == "missing", "nobody else's"


@pytest.mark.parametrize("denominator", [None, 0], ids=["missing", "undefined"])
def test_an_override_gives_what_was_not_known(scorer: Any, framework: Any, denominator: int | None) -> None:
    scorer.begin(framework([RATIO]), measured(2, denominator))
    correct(scorer, action="override", given="0.5", guard=None)
    told = finish(scorer)["c"]
    row = scorer.one()
    assert (row["status"], row["value"], row["points"], row["coverage"]) == ("scored", Decimal("0.5"), 10, 1)
    assert (told["status"], told["detail"], told["held_value"]) == ("applied", "0.5 in place of nothing", None)


def test_what_is_not_there_is_neither_dropped_nor_scaled(scorer: Any, framework: Any) -> None:
    scorer.begin(framework([RATIO]), {})
    correct(scorer, guard=None)
    told = finish(scorer)["c"]
    assert (told["status"], told["detail"]) == ("not_applicable", "there is no value to drop")


def test_an_indicator_without_points_has_no_score_to_correct(scorer: Any, framework: Any) -> None:
    points = points_metric("little", "1.2")
    manual = {"rule": "manual", "numerator_metric": points, "feed": "declarations", "pillar_code": "Z", "max_points": 0}
    scorer.begin(framework([RATIO, manual]), measured(2))
    correct(scorer, code="1.2", action="override", given=1, guard=None)
    assert finish(scorer)["c"]["status"] == "not_applicable"
    assert scorer.one(code="1.2")["points"] == 0


def test_a_flag_stands_beside_a_correction(scorer: Any, framework: Any) -> None:
    scorer.begin(framework([RATIO]), measured(2))
    correct(scorer, action="scale", given=2)
    correct(scorer, id="f", action="flag", guard=None)
    told = finish(scorer)
    assert {name: row["status"] for name, row in told.items()} == {"c": "applied", "f": "flagged"}
    assert scorer.one()["value"] == Decimal("0.5")
    (mart,) = scorer.connection.execute(
        text(
            "select value, original_value, correction_id, correction_status from marts.indicator_score"
            " where correction_id is not null"
        )
    )
    assert tuple(mart) == (Decimal("0.5"), Decimal("0.25"), "c", "applied")


rules = st.sampled_from(
    [
        {"rule": "yes_no"}, {"rule": "ratio", "denominator_metric": "d"}, RATIO,
        {"rule": "target_count", "target": 3},
        {"rule": "steps", "steps": [{"threshold": 1, "share": "0.5"}, {"threshold": 3, "share": 1}]},
    ]
)  # fmt: skip
values = st.sampled_from([None, "0", "1", "2", "2.5", "7"])


def test_any_correction_of_any_rule_is_the_oracles(scorer: Any, framework: Any) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        rule = data.draw(rules)
        found = measured(data.draw(values), data.draw(values))
        action = data.draw(st.sampled_from(["drop", "override", "scale", "flag"]))
        given_value = data.draw(st.sampled_from(["0", "0.5", "2", "7"])) if action in {"override", "scale"} else None
        guard = data.draw(st.sampled_from(["0", "1", "0.4", "0.36", "2", "missing"]))
        with scorer.connection.begin_nested() as example:
            built = framework([rule])
            scorer.begin(built, found)
            correct(scorer, action=action, given=given_value, guard=None if guard == "missing" else guard)
            if action == "flag" and guard == "missing":
                guard = ""  # of a flag, no guard
            told = finish(scorer)["c"]
            row = scorer.one()
            example.rollback()
        (own,) = built.indicators
        steps = ";".join(f"{s.threshold}={s.share}" for s in own.steps)
        line = {
            "code": "1.1", "max_points": "10", "rule": own.rule, "numerator_metric": "n", "feed": own.feed,
            "denominator_metric": own.denominator_metric or "", "target": steps or str(own.target or ""),
        }  # fmt: skip
        metrics = {key: Fraction(str(value)) for key, value in found.items()}
        expected = method.score(line, U, metrics, fix=Fix(action, Fraction(given_value or 0), guard))
        plain = method.score(line, U, metrics)
        assert (row["status"], row["coverage"]) == (expected.status, expected.coverage), (row, told)
        assert abs(Fraction(row["points"]) - expected.points) < NEARLY, (row, told)
        assert (told["status"] == "applied") or expected == plain, "what is not applied changes nothing"

    holds()
