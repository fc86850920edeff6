"""How a framework stands among the others: no year of one kind of unit may have two methods for the same thing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from dti.index.model import Finding, Framework, InForce, nearest_line
from dti.index.published import PublishedFramework
from dti.settings import Settings

Kept = Framework | PublishedFramework


def unit_levels(settings: Settings) -> frozenset[tuple[str, str]]:
    """Every (geography, unit_level) of ``include/reference/unit.csv``."""
    with (settings.include_dir / "reference" / "unit.csv").open(encoding="utf-8", newline="") as file:
        return frozenset((row["geography"], row["unit_level"]) for row in csv.DictReader(file))


def lint_beside(framework: Kept, others: Iterable[Kept], known_units: frozenset[tuple[str, str]]) -> list[Finding]:
    """What is wrong with ``framework`` only when one looks at the ``others`` and at the units there are."""
    others = list(others)
    return [*_units(framework, known_units), *_replaces(framework, others), *_overlaps(framework, others)]


def _found(framework: Kept, keys: tuple[str, ...], what: str, remedy: str) -> Finding:
    file = str(Path(framework.folder) / "framework.yml")
    return Finding(file=file, line=nearest_line(framework.lines, keys), what=what, remedy=remedy)


def _units(framework: Kept, known: frozenset[tuple[str, str]]) -> Iterator[Finding]:
    levels = {level for geography, level in known if framework.geography in {None, geography}}
    if framework.unit_level not in levels:
        whose = f"geography {framework.geography}" if framework.geography else "include/reference/unit.csv"
        what = f"{whose} has no units of level {framework.unit_level}"
        yield _found(framework, ("unit_level",), what, f"known there: {', '.join(sorted(levels)) or 'none'}")


def _replaces(framework: Kept, others: Iterable[Kept]) -> Iterator[Finding]:
    if isinstance(framework, PublishedFramework) or framework.replaces is None:
        return
    replaced = {other.framework_id: other for other in others}.get(framework.replaces)
    if replaced is None:
        what = f"replaces {framework.replaces}, which is no framework"
        yield _found(framework, ("replaces",), what, "correct the id, or remove the key")
    elif replaced.decision != framework.decision:
        what = f"of decision {framework.decision} replaces {framework.replaces} of decision {replaced.decision}"
        yield _found(framework, ("replaces",), what, "remove the key; a later decision follows by its years in force")


def _overlaps(framework: Kept, others: Iterable[Kept]) -> Iterator[Finding]:
    for other in others:
        if (framework.family, framework.unit_level) != (other.family, other.unit_level):
            continue
        if framework.geography and other.geography and framework.geography != other.geography:
            continue
        if _replaced(framework, other) or _replaced(other, framework):
            continue
        if years := _common(framework.in_force, other.in_force):
            what = f"in force for {years} like {other.framework_id}, of the same family and unit level"
            remedy = "part the years, give another family, or state which one it replaces"
            yield _found(framework, ("in_force",), what, remedy)


def _replaced(newer: Kept, older: Kept) -> bool:
    return isinstance(newer, Framework) and newer.replaces == older.framework_id


def _common(one: InForce, other: InForce) -> str:
    first = max(one.from_year, other.from_year)
    ends = [years.to_year for years in (one, other) if years.to_year is not None]
    if not ends:
        return f"{first} and after"
    last = min(ends)
    return "" if last < first else str(first) if last == first else f"{first} to {last}"
