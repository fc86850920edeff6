"""Pillars from indicators, composites from pillars, rounding, ranks and coverage."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from dti.index.framework import load_framework

COUNT = {"rule": "target_count", "target": 10_000}


def measured(unit: str, metric: str, value: object) -> dict[tuple[str, str, str, str], object]:
    return {(unit, metric, "online_services", "measured"): value}


def test_every_unit_of_the_geography_has_every_row_known_or_not(scorer: Any, framework: Any) -> None:
    method = framework([COUNT, {**COUNT, "pillar_code": "B", "numerator_metric": "m"}])
    scorer.score(method, measured("P34-66", "n", 1))
    for table, rows in (("indicator_score", 2), ("pillar_index", 2), ("composite_index", 1)):
        assert len(scorer.rows(table)) == 34 * rows
        assert {row["unit_id"][:4] for row in scorer.rows(table)} == {"P34-"}
    (silent,) = scorer.rows("composite_index", "unit_id = 'P34-01'")
    assert (silent["index_value"], silent["coverage"], silent["rank_national"]) == (0, 0, 2)


def test_a_run_of_the_other_geography_has_its_63_units(scorer: Any, framework: Any) -> None:
    scorer.score(framework([COUNT]), measured("P63-66", "n", 1), geography="63")
    assert {row["unit_id"][:4] for row in scorer.rows("composite_index")} == {"P63-"}
    assert len(scorer.rows("composite_index")) == 63


def test_ranks_are_competition_ranks_of_the_rounded_value_nationally_and_in_the_region(
    scorer: Any, framework: Any
) -> None:
    # Đắk Lắk and Gia Lai differ only in the fifth decimal and so share a rank; Hà Nội lies in another region.
    counts = {"P34-68": 9_000, "P34-66": "8000.4", "P34-52": "8000.3", "P34-01": 8_001, "P34-48": "7999.4"}
    values: dict[Any, object] = {}
    for unit, count in counts.items():
        values |= measured(unit, "n", count)
    scorer.score(framework([COUNT]), values)
    region = dict(scorer.connection.execute(text("select unit_id, region_code from ref.unit")).all())
    assert len({region[unit] for unit in ("P34-68", "P34-66", "P34-52", "P34-48")}) == 1 != region["P34-01"]
    for table in ("pillar_index", "composite_index"):
        found = {row["unit_id"]: row for row in scorer.rows(table)}
        shown = {
            u: (str(r["index_value"]), r["rank_national"], r["rank_region"]) for u, r in found.items() if u in counts
        }
        assert shown == {
            "P34-68": ("0.9000", 1, 1),
            "P34-01": ("0.8001", 2, 1),
            "P34-66": ("0.8000", 3, 2),
            "P34-52": ("0.8000", 3, 2),
            "P34-48": ("0.7999", 5, 4),
        }
        assert found["P34-04"]["rank_national"] == 6, "units without data share the last rank"


@pytest.mark.parametrize(
    ("numerators", "denominator", "target", "published"),
    [
        (["0.12345", "0.12345", "0.12345"], 1, 1, "0.1235"),  # half up; as binary floats it would be 0.1234
        (["0.12335", "0.12335", "0.12335"], 1, 1, "0.1234"),  # up, though both neighbours lie equally near
        (["0.50004999999", "0.50004999999", "0.50004999999"], 1, 1, "0.5000"),  # really below the half
        # 0.036009 thirds of 0.02 are 0.60015, a third of which is 0.20005 exactly, though each third stops short.
        (["0.01", "0.01", "0.016009"], 3, "0.02", "0.2001"),
        ([1, 1, 1], 3, 1, "0.3333"),
        ([3, 3, 3], 3, 1, "1.0000"),
    ],
)
def test_an_index_is_rounded_once_half_up_on_its_decimal_value(
    scorer: Any, framework: Any, numerators: list[object], denominator: object, target: object, published: str
) -> None:
    third = {"rule": "target_ratio", "denominator_metric": "d", "target": target, "max_points": 1}
    values = measured("P34-66", "d", denominator)
    for number, numerator in enumerate(numerators):
        values |= measured("P34-66", f"n{number}", numerator)
    scorer.score(framework([{**third, "numerator_metric": f"n{number}"} for number in range(3)]), values)
    for table in ("pillar_index", "composite_index"):
        (row,) = scorer.rows(table, "unit_id = 'P34-66'")
        assert str(row["index_value"]) == published


def test_the_frameworks_decimals_count(scorer: Any, framework: Any) -> None:
    scorer.score(framework([COUNT], rounding={"decimals": 2, "mode": "half_up"}), measured("P34-66", "n", 1_250))
    (row,) = scorer.rows("pillar_index", "unit_id = 'P34-66'")
    assert str(row["index_value"]) == "0.13"


def test_coverage_is_the_share_of_points_that_is_not_missing(scorer: Any, framework: Any) -> None:
    ratio = {"rule": "ratio", "denominator_metric": "d"}
    method = framework(
        [
            {**COUNT, "max_points": 30},
            {**ratio, "max_points": 20, "numerator_metric": "m"},
            {**COUNT, "max_points": 50, "numerator_metric": "unknown"},
            {**COUNT, "max_points": 100, "pillar_code": "B", "numerator_metric": "unknown"},
        ]
    )
    values = {**measured("P34-66", "n", 0), **measured("P34-66", "m", 1), **measured("P34-66", "d", 0)}
    scorer.score(method, values)
    found = {row["pillar_code"]: row for row in scorer.rows("pillar_index", "unit_id = 'P34-66'")}
    assert found["A"]["coverage"] == Decimal("0.5"), "zero and undefined are known, missing is not"
    assert found["B"]["coverage"] == 0
    (whole,) = scorer.rows("composite_index", "unit_id = 'P34-66'")
    assert whole["coverage"] == Decimal("0.25")


def test_a_pillar_without_points_is_scored_but_has_no_index(scorer: Any, framework: Any) -> None:
    scorer.score(framework([COUNT, {**COUNT, "pillar_code": "Z", "max_points": 0}]), measured("P34-66", "n", 5_000))
    assert scorer.one(code="1.2")["status"] == "scored"
    assert {row["pillar_code"] for row in scorer.rows("pillar_index")} == {"A"}


def test_a_composite_is_the_weighted_mean_of_unrounded_pillars(scorer: Any, framework: Any) -> None:
    ratio = {"rule": "ratio", "denominator_metric": "d"}
    method = framework([{**ratio, "numerator_metric": f"n{n}", "pillar_code": code} for n, code in enumerate("ABC")])
    values = measured("P34-66", "d", 3)
    for n in range(3):
        values |= measured("P34-66", f"n{n}", 1)
    scorer.score(method, values)
    (whole,) = scorer.rows("composite_index", "unit_id = 'P34-66'")
    assert abs(whole["index_unrounded"] - Decimal(1) / 3) < Decimal("1e-24")
    points = sum(row["points"] for row in scorer.rows("indicator_score", "unit_id = 'P34-66'"))
    assert abs(whole["index_unrounded"] * 30 - points) < Decimal("1e-24"), "from pillars and from points alike"


@pytest.fixture
def published(scorer: Any) -> dict[str, dict[str, Decimal]]:
    """Unit → measure → value of 2022, for the provinces of which all eight pillars were published."""
    path = scorer.settings.include_dir / "reference" / "published_index.csv"
    by_unit: dict[str, dict[str, Decimal]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["year"] == "2022" and row["value"]:
                by_unit[row["unit_id"]][row["measure"]] = Decimal(row["value"])
    return {unit: values for unit, values in by_unit.items() if {"NT", "TC", "NL", "AT"} <= set(values)}


def test_published_pillars_of_2022_give_the_published_pdti(scorer: Any, published: Any) -> None:
    assert len(published) == 5
    method = load_framework("922-2022", settings=scorer.settings)
    scorer.begin(method, {}, geography="63")
    points = {pillar.code: pillar.max_points for pillar in method.pillars}
    scorer.connection.execute(
        text("insert into score.pillar_index values ('test', :unit, :pillar, 0, :points, :value, :value, 1, 1, 1)"),
        [
            {"unit": unit, "pillar": measure, "points": points[measure], "value": value}
            for unit, values in published.items()
            for measure, value in values.items()
            if measure in points
        ],
    )
    scorer.execute_file("40_composite_index.sql")
    found = {row["unit_id"]: row for row in scorer.rows("composite_index", "composite_code = 'PDTI'")}
    assert found.keys() == published.keys()
    for unit, row in found.items():
        assert abs(row["index_value"] - published[unit]["PDTI"]) <= Decimal("0.0001"), unit
    order = sorted(published, key=lambda unit: -published[unit]["PDTI"])
    assert [found[unit]["rank_national"] for unit in order] == [1, 2, 3, 4, 5]
