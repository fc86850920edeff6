"""The oracle's merging: former provinces into one, by averaging their points or by making one of their metrics.

Shares no code with the project; reads the reference CSVs by itself.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from tests.oracle.method import ROOT, Metrics, Parts, Scores

Rules = dict[tuple[str, str], tuple[str, str]]
"""(metric, feed) → (merge, aggregation)."""


def former_units() -> dict[str, list[str]]:
    """Unit of the 34 → those of the 63 it was made of."""
    former: dict[str, list[str]] = defaultdict(list)
    with (ROOT / "include/reference/unit_succession.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            former[row["unit_id_34"]].append(row["unit_id_63"])
    return {unit: sorted(parts) for unit, parts in former.items()}


def rules() -> Rules:
    """How each metric merges and adds up, as metrics.csv says."""
    with (ROOT / "include/reference/metrics.csv").open(encoding="utf-8") as file:
        return {(row["metric"], row["feed"]): (row["merge"], row["aggregation"]) for row in csv.DictReader(file)}


def averaged(scores: Scores, former: dict[str, list[str]]) -> Scores:
    """What a unit scores when its former provinces' points are averaged."""
    merged: Scores = {}
    for code in {code for _, code in scores}:
        for unit, parts in former.items():
            own = [scores[part, code] for part in parts]
            states, bases = {s.status for s in own}, {s.basis for s in own if s.basis}
            merged[unit, code] = replace(
                own[0],
                status=next(s for s in ("scored", "undefined", "missing") if s in states),
                basis=bases.pop() if len(bases) == 1 else None,
                points=sum((s.points for s in own), Fraction(0)) / len(own),
                coverage=sum((s.coverage for s in own), Fraction(0)) / len(own),
                uncapped=None,
            )
    return merged


def recomputed(metrics: Metrics, former: dict[str, list[str]], known_rules: Rules) -> tuple[Metrics, Parts]:
    """Metrics of merged units, and of which former provinces each was made, from everybody's own metrics."""
    merged: Metrics = {}
    made_of: Parts = {}
    for unit, parts in former.items():
        for metric, feed, basis in {key[1:] for key in metrics if key[0] in {unit, *parts}}:
            key = (unit, metric, feed, basis)
            merge, adding = _rule(known_rules, metric, feed)
            given = {
                part: metrics[part, metric, feed, basis] for part in parts if (part, metric, feed, basis) in metrics
            }
            if merge == "min" and len(given) < len(parts):
                given = {}
            own = metrics.get(key)
            if given and own is not None:
                theirs = _together(merge, list(given.values()))
                if basis == "measured" and adding in {"sum", "calendar"}:
                    merged[key] = own + theirs
                elif basis == "measured" and adding == "distinct":
                    merged[key] = max(own, *given.values())
                else:
                    merged[key] = own
            elif given:
                merged[key], made_of[key] = _together(merge, list(given.values())), tuple(sorted(given))
            elif own is not None:
                merged[key] = own
    return merged, made_of


def _rule(known_rules: Rules, metric: str, feed: str) -> tuple[str, str]:
    """By metric and feed, else by the metric in the first feed that has it; stated points average."""
    if (metric, feed) in known_rules:
        return known_rules[metric, feed]
    others = sorted(of for name, of in known_rules if name == metric)
    return known_rules[metric, others[0]] if others else ("mean", "last")


def _together(merge: str, values: list[Fraction]) -> Fraction:
    if merge == "mean":
        return sum(values, Fraction(0)) / len(values)
    return {"sum": sum, "min": min, "max": max}[merge](values)
