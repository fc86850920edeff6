"""What each province's pillars must come to, from the published figures of a year."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[2] / "include"
NEEDED = ("PDTI", "HT", "CQS", "KTS", "XHS")
WEIGHTS = {
    pillar: Fraction(weight, 1000)
    for pillar, weight in (
        ("NT", 100), ("TC", 100), ("HT", 100), ("NL", 100), ("AT", 100), ("CQS", 200), ("KTS", 150), ("XHS", 150),
    )
}  # fmt: skip
"""PDTI under Decision 922; confirmed by recomputing the provinces whose eight pillars were published."""
COMPOSITES = {"CHINH_QUYEN_SO": "CQS", "KINH_TE_SO": "KTS", "XA_HOI_SO": "XHS"}
"""Composite → the activity pillar that it weighs beside the five of the foundation."""
FOUNDATION = ("NT", "TC", "HT", "NL", "AT")
SPLIT = ("NT", "TC", "NL", "AT")
MARGIN = Fraction(3, 100_000)
"""How far from a published value its target may lie: less than HALF, so that it surely rounds to it."""
HALF = Fraction(1, 20_000)
"""Published values are rounded to 0.0001."""


class NotReplayableError(ValueError):
    """The year cannot be replayed; the text says why."""


@dataclass(frozen=True)
class Target:
    """Unrounded pillar indices of one province. ``assumed``: pillars of which only the mean follows from PDTI."""

    unit_id: str
    name: str
    pillars: Mapping[str, Fraction]
    assumed: tuple[str, ...]


@lru_cache(maxsize=4)
def targets(year: int) -> tuple[Target, ...]:
    """The 63 provinces of a published year, by code. Raises NotReplayableError naming what was not published."""
    published: dict[str, dict[str, Fraction]] = {}
    decisions = set()
    with (INCLUDE / "reference" / "published_index.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if int(row["year"]) == year and row["geography"] == "63" and row["value"]:
                published.setdefault(row["unit_id"], {})[row["measure"]] = Fraction(row["value"])
                decisions.add(row["decision"])
    with (INCLUDE / "reference" / "unit.csv").open(encoding="utf-8", newline="") as file:
        units = {row["unit_id"]: row["name_vi"] for row in csv.DictReader(file) if row["geography"] == "63"}
    if decisions - {"922/QĐ-BTTTT"}:
        raise NotReplayableError(
            f"{year} was published under {', '.join(sorted(decisions))}, whose points are not known"
        )
    lacking = [m for m in NEEDED if any(m not in published.get(unit, {}) for unit in units)]
    if lacking:
        raise NotReplayableError(f"{', '.join(lacking)} of {year} is not published for all 63 provinces")
    return tuple(_target(unit, name, published[unit]) for unit, name in sorted(units.items()))


def _target(unit: str, name: str, published: Mapping[str, Fraction]) -> Target:
    known = {p: published[p] for p in WEIGHTS if p in published}
    assumed = tuple(p for p in WEIGHTS if p not in known)
    if not assumed:
        return Target(unit, name, _nudged(known, published["PDTI"]), ())
    if set(assumed) != set(SPLIT):
        raise NotReplayableError(
            f"{name}: {', '.join(assumed)} are not published; only {', '.join(SPLIT)} may be missing"
        )
    rest = (_whole(name, known, published) - sum(WEIGHTS[p] * v for p, v in known.items())) / WEIGHTS["TC"]
    # Institutions are yes or no in steps of 5 of 100 points; the other three share what is left of the mean evenly.
    institutions = min(Fraction(1), Fraction(round(rest / 4 * 20), 20))
    other = (rest - institutions) / 3
    if not 0 <= other <= 1:
        raise NotReplayableError(f"{name}: no split of {float(rest):.4f} over {', '.join(SPLIT)}")
    return Target(unit, name, known | {"TC": institutions, "NT": other, "NL": other, "AT": other}, assumed)


def _whole(name: str, known: Mapping[str, Fraction], published: Mapping[str, Fraction]) -> Fraction:
    """PDTI before rounding: the published one, moved as little as makes the published composites come out too."""
    activities = sum((WEIGHTS[p] * known[p] for p in COMPOSITES.values()), Fraction(0))
    for moved in sorted((MARGIN * step / 6 for step in range(-6, 7)), key=abs):
        foundation = published["PDTI"] + moved - activities
        composites = {
            code: (foundation + WEIGHTS[p] * known[p]) / (sum(WEIGHTS[f] for f in FOUNDATION) + WEIGHTS[p])
            for code, p in COMPOSITES.items()
        }
        if all(abs(composites[code] - published[code]) < HALF for code in composites if code in published):
            return published["PDTI"] + moved
    raise NotReplayableError(f"{name}: its published PDTI, pillars and composites contradict each other")


def _nudged(pillars: Mapping[str, Fraction], whole: Fraction) -> dict[str, Fraction]:
    """Published pillars, moved inside their own rounding so that PDTI rounds to what was published."""
    computed = sum((WEIGHTS[p] * v for p, v in pillars.items()), Fraction(0))
    gap = min(max(computed, whole - MARGIN), whole + MARGIN) - computed
    free = {p for p in pillars if p != "TC"}
    step = gap / sum((WEIGHTS[p] for p in free), Fraction(0))
    return {p: v + step if p in free else v for p, v in pillars.items()}
