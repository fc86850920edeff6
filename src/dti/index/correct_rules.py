"""What corrections make of one value: pure rules over figures, without a database.

A drop leaves what there would be had nothing been reported on its days, an override what there would be had its value
been reported there. So a flow keeps its other days, and a dropped report uncovers the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Literal, cast

from dti.index.correction import WIDE, Correction

Status = Literal["applied", "flagged", "expired", "not_applicable"]
Days = tuple[date, date]
Aggregation = Literal["sum", "last", "distinct", "stated"]
_DAY = timedelta(days=1)
REMEDY = "take it out of include/corrections, or renew its guard if the fault is still there"


@dataclass(frozen=True)
class Figure:
    """A known value, the first and last day of the facts behind it, and their sources."""

    value: Decimal
    first_day: date
    last_day: date
    source_ids: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """What the run sees of one value's unit: its days (clipped to the unit's own), and the facts of any days."""

    aggregation: Aggregation
    days: Days
    unit_days: Days
    as_of: date
    measured: Callable[[date, date], Figure | None]


@dataclass(frozen=True)
class Outcome:
    """What became of one correction; ``held`` is what its guard was compared with."""

    correction: Correction
    status: Status
    original: Decimal | None
    corrected: Decimal | None
    held: Decimal | None
    detail: str


def correct(
    corrections: Iterable[Correction], figure: Figure | None, seen: Seen
) -> tuple[Figure | None, list[Outcome]]:
    """Take the corrections of one value one after the other; the value after them, and what became of each.

    Reports are taken newest first, because a dropped one uncovers the one before it; all others by their days.
    """
    newest_first = seen.aggregation == "last"
    outcomes = []
    taken: list[Correction] = []
    with localcontext(WIDE):
        for each in sorted(corrections, key=lambda c: (c.first_day, c.id), reverse=newest_first):
            after, status, held, detail = _take(each, figure, seen, taken)
            if status == "applied":
                taken.append(each)
            outcomes.append(Outcome(each, status, _value(figure), _value(after), held, detail))
            figure = after
    return figure, outcomes


def shown(value: Decimal | None) -> str:
    """A number in words of a detail."""
    if value is None:
        return "nothing"
    whole = value == value.to_integral_value()
    return f"{value.quantize(Decimal(1), context=WIDE) if whole else WIDE.normalize(value):f}"


def not_repaired(held: Decimal | None, guard: Decimal | None) -> str:
    """Why a correction expired, and what to do."""
    return f"the source now holds {shown(held)}, the guard says {shown(guard)}: not applied; {REMEDY}"


def _take(
    each: Correction, figure: Figure | None, seen: Seen, taken: Sequence[Correction]
) -> tuple[Figure | None, Status, Decimal | None, str]:
    held = None
    if each.guard is not None:
        if (days := each.guard_days) is None:
            held = _value(figure)
        elif days[1] > seen.as_of:
            why = f"not known yet: its guard looks at days up to {days[1]}, the run at days up to {seen.as_of}"
            return figure, "not_applicable", None, why
        else:
            held = _value(seen.measured(*days))
        if not each.guard.holds(held):
            return figure, "expired", held, not_repaired(held, each.guard.value)
    if why := _hindrance(each, figure, seen, taken):
        return figure, "not_applicable", held, why
    if each.action == "flag":
        return figure, "flagged", held, "shown as it is"
    after, detail = _RULES[seen.aggregation](each, figure, seen, taken)
    return after, "applied", held, detail


def _hindrance(each: Correction, figure: Figure | None, seen: Seen, taken: Sequence[Correction]) -> str:
    """Why there is nothing to correct in this run, as far as the guard lets it; empty when there is."""
    if seen.aggregation == "stated":
        return "" if figure or each.action == "override" else "nothing was stated"
    first_day, last_day = _within(each, seen)
    if first_day > last_day:
        return f"the run counts {_span(*seen.days)}, none of its days"
    match seen.aggregation:
        case "sum":
            if each.action == "override":
                end = min(each.last_day, seen.unit_days[1])
                return f"an override counts once all of its days are over, on {end}" if end > seen.days[1] else ""
            return "" if seen.measured(first_day, last_day) else "nothing was reported on its days"
        case "last":
            if later := [other.id for other in taken if other.action == "override"]:
                return f"what {later[0]} gives counts, of later days"
            if figure and figure.last_day > each.last_day:
                return f"a later report counts, of {figure.last_day}"
            if each.action != "override" and (figure is None or figure.last_day < each.first_day):
                return "nothing was reported on its days"
        case _:
            if (first_day, last_day) != seen.days:
                return f"different things cannot be told apart by days: correct {_span(*seen.days)} whole"
            return "" if figure or each.action == "override" else "nothing was reported on its days"
    return ""


def _flow(
    each: Correction, figure: Figure | None, seen: Seen, taken: Sequence[Correction]
) -> tuple[Figure | None, str]:
    first_day, last_day = _within(each, seen)
    part = seen.measured(first_day, last_day)
    new, detail = _changed(each, part)
    detail = f"{_span(first_day, last_day)}: {detail}"
    total = (figure.value if figure else Decimal(0)) - (part.value if part else 0) + (new or 0)
    if each.action != "drop":
        return _with(figure, total, first_day, last_day), detail
    left = _left([*taken, each], seen)
    if left is None:
        overridden = any(other.action == "override" for other in taken)
        return (replace(cast("Figure", figure), value=total) if overridden else None), detail
    return replace(left, value=total), detail


def _report(
    each: Correction, figure: Figure | None, seen: Seen, taken: Sequence[Correction]
) -> tuple[Figure | None, str]:
    if each.action != "drop":
        return _whole(each, figure, seen, taken)
    first_day, _ = _within(each, seen)
    before = seen.measured(seen.days[0], first_day - _DAY) if first_day > seen.days[0] else None
    detail = f"{shown(_value(figure))} dropped; counts again: {shown(_value(before))}"
    return before, f"{detail}, of {before.last_day}" if before else detail


def _whole(each: Correction, figure: Figure | None, seen: Seen, _: Sequence[Correction]) -> tuple[Figure | None, str]:
    new, detail = _changed(each, figure)
    first_day, last_day = _within(each, seen)
    return (None if new is None else _with(figure, new, first_day, min(last_day, seen.as_of))), detail


_RULES = {"sum": _flow, "last": _report, "distinct": _whole, "stated": _whole}


def _changed(each: Correction, part: Figure | None) -> tuple[Decimal | None, str]:
    """What the correction puts in place of ``part``."""
    before, given = _value(part), cast("Decimal", each.given)
    if each.action == "drop":
        return None, f"{shown(before)} dropped"
    if each.action == "override":
        return given, f"{shown(given)} in place of {shown(before)}"
    return cast("Decimal", before) * given, f"{shown(before)} times {shown(given)}"


def _with(figure: Figure | None, value: Decimal, first_day: date, last_day: date) -> Figure:
    """The figure with another value; where there was none, one that no source stands behind."""
    return replace(figure, value=value) if figure else Figure(value, first_day, last_day, ())


def _left(taken: Sequence[Correction], seen: Seen) -> Figure | None:
    """The facts of the days that no drop takes away; None: there are none."""
    pieces, begin = [], seen.days[0]
    for each in sorted((c for c in taken if c.action == "drop"), key=lambda c: c.first_day):
        pieces.append((begin, each.first_day - _DAY))
        begin = each.last_day + _DAY
    pieces.append((begin, seen.days[1]))
    found = [seen.measured(first, last) for first, last in pieces if first <= last]
    known = [each for each in found if each is not None]
    if not known:
        return None
    return Figure(
        sum((each.value for each in known), Decimal(0)),
        min(each.first_day for each in known),
        max(each.last_day for each in known),
        tuple(sorted({source for each in known for source in each.source_ids})),
    )


def _within(each: Correction, seen: Seen) -> Days:
    """The correction's days that the run counts; of a stated figure all of them."""
    if seen.aggregation == "stated":
        return each.first_day, each.last_day
    return max(each.first_day, seen.days[0]), min(each.last_day, seen.days[1])


def _span(first_day: date, last_day: date) -> str:
    return f"{first_day}" if first_day == last_day else f"{first_day} to {last_day}"


def _value(figure: Figure | None) -> Decimal | None:
    return figure.value if figure else None
