"""What moved between two runs: contributions add up to the last decimal; a move is the unit's own or the others'."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dti.index.model import Framework
from dti.index.run import Run, open_run, score
from dti.index.store import store_framework

UNITS = ("P34-66", "P34-68", "P34-01", "P34-04")
RATIO = {"rule": "ratio", "denominator_metric": "d"}
INDICATORS = [
    {**RATIO, "max_points": 7},
    {**RATIO, "numerator_metric": "m", "max_points": 3},
    {**RATIO, "numerator_metric": "m", "pillar_code": "B", "max_points": 13},
    {"rule": "yes_no", "numerator_metric": "n", "pillar_code": "Z", "max_points": 0},
]
Values = dict[tuple[str, str], object]


def make_run(scorer: Any, method: Framework, run_id: str, values: Values, **changes: Any) -> None:
    """A complete run over measured ``values`` by (unit, metric)."""
    store_framework(scorer.connection, method)
    run = Run(
        run_id=run_id, kind="test", as_of_date=date(2026, 3, 31), year=2026, framework_id=method.framework_id,
        framework_hash=method.content_hash, geography="34", period_from=date(2026, 1, 1), period_to=date(2026, 3, 31),
        framework_in_force=True,
    )  # fmt: skip
    run = replace(run, **changes)
    open_run(scorer.connection, run)
    for (unit, metric), value in values.items():
        scorer.connection.execute(
            text(
                "insert into score.metric_value values (:run, :unit, :metric, 'online_services', 'measured',"
                " cast(:value as numeric), '2026-01-01', '2026-03-31', array['s1'])"
            ),
            {"run": run_id, "unit": unit, "metric": metric, "value": value},
        )
    score(scorer.connection, run, scorer.settings)


def ask(scorer: Any, function: str, where: str = "true", a: str = "a", b: str = "b") -> list[dict[str, Any]]:
    query = text(f"select * from marts.{function}(:a, :b) where {where}")
    return [dict(row) for row in scorer.connection.execute(query, {"a": a, "b": b}).mappings()]


numbers = st.one_of(st.none(), st.sampled_from(["0", "1", "2", "3", "1.7", "0.333"]))
given_values = st.dictionaries(st.tuples(st.sampled_from(UNITS), st.sampled_from(["n", "m", "d"])), numbers)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=given_values, after=given_values, is_edited=st.booleans())
def test_contributions_and_moves_add_up(
    scorer: Any, framework: Any, before: Values, after: Values, is_edited: bool
) -> None:
    method = framework(INDICATORS)
    edited = framework([{**INDICATORS[0], "max_points": 11}, *INDICATORS[1:], {**RATIO, "max_points": 2}])
    with scorer.connection.begin_nested() as example:
        make_run(scorer, method, "a", {key: value for key, value in before.items() if value is not None})
        later = {key: value for key, value in after.items() if value is not None}
        make_run(scorer, edited if is_edited else method, "b", later)
        changes, parts = ask(scorer, "rank_change"), ask(scorer, "rank_contribution")
        shown = {
            (row["run_id"], row["unit_id"], row["measure"]): row
            for row in scorer.connection.execute(
                text(
                    "select run_id, unit_id, composite_code as measure, index_value, index_unrounded, rank_national"
                    " from marts.composite_index union all"
                    " select run_id, unit_id, pillar_code, index_value, index_unrounded, rank_national"
                    " from marts.pillar_index"
                )
            ).mappings()
        }
        example.rollback()
    assert {(row["unit_id"], row["measure"]) for row in changes} == {key[1:] for key in shown}
    whole: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for part in parts:
        whole[part["unit_id"], part["measure"]] += part["contribution"]
        if part["points_before"] == part["points_after"] and not is_edited:
            assert abs(part["contribution"]) <= Decimal("1e-12")
        assert (part["note"] is not None) == is_edited
    for row in changes:
        a, b = (shown[run, row["unit_id"], row["measure"]] for run in "ab")
        assert row["index_change"] == b["index_unrounded"] - a["index_unrounded"]
        assert whole[row["unit_id"], row["measure"]] == row["index_change"], "to the last decimal shown"
        assert (row["value_before"], row["value_after"]) == (a["index_value"], b["index_value"])
        assert (row["rank_before"], row["rank_after"]) == (a["rank_national"], b["rank_national"])
        assert row["ranks_gained"] == a["rank_national"] - b["rank_national"]
        assert row["ranks_gained"] == row["ranks_gained_own"] + row["ranks_gained_others"]
        assert row["ranks_gained"] == len(row["overtook"]) - len(row["overtaken_by"])
        others = [r for r in changes if r["measure"] == row["measure"] and r["unit_id"] != row["unit_id"]]
        alone = 1 + sum(other["value_before"] > row["value_after"] for other in others)
        assert row["ranks_gained_own"] == row["rank_before"] - alone
        if row["value_before"] == row["value_after"]:
            assert row["ranks_gained_own"] == 0, "a unit that stands still moves only by the others"


COUNT = [{"rule": "target_count", "target": 100}]


def test_a_rank_lost_by_standing_still_names_who_came_past(scorer: Any, framework: Any) -> None:
    method = framework(COUNT)
    make_run(scorer, method, "a", {("P34-66", "n"): 50, ("P34-68", "n"): 40, ("P34-01", "n"): 60})
    make_run(scorer, method, "b", {("P34-66", "n"): 50, ("P34-68", "n"): 55, ("P34-01", "n"): 45})
    (row,) = ask(scorer, "rank_change", "unit_id = 'P34-66' and measure = 'ALL'")
    assert (row["rank_before"], row["rank_after"], row["ranks_gained"]) == (2, 2, 0)
    assert (row["ranks_gained_own"], row["ranks_gained_others"]) == (0, 0)
    assert (row["overtook"], row["overtaken_by"]) == (["P34-01"], ["P34-68"])
    (row,) = ask(scorer, "rank_change", "unit_id = 'P34-68' and measure = 'ALL'")
    assert (row["rank_before"], row["rank_after"]) == (3, 1)
    assert (row["ranks_gained_own"], row["ranks_gained_others"]) == (1, 1), "past one by itself; the other fell behind"
    assert (row["value_change"], row["note"]) == (Decimal("0.15"), None)


def test_the_one_indicator_that_rose_accounts_for_all_of_it(scorer: Any, framework: Any) -> None:
    method = framework([*COUNT, {**COUNT[0], "numerator_metric": "m", "pillar_code": "B", "max_points": 30}])
    make_run(scorer, method, "a", {("P34-66", "n"): 50, ("P34-66", "m"): 10})
    make_run(scorer, method, "b", {("P34-66", "n"): 50, ("P34-66", "m"): 20})
    parts = ask(scorer, "rank_contribution", "unit_id = 'P34-66' and measure = 'ALL'")
    assert {row["indicator_code"]: row["contribution"] for row in parts} == {"1.1": 0, "1.2": Decimal("0.075")}
    (part,) = ask(scorer, "rank_contribution", "unit_id = 'P34-66' and measure = 'B'")
    assert (part["points_before"], part["points_after"], part["contribution"]) == (3, 6, Decimal("0.1"))


def test_different_methods_compare_as_wholes_with_a_note(scorer: Any, framework: Any) -> None:
    make_run(scorer, framework(COUNT), "a", {("P34-66", "n"): 50})
    make_run(scorer, framework(COUNT, framework="other"), "b", {("P34-66", "n"): 75}, year=2026)
    (part,) = ask(scorer, "rank_contribution", "unit_id = 'P34-66' and measure = 'ALL'")
    assert (part["indicator_code"], part["contribution"]) == (None, Decimal("0.25"))
    assert part["note"] == "different methods (little, other): values are not comparable"
    (row,) = ask(scorer, "rank_change", "unit_id = 'P34-66' and measure = 'ALL'")
    assert row["note"] == part["note"]


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("a", "gone", "no complete run gone"),
        ("gone", "a", "no complete run gone"),
        ("a", "old", "a run of geography 34 and one of 63 have no unit in common"),
    ],
)
@pytest.mark.parametrize("function", ["rank_change", "rank_contribution"])
def test_what_cannot_be_compared_is_refused(
    scorer: Any, framework: Any, a: str, b: str, said: str, function: str
) -> None:
    make_run(scorer, framework(COUNT), "a", {})
    make_run(scorer, framework(COUNT), "old", {}, geography="63")
    with pytest.raises(DBAPIError, match=said):
        ask(scorer, function, a=a, b=b)
