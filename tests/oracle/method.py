"""The oracle's method: Decision 922 worked out with fractions, sharing no code with the project.

It reads the framework's CSV (the method is data) and the unit list, and is given the value of every metric. It exists
to disagree with the warehouse when one of the two is wrong.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = {
    "PDTI": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "CQS": 200, "KTS": 150, "XHS": 150},
    "CHINH_QUYEN_SO": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "CQS": 200},
    "KINH_TE_SO": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "KTS": 150},
    "XA_HOI_SO": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "XHS": 150},
}
BASES = ("measured", "appraised", "declared")
# (unit, metric, feed, basis) → value; feed is the measuring feed, or 'declarations' for the other two bases
Metrics = dict[tuple[str, str, str, str], Fraction]


@dataclass(frozen=True)
class Score:
    """What one indicator gives one unit."""

    status: str
    basis: str | None
    points: Fraction
    max_points: Fraction


@dataclass(frozen=True)
class Index:
    """A value as published: rounded, ranked nationally and in the region."""

    unrounded: Fraction
    value: Fraction
    rank_national: int
    rank_region: int
    coverage: Fraction


def four_decimals(value: Fraction) -> Fraction:
    """Half up on the exact value."""
    return Fraction(int(value * 10_000 + Fraction(1, 2)), 10_000)


def _value(metrics: Metrics, unit: str, metric: str, feed: str, order: tuple[str, ...]) -> tuple[Fraction, str] | None:
    for basis in order:
        found = metrics.get((unit, metric, feed if basis == "measured" else "declarations", basis))
        if found is not None:
            return found, basis
    return None


def score(row: dict[str, str], unit: str, metrics: Metrics) -> Score:
    """Points of one indicator (a row of indicators.csv) for one unit."""
    top = Fraction(row["max_points"])
    numerator = _value(metrics, unit, row["numerator_metric"], row["feed"], BASES)
    if numerator is None:
        return Score("missing", None, Fraction(0), top)
    n, basis = numerator
    share: Fraction
    if row["denominator_metric"]:
        order = (basis, *(b for b in BASES if b != basis))
        denominator = _value(metrics, unit, row["denominator_metric"], row["feed"], order)
        if denominator is None:
            denominator = _value(metrics, unit, row["denominator_metric"], "calendar", ("measured",))
        if denominator is None:
            return Score("missing", basis, Fraction(0), top)
        if denominator[0] == 0:
            return Score("undefined", basis, Fraction(0), top)
        share = n / denominator[0]
        if row["rule"] == "target_ratio":
            share /= Fraction(row["target"])
    elif row["rule"] == "yes_no":
        share = Fraction(int(n >= 1))
    elif row["rule"] == "target_count":
        share = n / Fraction(row["target"])
    elif row["rule"] == "steps":
        share = Fraction(0)
        for step in row["target"].split(";"):
            threshold, gives = step.split("=")
            if n >= Fraction(threshold):
                share = Fraction(gives)
    else:
        raise AssertionError(f"the oracle does not know rule {row['rule']}")
    return Score("scored", basis, min(max(share, Fraction(0)), Fraction(1)) * top, top)


def _ranks(values: dict[str, Fraction]) -> dict[str, int]:
    return {unit: 1 + sum(other > value for other in values.values()) for unit, value in values.items()}


def _index(unrounded: dict[str, Fraction], coverage: dict[str, Fraction], region: dict[str, str]) -> dict[str, Index]:
    rounded = {unit: four_decimals(value) for unit, value in unrounded.items()}
    national = _ranks(rounded)
    answer = {}
    for unit, value in unrounded.items():
        near = _ranks({u: v for u, v in rounded.items() if region[u] == region[unit]})
        answer[unit] = Index(value, rounded[unit], national[unit], near[unit], coverage[unit])
    return answer


def units(geography: str) -> dict[str, str]:
    """Unit id → region code."""
    with (ROOT / "include/reference/unit.csv").open(encoding="utf-8") as file:
        return {row["unit_id"]: row["region_code"] for row in csv.DictReader(file) if row["geography"] == geography}


def indicators(framework: str = "922-2022") -> list[dict[str, str]]:
    """The rows of the framework's indicators.csv."""
    with (ROOT / f"include/frameworks/{framework}/indicators.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def index(
    metrics: Metrics, geography: str = "34", framework: str = "922-2022"
) -> tuple[dict[tuple[str, str], Score], dict[str, dict[str, Index]], dict[str, dict[str, Index]]]:
    """All scores by (unit, indicator), indices by pillar and unit, and composites by code and unit."""
    region = units(geography)
    scores: dict[tuple[str, str], Score] = {}
    by_pillar: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for row in indicators(framework):
        for unit in region:
            scores[unit, row["code"]] = found = score(row, unit, metrics)
            by_pillar[row["pillar_code"], unit].append(found)
    raw: dict[str, dict[str, Fraction]] = defaultdict(dict)
    known: dict[str, dict[str, Fraction]] = defaultdict(dict)
    for (pillar, unit), parts in by_pillar.items():
        if top := sum((p.max_points for p in parts), Fraction(0)):
            raw[pillar][unit] = sum((p.points for p in parts), Fraction(0)) / top
            known[pillar][unit] = sum((p.max_points for p in parts if p.status != "missing"), Fraction(0)) / top
    pillars = {pillar: _index(raw[pillar], known[pillar], region) for pillar in raw}
    composites = {}
    for code, weights in WEIGHTS.items():
        whole = sum(weights.values())
        mean = {u: sum((w * raw[p][u] for p, w in weights.items()), Fraction(0)) / whole for u in region}
        seen = {u: sum((w * known[p][u] for p, w in weights.items()), Fraction(0)) / whole for u in region}
        composites[code] = _index(mean, seen, region)
    return scores, pillars, composites
