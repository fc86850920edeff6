"""Figures that provinces declare and that appraisers check: what is so, and who stated what on which day.

``declared.csv`` says how each figure is drawn. ``yes_no``: 1 with a chance from low to high, by maturity; ``level``:
0 to 2; ``count``: from low to high; ``people``: a share of the population; ``base``: an amount that grows with the
root of the population; ``zero``: the same, and nothing at all in every fifth province; ``part``: a share of another
figure. ``grows`` = year: the figure adds up from January on.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from sandbox.world.draws import draw, whole
from sandbox.world.units import Unit, maturity, units_on


@dataclass(frozen=True)
class Rule:
    """How one figure is drawn."""

    metric: str
    kind: str
    of: str
    low: float
    high: float
    grows: bool


@dataclass(frozen=True)
class Statement:
    """One figure of one province as stated on one day: declared by the province, or appraised."""

    unit: Unit
    metric: str
    basis: str
    period_year: int
    stated_on: date
    value: float
    evidence: str


@lru_cache(maxsize=1)
def rules() -> dict[str, Rule]:
    """All figures by metric, in the order of the form."""
    with (Path(__file__).parent / "declared.csv").open(encoding="utf-8", newline="") as lines:
        return {
            r["metric"]: Rule(r["metric"], r["kind"], r["of"], float(r["low"]), float(r["high"]), r["grows"] == "year")
            for r in csv.DictReader(lines)
        }


def _share(seed: int, unit: Unit, rule: Rule, year: int) -> float:
    return 0.55 * maturity(seed, unit, year) + 0.45 * draw(seed, "figure", unit.code, rule.metric)


@lru_cache(maxsize=200_000)
def figure(seed: int, unit: Unit, metric: str, year: int, quarter: int) -> float:
    """What is so at the end of a quarter, in the metric's unit; money has one decimal, all else is whole."""
    rule = rules()[metric]
    if rule.kind == "part":
        base = figure(seed, unit, rule.of, year, quarter)
        return _whole(metric, base * (rule.low + (rule.high - rule.low) * _share(seed, unit, rule, year)))
    share = _share(seed, unit, rule, year)
    amount = rule.low + (rule.high - rule.low) * share
    if rule.kind == "yes_no":
        chance = rule.low + (rule.high - rule.low) * maturity(seed, unit, year)
        return float(draw(seed, "yes", unit.code, metric) < chance)
    if rule.kind in {"level", "count"}:
        return float(min(rule.high, int(amount + 0.5)))
    if rule.kind == "people":
        amount *= unit.population
    elif rule.kind == "zero" and draw(seed, "none", unit.code, metric) < 0.2:
        return 0.0
    else:
        amount *= (unit.population / 2_000_000) ** 0.5
    return _whole(metric, amount * quarter / 4 if rule.grows else amount)


def _whole(metric: str, amount: float) -> float:
    return round(amount, 1) if metric.endswith(("spending", "_value", "grdp", "sales")) else float(round(amount))


def _is_stated(seed: int, unit: Unit, metric: str, year: int) -> bool:
    """Some provinces leave much of the form empty; all leave a little of it."""
    gaps = 0.15 if draw(seed, "careless", unit.code) < 0.08 else 0.02
    return draw(seed, "left out", unit.code, metric, year) >= gaps


def _rounds(year: int) -> Iterator[tuple[str, date, int, float]]:
    """Basis, earliest day, quarter and share of the figures of each round of a year."""
    for quarter in (1, 2, 3):
        yield "declared", date(year, quarter * 3 + 1, 8), quarter, 1.0
    yield "appraised", date(year, 5, 18), 1, 0.4
    yield "declared", date(year + 1, 1, 12), 4, 1.0
    yield "appraised", date(year + 1, 5, 18), 4, 0.9


def statements(seed: int, day: date, wanted: Callable[[Unit], bool] = lambda _: True) -> Iterator[Statement]:
    """All that the ``wanted`` provinces stated by ``day`` for this year, and for the last year its final round."""
    for year in (day.year - 1, day.year):
        for basis, first, quarter, coverage in _rounds(year):
            if year < day.year and quarter < 4:
                continue
            for unit in units_on(first):
                stated_on = first + timedelta(days=whole(0, 8, seed, "stated", unit.code, year, basis, quarter))
                if stated_on <= day and wanted(unit):
                    yield from _form(seed, unit, year, basis, stated_on, quarter, coverage)


def _form(
    seed: int, unit: Unit, year: int, basis: str, stated_on: date, quarter: int, coverage: float
) -> Iterator[Statement]:
    for metric, rule in rules().items():
        if not _is_stated(seed, unit, metric, year) or draw(seed, "appraised", unit.code, metric, year) >= coverage:
            continue
        value = figure(seed, unit, metric, year, quarter)
        if basis == "declared" and rule.kind == "part":
            kinder = value * (1 + 0.06 * draw(seed, "kinder", unit.code, metric, year))
            value = max(value, min(_whole(metric, kinder), figure(seed, unit, rule.of, year, quarter)))
        paper = "BC-UBND" if basis == "declared" else "BB-HĐTĐ"
        number = whole(1, 900, seed, "paper", unit.code, year, basis, quarter)
        evidence = f"{number}/{paper} - {stated_on:%d/%m/%Y}: Báo cáo số liệu chuyển đổi số năm {year}"
        yield Statement(unit, metric, basis, year, stated_on, value, evidence)
