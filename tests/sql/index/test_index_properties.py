"""What must hold of every index, whatever the method and the values; compared with exact fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

UNITS = ("P34-66", "P34-68", "P34-01")
HALF = Fraction(1, 2)

counts = st.one_of(st.none(), st.integers(0, 50), st.decimals(0, 50, places=3))
rules = st.one_of(
    st.just({"rule": "yes_no"}),
    st.just({"rule": "ratio", "denominator_metric": "d"}),
    st.builds(
        lambda target: {"rule": "target_ratio", "denominator_metric": "d", "target": target},
        st.decimals("0.001", 3, places=3),
    ),
    st.builds(lambda target: {"rule": "target_count", "target": target}, st.integers(1, 30)),
    st.just({"rule": "steps", "steps": [{"threshold": 1, "share": "0.5"}, {"threshold": 7, "share": 1}]}),
)


@st.composite
def methods(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to five indicators in one or two pillars, each with a numerator of its own."""
    return [
        {
            **draw(rules),
            "max_points": draw(st.integers(1, 20)),
            "pillar_code": draw(st.sampled_from("AB")),
            "numerator_metric": f"n{number}",
        }
        for number in range(draw(st.integers(1, 5)))
    ]


def values_of(draw: st.DrawFn, indicators: list[dict[str, Any]]) -> dict[tuple[str, str, str, str], object]:
    metrics = [*(indicator["numerator_metric"] for indicator in indicators), "d"]
    drawn = {(unit, metric, "online_services", "measured"): draw(counts) for unit in UNITS for metric in metrics}
    return {key: value for key, value in drawn.items() if value is not None}


def share(indicator: dict[str, Any], numerator: Fraction, denominator: Fraction | None) -> Fraction:
    """The rule in exact fractions."""
    value = numerator if denominator is None else numerator / denominator
    if indicator["rule"] == "yes_no":
        return Fraction(int(value >= 1))
    if indicator["rule"] == "steps":
        return max([Fraction(0), *(Fraction(s["share"]) for s in indicator["steps"] if value >= s["threshold"])])
    return min(max(value / Fraction(indicator.get("target", 1)), Fraction(0)), Fraction(1))


def exact_pillars(indicators: list[dict[str, Any]], values: dict[Any, Any], unit: str) -> dict[str, Fraction]:
    """Pillar → index, worked out by hand."""
    earned: dict[str, Fraction] = {}
    top: dict[str, int] = {}
    for indicator in indicators:
        numerator = values.get((unit, indicator["numerator_metric"], "online_services", "measured"))
        denominator = values.get((unit, "d", "online_services", "measured"))
        fraction = "denominator_metric" in indicator
        known = numerator is not None and (not fraction or (denominator is not None and denominator > 0))
        gained = share(indicator, Fraction(numerator), Fraction(denominator) if fraction else None) if known else 0
        code = indicator["pillar_code"]
        earned[code] = earned.get(code, Fraction(0)) + gained * indicator["max_points"]
        top[code] = top.get(code, 0) + indicator["max_points"]
    return {code: points / top[code] for code, points in earned.items()}


def as_published(value: Fraction) -> Decimal:
    return Decimal(int(value * 10_000 + HALF)) / 10_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_indices_are_the_exact_ones_and_ranks_those_of_their_rounded_values(
    data: st.DataObject, scorer: Any, framework: Any
) -> None:
    indicators = data.draw(methods())
    values = values_of(data.draw, indicators)
    with scorer.connection.begin_nested() as example:
        scorer.score(framework(indicators), values)
        pillars, wholes = scorer.rows("pillar_index"), scorer.rows("composite_index")
        example.rollback()
    for unit in UNITS:
        exact = exact_pillars(indicators, values, unit)
        own = {row["pillar_code"]: row for row in pillars if row["unit_id"] == unit}
        assert {code: row["index_value"] for code, row in own.items()} == {
            code: as_published(value) for code, value in exact.items()
        }
        assert all(
            abs(Fraction(row["index_unrounded"]) - exact[code]) < Fraction(1, 10**24) for code, row in own.items()
        )
        points = sum(row["points"] for row in own.values()) / sum(i["max_points"] for i in indicators)
        (whole,) = [row for row in wholes if row["unit_id"] == unit]
        assert abs(whole["index_unrounded"] - points) < Decimal("1e-20"), "from pillars as from points"
    for rows in (pillars, wholes):
        for row in rows:
            rivals = [r for r in rows if r.get("pillar_code") == row.get("pillar_code")]
            assert row["rank_national"] == 1 + sum(r["index_value"] > row["index_value"] for r in rivals)
            assert 0 <= row["index_value"] <= 1
            assert 0 <= row["coverage"] <= 1


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_raising_a_numerator_never_lowers_its_unit(data: st.DataObject, scorer: Any, framework: Any) -> None:
    indicators = data.draw(methods())
    values = values_of(data.draw, indicators)
    unit, metric = data.draw(st.sampled_from(UNITS)), data.draw(st.sampled_from(indicators))["numerator_metric"]
    key = (unit, metric, "online_services", "measured")
    raised = {**values, key: Decimal(str(values.get(key, 0))) + data.draw(st.decimals("0.001", 20, places=3))}

    def whole(given_values: dict[Any, object]) -> Decimal:
        with scorer.connection.begin_nested() as example:
            scorer.score(framework(indicators), given_values)
            (row,) = scorer.rows("composite_index", f"unit_id = '{unit}'")
            example.rollback()
        return Decimal(row["index_unrounded"])

    assert whole(raised) >= whole(values)
