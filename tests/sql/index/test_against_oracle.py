"""Random methods, values, gaps and ties, in both geographies and merged every way, against the oracle's fractions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from dti.index.model import Framework, points_metric
from dti.index.run import Run, open_run, score
from dti.index.store import store_framework
from tests.oracle import merging, method

FORMER = merging.former_units()
NEW = {part: unit for unit, parts in FORMER.items() for part in parts}
# Merged of three, of two, and of one; all that has no value is a unit that nobody reports on.
MERGED = ("P34-79", "P34-66", "P34-01")
PARTS = tuple(part for unit in MERGED for part in FORMER[unit])
RULES = {
    "flow": ("sum", "sum"), "things": ("sum", "distinct"), "stock": ("sum", "last"), "level": ("min", "last"),
    "peak": ("max", "last"), "often": ("mean", "last"), "unheard": ("mean", "last"), "months": ("max", "calendar"),
}  # fmt: skip
POINTS = [points_metric("little", f"1.{number}") for number in range(1, 6)]
FEED = "online_services"
NEARLY = Fraction(1, 10**18)
# Few values, so that units tie; thirds and fifths of one another, so that fractions do not end.
VALUES = st.sampled_from(["0", "0", "1", "1", "2", "3", "7", "0.2", "1.25"])
QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def oracle_rules() -> merging.Rules:
    """The merge rules of the made-up metrics; 'unheard' is registered nowhere."""
    return {(name, "calendar" if name == "months" else FEED): rule for name, rule in RULES.items() if name != "unheard"}


@pytest.fixture
def ready(scorer: Any) -> Iterator[Any]:
    """The scorer with the made-up metrics registered."""
    rows = [
        {"name": name, "feed": "calendar" if name == "months" else FEED, "merge": merge, "aggregation": aggregation}
        for name, (merge, aggregation) in RULES.items()
        if name != "unheard"
    ]
    scorer.connection.execute(
        text(
            "insert into ref.metric (metric, feed, unit, aggregation, merge, name_en, name_vi)"
            " values (:name, :feed, 'x', :aggregation, :merge, 'x', 'x')"
        ),
        rows,
    )
    return scorer


@st.composite
def indicators(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to five indicators in up to two pillars with points and one without."""
    rows = []
    for number in range(1, draw(st.integers(2, 6))):
        rule = draw(st.sampled_from(["yes_no", "ratio", "target_ratio", "target_count", "steps", "manual"]))
        numerator, denominator = draw(
            st.lists(st.sampled_from(sorted(RULES.keys() - {"months"})), min_size=2, max_size=2, unique=True)
        )
        row: dict[str, Any] = {"rule": rule, "numerator_metric": numerator, "pillar_code": draw(st.sampled_from("AB"))}
        if rule in {"ratio", "target_ratio"} or (rule == "steps" and draw(st.booleans())):
            row["denominator_metric"] = draw(st.sampled_from([denominator, "months"]))
        if rule in {"target_ratio", "target_count"}:
            row["target"] = draw(st.sampled_from(["0.5", "2", "3", "0.7"]))
        if rule == "steps":
            row["steps"] = [
                {"threshold": 0, "share": "0.25"},
                {"threshold": 1, "share": "0.5"},
                {"threshold": 3, "share": 1},
            ]
        if rule == "manual":
            row |= {"numerator_metric": points_metric("little", f"1.{number}"), "feed": "declarations"}
        rows.append({**row, "max_points": draw(st.sampled_from(["5", "10", "7.5", "3"]))})
    if draw(st.booleans()):
        rows.append({"rule": "yes_no", "numerator_metric": "stock", "pillar_code": "Z", "max_points": "0"})
    return rows


@st.composite
def values(draw: st.DrawFn, units: tuple[str, ...]) -> dict[method.Key, str]:
    """Some of the metrics of some units, measured or stated."""
    chosen: dict[method.Key, str] = {}
    for unit in units:
        for name in [*(RULES.keys() - {"months"}), *POINTS]:
            for basis in method.BASES[name in POINTS :]:
                if draw(st.integers(0, 2)):
                    chosen[unit, name, FEED if basis == "measured" else "declarations", basis] = draw(VALUES)
    return chosen


def as_oracle(framework: Framework) -> method.Method:
    """The framework as the oracle reads one."""
    rows = [
        {
            "code": i.code, "pillar_code": i.pillar_code, "max_points": str(i.max_points), "rule": i.rule,
            "numerator_metric": i.numerator_metric, "denominator_metric": i.denominator_metric or "", "feed": i.feed,
            "target": ";".join(f"{s.threshold}={s.share}" for s in i.steps) if i.steps else str(i.target or ""),
        }
        for i in framework.indicators
    ]  # fmt: skip
    weights = {c: {p: Fraction(w) for p, w in own.weights.items()} for c, own in framework.composites.items()}
    return method.Method(rows, weights, framework.basis_order)


def months(units: set[str], count: int) -> dict[method.Key, str]:
    return {(unit, "months", "calendar", "measured"): str(count) for unit in units}


def insert_values(ready: Any, run_id: str, given_values: dict[method.Key, str], *, into: str) -> None:
    """Metric values, or what each unit gives to the one it is part of now."""
    rows = [
        {
            "run": run_id, "unit": NEW.get(unit, unit) if into == "metric_part" else unit, "part": unit,
            "metric": metric, "feed": feed, "basis": "calendar" if feed == "calendar" else basis, "value": value,
        }
        for (unit, metric, feed, basis), value in given_values.items()
    ]  # fmt: skip
    columns, values_ = "", ""
    if into == "metric_part":
        columns, values_ = "part_unit_id, ", ":part, "
    ready.connection.execute(
        text(
            f"insert into score.{into} (run_id, unit_id, {columns}metric, feed, basis, value, first_day, last_day,"
            f" source_ids) values (:run, :unit, {values_}:metric, :feed, :basis, cast(:value as numeric),"
            " '2025-01-01', '2025-03-31', array['s1'])"
        ),
        rows,
    )


def run_of(framework: Framework, geography: str, **changes: Any) -> Run:
    plain = Run(
        run_id="test", kind="test", as_of_date=date(2025, 12, 31), year=2025, framework_id=framework.framework_id,
        framework_hash=framework.content_hash, geography=geography, period_from=date(2025, 1, 1),
        period_to=date(2025, 12, 31), framework_in_force=True,
    )  # fmt: skip
    return replace(plain, **changes)


def compare(ready: Any, oracle: method.Method, scores: method.Scores, region: dict[str, str]) -> None:
    """Every row of the run against the oracle's."""
    pillars, composites = method.indices(oracle, scores, region)
    rows = ready.rows("indicator_score", "run_id = 'test'")
    assert {(row["unit_id"], row["indicator_code"]) for row in rows} == scores.keys()
    for row in rows:
        expected = scores[row["unit_id"], row["indicator_code"]]
        assert (row["status"], row["basis"]) == (expected.status, expected.basis), row
        assert abs(Fraction(row["points"]) - expected.points) < NEARLY, row
        assert abs(Fraction(row["coverage"]) - expected.coverage) < NEARLY, row
        assert (row["uncapped_share"] is None) == (expected.uncapped is None), row
        if expected.uncapped is not None:
            assert abs(Fraction(row["uncapped_share"]) - expected.uncapped) < NEARLY, row
            assert row["is_capped"] == (expected.uncapped > 1), row
    for table, code, indices in (
        ("pillar_index", "pillar_code", pillars),
        ("composite_index", "composite_code", composites),
    ):
        rows = ready.rows(table, "run_id = 'test'")
        assert {(row[code], row["unit_id"]) for row in rows} == {(c, u) for c, own in indices.items() for u in own}
        for row in rows:
            index = indices[row[code]][row["unit_id"]]
            assert Fraction(row["index_value"]) == index.value, row
            assert (row["rank_national"], row["rank_region"]) == (index.rank_national, index.rank_region), row
            assert abs(Fraction(row["index_unrounded"]) - index.unrounded) < NEARLY, row
            assert abs(Fraction(row["coverage"]) - index.coverage) < NEARLY, row


def drawn_framework(data: st.DataObject, framework: Any) -> Framework:
    rows = data.draw(indicators(), label="indicators")
    bases = data.draw(st.permutations(method.BASES), label="bases")[: data.draw(st.integers(1, 3))]
    pillars = sorted({row["pillar_code"] for row in rows} - {"Z"})
    weights = {pillar: data.draw(st.integers(1, 9)) for pillar in pillars}
    some = {
        "name_vi": "x",
        "name_en": "x",
        "provenance": "quoted",
        "total_weight": sum(weights.values()),
        "weights": weights,
    }
    built: Framework = framework(rows, basis_order=bases, composites={"SOME": some})
    return built


@pytest.mark.parametrize("geography", ["63", "34"])
def test_units_by_themselves(ready: Any, framework: Any, geography: str) -> None:
    region = method.units(geography)

    @settings(QUICK, max_examples=40)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        own = drawn_framework(data, framework)
        given_values = data.draw(values(PARTS if geography == "63" else MERGED)) | months(set(region), 12)
        oracle, metrics = as_oracle(own), {key: Fraction(value) for key, value in given_values.items()}
        with ready.connection.begin_nested() as example:
            store_framework(ready.connection, own)
            run = run_of(own, geography)
            open_run(ready.connection, run)
            insert_values(ready, "test", given_values, into="metric_value")
            score(ready.connection, run, ready.settings)
            compare(ready, oracle, method.all_scores(oracle, metrics, region), region)
            example.rollback()

    holds()


def test_former_provinces_averaged(ready: Any, framework: Any) -> None:
    @settings(QUICK, max_examples=40)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        own = drawn_framework(data, framework)
        former, merged = method.units("63"), method.units("34")
        given_values = data.draw(values(PARTS)) | months(set(former), 12)
        oracle, metrics = as_oracle(own), {key: Fraction(value) for key, value in given_values.items()}
        with ready.connection.begin_nested() as example:
            store_framework(ready.connection, own)
            parts = run_of(own, "63", run_id="parts")
            run = run_of(own, "34", merge_method="average", parts_run_id="parts")
            for each in (parts, run):
                open_run(ready.connection, each)
                if each is parts:
                    insert_values(ready, "parts", given_values, into="metric_value")
                score(ready.connection, each, ready.settings)
            theirs = method.all_scores(oracle, metrics, former)
            scores = merging.averaged(theirs, FORMER)
            compare(ready, oracle, scores, merged)
            # A province that merged with nothing keeps its points, and the mean of indices is the index of means.
            assert all(
                scores["P34-01", row["code"]].points == theirs["P63-01", row["code"]].points for row in oracle.rows
            )
            first, second = method.indices(oracle, theirs, former), method.indices(oracle, scores, merged)
            for before, after in zip(first, second, strict=True):
                for code, index in after.items():
                    of_parts = [before[code][part].unrounded for part in FORMER["P34-79"]]
                    assert index["P34-79"].unrounded == sum(of_parts) / len(of_parts)
            example.rollback()

    holds()


def test_former_provinces_and_new_ones_recomputed(ready: Any, framework: Any, oracle_rules: merging.Rules) -> None:
    region = method.units("34")
    counts = {unit: len(parts) for unit, parts in FORMER.items()}

    @settings(QUICK, max_examples=60)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        own = drawn_framework(data, framework)
        given_values = data.draw(values(PARTS)) | months(set(NEW), 6)
        if crosses := data.draw(st.booleans(), label="the year crosses the merger"):
            given_values |= data.draw(values(MERGED)) | months(set(region), 6)
        oracle, metrics = as_oracle(own), {key: Fraction(value) for key, value in given_values.items()}
        with ready.connection.begin_nested() as example:
            store_framework(ready.connection, own)
            run = run_of(own, "34", merge_method="recomputed")
            open_run(ready.connection, run)
            insert_values(ready, "test", given_values, into="metric_part")
            score(ready.connection, run, ready.settings)
            merged, parts = merging.recomputed(metrics, FORMER, oracle_rules)
            found = {
                (r["unit_id"], r["metric"], r["feed"], "measured" if r["basis"] == "calendar" else r["basis"]): r
                for r in ready.rows("metric_value", "run_id = 'test'")
            }
            assert found.keys() == merged.keys()
            if not crosses:  # a province that merged with nothing keeps every figure
                alone = {key[1:]: value for key, value in metrics.items() if key[0] == "P63-01"}
                assert {key[1:]: Fraction(row["value"]) for key, row in found.items() if key[0] == "P34-01"} == alone
            for key, row in found.items():
                assert abs(Fraction(row["value"]) - merged[key]) < NEARLY, row
                assert tuple(row["parts"]) == parts.get(key, ()), row
            compare(ready, oracle, method.all_scores(oracle, merged, region, parts, counts), region)
            example.rollback()

    holds()
