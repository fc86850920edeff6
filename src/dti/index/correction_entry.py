"""A correction as a person writes it in ``include/corrections``, and what makes it one that can be applied."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from dti.gate.units import FIRST_DAY_OF_34, UnitDirectory, load_units
from dti.index.correction import Action, Correction, CorrectionId, Guard, Stated, Written
from dti.index.framework import load_framework
from dti.index.lint import CALENDAR, STATED
from dti.index.model import Basis, FrameworkId, IndicatorCode, MetricName, Number, Numerator, Text
from dti.settings import Settings

Fault = tuple[str, str]
"""What is wrong, and the remedy."""
_POINTS = "points."


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class EntryGuard(_Strict):
    """``guard: {value: 1346}``, also with days of its own; ``value: missing`` says that nothing was held."""

    value: Literal["missing"] | Written
    first_day: date | None = Field(default=None, alias="from")
    last_day: date | None = Field(default=None, alias="to")


class Entry(_Strict):
    """One item of ``corrections:``, key by key as docs/corrections.md explains them."""

    id: CorrectionId
    unit: Text
    metric: Numerator | None = None
    feed: MetricName | None = None
    basis: Basis | None = None
    indicator: IndicatorCode | None = None
    framework: FrameworkId | None = None
    year: int | None = Field(default=None, ge=1900, le=2200)
    first_day: date | None = Field(default=None, alias="from")
    last_day: date | None = Field(default=None, alias="to")
    action: Action
    value: Number | None = Field(default=None, ge=0)
    factor: Number | None = Field(default=None, ge=0)
    guard: EntryGuard | None = None
    reason: Text
    document: Text

    @property
    def days(self) -> tuple[date, date]:
        """First and last day; only of an entry without faults of period."""
        if self.year is not None:
            return date(self.year, 1, 1), date(self.year, 12, 31)
        return cast("date", self.first_day), cast("date", self.last_day)

    @property
    def is_stated(self) -> bool:
        """Whether it names a figure that somebody states for the year."""
        return self.basis in Stated


@dataclass(frozen=True)
class Known:
    """What entries are held against."""

    units: dict[str, tuple[str, date | None, date | None]]
    """Unit id → geography, first day, first day no longer valid."""
    directory: UnitDirectory
    feeds_of: dict[str, list[str]]
    """Metric → feeds that give it."""
    indicators_of: Callable[[str], list[str]]
    """Framework → its indicators; raises MethodError when it cannot be read."""

    def unit_id(self, text: str, first_day: date, last_day: date) -> str | None:
        """The unit that ``text`` means on these days; a name on both sides of the merger means nobody."""
        if text in self.units:
            return text
        before, after = first_day < FIRST_DAY_OF_34, last_day >= FIRST_DAY_OF_34
        return None if before and after else self.directory.resolve(text, "63" if before else "34")


def known_now(settings: Settings) -> Known:
    """Units, metrics and frameworks as their files say now."""
    reference = settings.include_dir / "reference"
    with (reference / "unit.csv").open(encoding="utf-8", newline="") as file:
        units = {row["unit_id"]: (row["geography"], _day(row["valid_from"]), _day(row["valid_to"]))
                 for row in csv.DictReader(file)}  # fmt: skip
    feeds_of: dict[str, list[str]] = {}
    with (reference / "metrics.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            feeds_of.setdefault(row["metric"], []).append(row["feed"])
    return Known(
        units=units,
        directory=load_units(settings),
        feeds_of=feeds_of,
        indicators_of=lambda framework: [each.code for each in load_framework(framework, settings=settings).indicators],
    )


def faults(entry: Entry, known: Known) -> list[Fault]:
    """Everything that keeps ``entry`` from being applied; empty when it is sound."""
    if found := [*_period(entry), *_action(entry)]:
        return found
    found = list(_metric(entry, known) if entry.metric else _indicator(entry, known))
    return [*found, *_guard(entry), *_unit(entry, known)]


def correction_of(entry: Entry, known: Known) -> Correction:
    """What a sound ``entry`` means."""
    first_day, last_day = entry.days
    guard = entry.guard and Guard(
        value=None if entry.guard.value == "missing" else Decimal(entry.guard.value),
        first_day=entry.guard.first_day,
        last_day=entry.guard.last_day,
    )
    return Correction(
        id=entry.id,
        unit_id=cast("str", known.unit_id(entry.unit, first_day, last_day)),
        target_kind="metric" if entry.metric else "indicator",
        target=entry.metric or cast("str", entry.indicator),
        framework=entry.framework or "",
        feed="" if entry.indicator else STATED if entry.is_stated else entry.feed or _measuring(entry, known)[0],
        basis="" if entry.indicator else entry.basis or "measured",
        action=entry.action,
        given=entry.value if entry.action == "override" else entry.factor,
        first_day=first_day,
        last_day=last_day,
        guard=guard or None,
        reason=entry.reason,
        document=entry.document,
    )


def _period(entry: Entry) -> Iterator[Fault]:
    if (entry.metric is None) == (entry.indicator is None):
        yield "it must name a metric or an indicator, and not both", "give metric: or indicator:"
    if entry.year is not None and (entry.first_day or entry.last_day):
        yield "year and days are given", "keep year:, or from: and to:"
    elif entry.year is None and not (entry.first_day and entry.last_day):
        yield "it has no period", "give year: 2026, or both from: and to: (both days included)"
    elif entry.year is None and entry.days[0] > entry.days[1]:
        yield f"from {entry.days[0]} is after to {entry.days[1]}", "turn them round"
    elif entry.days[0].year != entry.days[1].year:
        yield "its days lie in two reporting years", "write one correction a year, with a guard of its own"


def _action(entry: Entry) -> Iterator[Fault]:
    wanted = {"override": "value", "scale": "factor"}.get(entry.action)
    for name, given in (("value", entry.value), ("factor", entry.factor)):
        if name == wanted and given is None:
            yield f"{entry.action} needs a {name}", f"give {name}:"
        elif name != wanted and given is not None:
            yield f"{entry.action} takes no {name}", f"remove {name}:, or correct the action"
    if entry.guard is None and entry.action != "flag":
        yield (
            f"{entry.action} needs a guard: without one it would go on after the source is repaired",
            "give guard: {value: what the source holds now}, or {value: missing}",
        )


def _measuring(entry: Entry, known: Known) -> list[str]:
    return [feed for feed in known.feeds_of.get(entry.metric or "", []) if feed not in {CALENDAR, STATED}]


def _metric(entry: Entry, known: Known) -> Iterator[Fault]:
    metric, feeds = cast("str", entry.metric), known.feeds_of.get(entry.metric or "", [])
    points = metric.startswith(_POINTS)
    if entry.framework:
        yield "framework goes with an indicator", "remove framework:; a metric is the same in all of them"
    if not feeds and not points:
        yield f"unknown metric {metric}", "correct the name: see include/reference/metrics.csv"
    elif feeds == [CALENDAR]:
        yield f"{metric} follows from the calendar", "correct another metric, or the indicator"
    elif entry.is_stated:
        if entry.year is None:
            yield (
                f"a figure with basis {entry.basis} is stated for a reporting year, not for days",
                "give year: in place of from: and to:",
            )
        if entry.feed not in {None, STATED}:
            yield f"basis {entry.basis} comes from feed {STATED}", "remove feed:"
    elif measuring := _measuring(entry, known):
        if entry.feed is None and len(measuring) > 1:
            yield f"{metric} is measured by {' and '.join(measuring)}", "give feed:"
        elif entry.feed not in {None, *measuring}:
            yield f"{metric} is not measured by feed {entry.feed}", f"give feed: {' or '.join(measuring)}"
    else:
        yield f"{metric} is stated, never measured", "give basis: declared or appraised"


def _indicator(entry: Entry, known: Known) -> Iterator[Fault]:
    if entry.feed or entry.basis:
        yield "feed and basis go with a metric", "remove them"
    if entry.year is None:
        yield "an indicator is of a whole year", "give year: in place of from: and to:"
    if entry.framework is None:
        yield "an indicator needs its framework: another one means something else by the code", "give framework:"
    elif entry.indicator not in (codes := known.indicators_of(entry.framework)):
        yield (
            f"framework {entry.framework} has no indicator {entry.indicator}",
            f"known: {', '.join(codes[:12])}{' …' if len(codes) > 12 else ''}; quote codes: '7.10'",
        )


def _guard(entry: Entry) -> Iterator[Fault]:
    guard = entry.guard
    if guard is None or not (guard.first_day or guard.last_day):
        return
    if not (guard.first_day and guard.last_day):
        yield "the guard has only one end", "give both from: and to:, or neither"
    elif entry.indicator or entry.is_stated:
        yield "the guard of an indicator or a stated figure is compared with the value itself", "remove its days"
    elif guard.first_day > guard.last_day:
        yield f"the guard's from {guard.first_day} is after its to {guard.last_day}", "turn them round"
    elif {guard.first_day.year, guard.last_day.year} != {entry.days[0].year}:
        yield "the guard's days lie in another year than the correction's", "compare days of the same year"


def _unit(entry: Entry, known: Known) -> Iterator[Fault]:
    first_day, last_day = entry.days
    unit_id = known.unit_id(entry.unit, first_day, last_day)
    if unit_id is None or unit_id not in known.units:
        both = first_day < FIRST_DAY_OF_34 <= last_day
        why = f"; {entry.unit} could be of the 63 or of the 34 provinces" if both else ""
        yield f"unknown unit {entry.unit}{why}", "give the unit_id of include/reference/unit.csv, such as P34-66"
        return
    geography, valid_from, valid_to = known.units[unit_id]
    measured = entry.metric and not entry.is_stated
    if measured and ((valid_from and last_day < valid_from) or (valid_to and first_day >= valid_to)):
        yield (
            f"{unit_id} (geography {geography}) has no days of its own from {first_day} to {last_day}",
            "name the unit of those days: the 63 until 30 June 2025, the 34 after",
        )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
