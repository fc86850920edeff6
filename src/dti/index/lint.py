"""What would make a wrong index: each check reads a framework and says where it breaks and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from dti.index.model import (
    RULES_WITH_DENOMINATOR,
    RULES_WITH_TARGET,
    Finding,
    Framework,
    Indicator,
    points_metric,
)

MetricKey = tuple[str, str]
"""A metric as one feed reports it: (metric, feed)."""

CALENDAR, STATED = "calendar", "declarations"
"""The feeds that are no measurement: the length of the period, and figures stated by a person."""


def lint(framework: Framework, metrics: Iterable[MetricKey]) -> list[Finding]:
    """Every mistake in ``framework``, sorted by file and line; ``metrics`` are the known (metric, feed) pairs."""
    known = frozenset(metrics)
    checks: list[Iterator[Finding]] = [check(framework) for check in _WHOLE]
    checks += [_unknown_metrics(framework, indicator, known) for indicator in framework.indicators]
    checks += [check(framework, indicator) for indicator in framework.indicators for check in _EACH]
    found = [finding for check in checks for finding in check]
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.what))


def _in_yaml(framework: Framework, keys: tuple[str | int, ...], what: str, remedy: str) -> Finding:
    file = str(Path(framework.folder) / "framework.yml")
    return Finding(file=file, line=framework.line_of(*keys), what=what, remedy=remedy)


def _in_csv(framework: Framework, indicator: Indicator, what: str, remedy: str) -> Finding:
    file = str(Path(framework.folder) / "indicators.csv")
    return Finding(file=file, line=indicator.line, what=f"{indicator.code}: {what}", remedy=remedy)


def _totals(framework: Framework) -> Iterator[Finding]:
    points = sum((pillar.max_points for pillar in framework.pillars), Decimal(0))
    if points != framework.max_points:
        yield _in_yaml(
            framework,
            ("max_points",),
            f"the pillars add up to {points} points, the decision to {framework.max_points}",
            "correct the pillars' max_points, or the total",
        )
    count = sum(pillar.component_count for pillar in framework.pillars)
    if count != framework.indicator_count:
        yield _in_yaml(
            framework,
            ("indicator_count",),
            f"the pillars add up to {count} indicators, the decision to {framework.indicator_count}",
            "correct the pillars' component_count, or the total",
        )


def _pillars(framework: Framework) -> Iterator[Finding]:
    seen = Counter(pillar.code for pillar in framework.pillars)
    for index, pillar in enumerate(framework.pillars):
        at = ("pillars", index)
        own = [indicator for indicator in framework.indicators if indicator.pillar_code == pillar.code]
        points = sum((indicator.max_points for indicator in own), Decimal(0))
        if seen[pillar.code] > 1:
            yield _in_yaml(framework, at, f"pillar {pillar.code} is declared twice", "rename or remove one of them")
        if pillar.max_points < 0:
            yield _in_yaml(framework, at, f"pillar {pillar.code} has {pillar.max_points} points", "give 0 or more")
        if len(own) != pillar.component_count:
            yield _in_yaml(
                framework,
                at,
                f"pillar {pillar.code} declares {pillar.component_count} indicators, indicators.csv has {len(own)}",
                "add or remove indicators until they agree",
            )
        if points != pillar.max_points:
            yield _in_yaml(
                framework,
                at,
                f"pillar {pillar.code} declares {pillar.max_points} points, its indicators add up to {points}",
                "correct the max_points of its indicators",
            )


def _composites(framework: Framework) -> Iterator[Finding]:
    points = {pillar.code: pillar.max_points for pillar in framework.pillars}
    for code, composite in framework.composites.items():
        for pillar, weight in composite.weights.items():
            at = ("composites", code, "weights", pillar)
            if pillar not in points:
                yield _in_yaml(framework, at, f"{code} weighs unknown pillar {pillar}", f"known: {', '.join(points)}")
            elif points[pillar] <= 0:
                yield _in_yaml(
                    framework, at, f"{code} weighs pillar {pillar}, which has no points and so no index", "remove it"
                )
            if weight <= 0:
                yield _in_yaml(framework, at, f"{code} gives pillar {pillar} weight {weight}", "give more than 0")
        total = sum(composite.weights.values(), Decimal(0))
        if total != composite.total_weight:
            yield _in_yaml(
                framework,
                ("composites", code),
                f"the weights of {code} add up to {total}, declared are {composite.total_weight}",
                "correct the weights, or total_weight",
            )


def _order_and_years(framework: Framework) -> Iterator[Finding]:
    if len(set(framework.basis_order)) != len(framework.basis_order):
        yield _in_yaml(framework, ("basis_order",), "a basis is listed twice", "list each basis once")
    years = framework.in_force
    if years.to_year is not None and years.to_year < years.from_year:
        what = f"in force from {years.from_year} to {years.to_year}"
        yield _in_yaml(framework, ("in_force",), what, "let from_year be the earlier one")
    if framework.folder and Path(framework.folder).resolve().name != framework.framework:
        what = f"declares framework {framework.framework!r} in folder {Path(framework.folder).resolve().name!r}"
        yield _in_yaml(framework, ("framework",), what, "name the folder after its framework")


def _duplicates(framework: Framework) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for indicator in framework.indicators:
        if indicator.code in first:
            what = f"the code stands already in line {first[indicator.code]}"
            yield _in_csv(framework, indicator, what, "give each indicator its own code")
        first.setdefault(indicator.code, indicator.line)


def _unknown_metrics(framework: Framework, indicator: Indicator, known: frozenset[MetricKey]) -> Iterator[Finding]:
    if indicator.rule == "manual":
        yield from _stated_points(framework, indicator)
        return
    feeds = {feed for _, feed in known}
    if indicator.feed not in feeds or indicator.feed == CALENDAR:
        remedy = f"known: {', '.join(sorted(feeds - {CALENDAR}))}"
        yield _in_csv(framework, indicator, f"unknown feed {indicator.feed}", remedy)
        return
    remedy = "correct the name, or add the metric to include/reference/metrics.csv and include/sql/metrics"
    if (indicator.numerator_metric, indicator.feed) not in known:
        what = f"numerator {indicator.numerator_metric} is no metric of feed {indicator.feed}"
        yield _in_csv(framework, indicator, what, remedy)
    denominator = indicator.denominator_metric
    if denominator and not {(denominator, feed) for feed in (indicator.feed, STATED, CALENDAR)} & known:
        what = f"denominator {denominator} is no metric of feed {indicator.feed}, of declarations or of the calendar"
        yield _in_csv(framework, indicator, what, remedy)


def _stated_points(framework: Framework, indicator: Indicator) -> Iterator[Finding]:
    """Points of a manual indicator are stated under one name only, so that no two indicators share them."""
    name = points_metric(framework.framework_id, indicator.code)
    if indicator.numerator_metric != name:
        what = f"rule manual takes its points from {name}, not from {indicator.numerator_metric}"
        yield _in_csv(framework, indicator, what, f"write {name}, or give the rule that scores the metric")
    if indicator.feed != STATED:
        yield _in_csv(framework, indicator, f"rule manual with feed {indicator.feed}", f"points are stated in {STATED}")
    if set(framework.basis_order) == {"measured"}:
        what = "rule manual needs stated points, but basis_order has no appraised and no declared"
        yield _in_csv(framework, indicator, what, "add appraised or declared to basis_order")


def _placing(framework: Framework, indicator: Indicator) -> Iterator[Finding]:
    pillars = [pillar.code for pillar in framework.pillars]
    if indicator.pillar_code not in pillars:
        yield _in_csv(framework, indicator, f"unknown pillar {indicator.pillar_code}", f"known: {', '.join(pillars)}")
    if indicator.max_points < 0:
        yield _in_csv(framework, indicator, f"max_points is {indicator.max_points}", "give 0 or more")


def _parts(framework: Framework, indicator: Indicator) -> Iterator[Finding]:
    rule, denominator, target = indicator.rule, indicator.denominator_metric, indicator.target
    if rule in RULES_WITH_DENOMINATOR and denominator is None:
        yield _in_csv(framework, indicator, f"rule {rule} needs a denominator", "name the denominator_metric")
    if rule not in RULES_WITH_DENOMINATOR and rule != "steps" and denominator is not None:
        yield _in_csv(framework, indicator, f"rule {rule} takes no denominator", "empty denominator_metric")
    if denominator == indicator.numerator_metric:
        yield _in_csv(framework, indicator, "numerator and denominator are the same", "correct one of them")
    if rule in RULES_WITH_TARGET and (target is None or target <= 0):
        yield _in_csv(framework, indicator, f"rule {rule} needs a target above 0", "give what earns full points")
    if rule not in RULES_WITH_TARGET and target is not None:
        yield _in_csv(framework, indicator, f"rule {rule} takes no target", "empty target, or correct the rule")


def _steps(framework: Framework, indicator: Indicator) -> Iterator[Finding]:
    if indicator.rule != "steps":
        return
    if not indicator.steps:
        yield _in_csv(framework, indicator, "rule steps needs steps", "write them into target: 0=0;1=0.5;2=1")
        return
    pairs = list(pairwise(indicator.steps))
    if any(low.threshold >= high.threshold for low, high in pairs):
        yield _in_csv(framework, indicator, "thresholds of the steps do not rise", "order the steps by threshold")
    if any(low.share > high.share for low, high in pairs):
        yield _in_csv(framework, indicator, "a higher step earns less", "let the shares rise with the thresholds")
    if any(not 0 <= step.share <= 1 for step in indicator.steps):
        yield _in_csv(framework, indicator, "a share lies outside 0 to 1", "give shares of the points, such as 0.5")
    if max(step.share for step in indicator.steps) != 1:
        yield _in_csv(framework, indicator, "no step earns the full points", "let the last step's share be 1")


_WHOLE: tuple[Callable[[Framework], Iterator[Finding]], ...] = (
    _totals,
    _pillars,
    _composites,
    _order_and_years,
    _duplicates,
)
_EACH: tuple[Callable[[Framework, Indicator], Iterator[Finding]], ...] = (_placing, _parts, _steps)
