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

from tests.oracle.correcting import Fix

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = {
    "PDTI": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "CQS": 200, "KTS": 150, "XHS": 150},
    "CHINH_QUYEN_SO": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "CQS": 200},
    "KINH_TE_SO": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "KTS": 150},
    "XA_HOI_SO": {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "XHS": 150},
}
BASES = ("measured", "appraised", "declared")
# (unit, metric, feed, basis) → value; feed is the measuring feed, or 'declarations' for the other two bases
Key = tuple[str, str, str, str]
Metrics = dict[Key, Fraction]
# The former provinces that a merged value was made of; what is not in it is the unit's own.
Parts = dict[Key, tuple[str, ...]]


@dataclass(frozen=True)
class Method:
    """A framework: rows as in indicators.csv, composites as weights over pillars, and which basis wins."""

    rows: list[dict[str, str]]
    composites: dict[str, dict[str, Fraction]]
    bases: tuple[str, ...] = BASES


@dataclass(frozen=True)
class Score:
    """What one indicator gives one unit; ``coverage`` is the share of the unit that the value speaks for."""

    status: str
    basis: str | None
    points: Fraction
    max_points: Fraction
    coverage: Fraction = Fraction(1)
    uncapped: Fraction | None = None


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


def _value(
    metrics: Metrics,
    parts: Parts,
    unit: str,
    metric: str,
    feed: str,
    order: tuple[str, ...],
    alike: tuple[str, ...] | None,
) -> tuple[Fraction, str, tuple[str, ...]] | None:
    """The first value in the order of bases; with ``alike``, the first that was made of the same provinces."""
    for basis in order:
        key = (unit, metric, feed if basis == "measured" else "declarations", basis)
        made_of = parts.get(key, ())
        if key in metrics and alike in {None, made_of}:
            return metrics[key], basis, made_of
    return None


def score(
    row: dict[str, str],
    unit: str,
    metrics: Metrics,
    parts: Parts | None = None,
    bases: tuple[str, ...] = BASES,
    parts_count: int = 1,
    fix: Fix | None = None,
) -> Score:
    """Points of one indicator (a row of indicators.csv) for one unit, merged from ``parts_count`` former ones."""
    top = Fraction(row["max_points"])
    status, basis, value, coverage = _found(row, unit, metrics, parts or {}, bases, parts_count)
    if fix and fix.holds(value) and not (row["rule"] == "manual" and top == 0):
        if fix.action == "drop" and value is not None:
            status, value, coverage = "missing", None, Fraction(0)
        elif fix.action == "scale" and value is not None:
            value *= fix.amount
        elif fix.action == "override":
            status, value, coverage = "scored", fix.amount, Fraction(1)
    if value is None:
        return Score(status, basis, Fraction(0), top, coverage)
    share = value / top if row["rule"] == "manual" else _share(row["rule"], row["target"], value)
    return Score("scored", basis, min(max(share, Fraction(0)), Fraction(1)) * top, top, coverage, share)


def _found(
    row: dict[str, str], unit: str, metrics: Metrics, parts: Parts, bases: tuple[str, ...], parts_count: int
) -> tuple[str, str | None, Fraction | None, Fraction]:
    """Status, basis, value and coverage of what the metrics give."""
    numerator = _value(metrics, parts, unit, row["numerator_metric"], row["feed"], bases, None)
    if numerator is None:
        return "missing", None, None, Fraction(0)
    n, basis, made_of = numerator
    coverage = Fraction(len(made_of), parts_count) if made_of else Fraction(1)
    value = n
    if row["denominator_metric"]:
        order = (basis, *(b for b in bases if b != basis))
        denominator = _value(metrics, parts, unit, row["denominator_metric"], row["feed"], order, made_of)
        if denominator is None:
            denominator = _value(metrics, parts, unit, row["denominator_metric"], "calendar", ("measured",), None)
        if denominator is None:
            return "missing", basis, None, Fraction(0)
        if denominator[0] == 0:
            return "undefined", basis, None, coverage
        value = n / denominator[0]
    if row["rule"] == "manual" and Fraction(row["max_points"]) == 0:  # the points themselves are stated
        return "undefined", basis, None, coverage
    return "scored", basis, value, coverage


def _share(rule: str, target: str, value: Fraction) -> Fraction:
    """The share of its points that a value is worth, before it is capped."""
    if rule == "yes_no":
        return Fraction(int(value >= 1))
    if rule == "ratio":
        return value
    if rule in {"target_ratio", "target_count"}:
        return value / Fraction(target)
    if rule == "steps":
        share = Fraction(0)
        for step in target.split(";"):
            threshold, gives = step.split("=")
            if value >= Fraction(threshold):
                share = Fraction(gives)
        return share
    raise AssertionError(f"the oracle does not know rule {rule}")


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


Scores = dict[tuple[str, str], Score]
Indices = dict[str, dict[str, Index]]


def index(metrics: Metrics, geography: str = "34", framework: str = "922-2022") -> tuple[Scores, Indices, Indices]:
    """All scores by (unit, indicator), indices by pillar and unit, and composites by code and unit."""
    weights = {code: {p: Fraction(w) for p, w in own.items()} for code, own in WEIGHTS.items()}
    method = Method(indicators(framework), weights)
    region = units(geography)
    scores = all_scores(method, metrics, region)
    return (scores, *indices(method, scores, region))


def all_scores(
    method: Method, metrics: Metrics, region: dict[str, str], parts: Parts | None = None,
    parts_counts: dict[str, int] | None = None, fixes: dict[tuple[str, str], Fix] | None = None,
) -> Scores:  # fmt: skip
    """Every indicator of every unit."""
    counts, fixes = parts_counts or {}, fixes or {}
    return {
        (unit, row["code"]): score(
            row, unit, metrics, parts, method.bases, counts.get(unit, 1), fixes.get((unit, row["code"]))
        )
        for row in method.rows
        for unit in region
    }


def indices(method: Method, scores: Scores, region: dict[str, str]) -> tuple[Indices, Indices]:
    """Pillars and composites of all units from their scores."""
    by_pillar: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for row in method.rows:
        for unit in region:
            by_pillar[row["pillar_code"], unit].append(scores[unit, row["code"]])
    raw: dict[str, dict[str, Fraction]] = defaultdict(dict)
    known: dict[str, dict[str, Fraction]] = defaultdict(dict)
    for (pillar, unit), own in by_pillar.items():
        if top := sum((p.max_points for p in own), Fraction(0)):
            raw[pillar][unit] = sum((p.points for p in own), Fraction(0)) / top
            known[pillar][unit] = sum((p.max_points * p.coverage for p in own), Fraction(0)) / top
    pillars = {pillar: _index(raw[pillar], known[pillar], region) for pillar in raw}
    composites = {}
    for code, weights in method.composites.items():
        whole = sum(weights.values())
        mean = {u: sum((w * raw[p][u] for p, w in weights.items()), Fraction(0)) / whole for u in region}
        seen = {u: sum((w * known[p][u] for p, w in weights.items()), Fraction(0)) / whole for u in region}
        composites[code] = _index(mean, seen, region)
    return pillars, composites
