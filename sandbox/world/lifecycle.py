"""Dossiers as arrays: all that ever happens to the dossiers opened in one province in one month.

Everything is drawn at once with numpy, so that a million dossiers take seconds; records are written from it one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from sandbox.world.draws import Floats, Integers, draws, numbers
from sandbox.world.procedures import levels, popularity, procedures
from sandbox.world.times import DAY, OFFSET, day_number, next_month
from sandbox.world.units import Unit, maturity, units

Flags = npt.NDArray[np.bool_]
Draw = Callable[[str], Floats]
NEVER = 2**62
DOSSIERS_PER_DAY = 131.0
"""Over all provinces at scale 1 in 2026: about 23 thousand received from January to June."""
LIFE_DAYS = 100
"""No dossier changes later than this after it was opened."""


class Event(IntEnum):
    """What can happen to a dossier, in the order in which it can."""

    SUBMIT = 0
    RECEIVE = 1
    REFUSE = 2
    PROCESS = 3
    ASK_FEE = 4
    PAY = 5
    ASK_SUPPLEMENT = 6
    RESUBMIT = 7
    WITHDRAW = 8
    STOP = 9
    FINISH = 10
    RETURN = 11
    RATE = 12


STATUS = np.array([1, 2, 3, 4, 6, 4, 5, 4, 7, 8, 9, 10, 10])
"""TrangThaiHoSo after each event."""


@dataclass
class Shard:
    """The dossiers opened in ``unit`` in one month. ``events[i, e]`` is the moment of event e, or NEVER."""

    unit: Unit
    month: date
    events: Integers
    due_at: Integers
    due_after_supplement: Integers
    day: Integers
    number_of_day: Integers
    procedure: Integers
    channel: Integers
    fee: Integers
    payment: Integers
    is_digitised: Flags
    reuses_data: Flags
    uses_population_data: Flags
    has_electronic_result: Flags
    is_satisfied: Flags
    is_synchronised: Flags
    flaw: Floats
    person: Integers
    _seen: tuple[int, Integers] | None = field(default=None, repr=False)

    def updated(self, clock: int) -> Integers:
        """Moment of each dossier's last change at or before ``clock``; -1 for those not opened yet."""
        if self._seen is None or self._seen[0] != clock:
            self._seen = (clock, np.where(self.events <= clock, self.events, -1).max(axis=1, initial=-1))
        return self._seen[1]


def _not_weekend(day: Integers) -> Integers:
    """The same day, or the Monday after a weekend (1970-01-01 was a Thursday)."""
    weekday = (day + 3) % 7
    moved: Integers = day + np.where(weekday == 5, 2, np.where(weekday == 6, 1, 0))
    return moved


def _office(day: Integers, part: Floats) -> Integers:
    """A moment in office hours (7:30 to 16:30) of the next working day on or after ``day``."""
    moment: Integers = _not_weekend(day) * DAY - OFFSET + 27_000 + (part * 32_400).astype(np.int64)
    return moment


def _local_day(moment: Integers) -> Integers:
    days: Integers = (moment + OFFSET) // DAY
    return days


def _counts(seed: int, unit: Unit, month: date, scale: float) -> tuple[Integers, Integers]:
    """Days of the month and how many dossiers are opened on each: few on weekends and fixed holidays."""
    days = np.arange(day_number(month), day_number(next_month(month)))
    peers = units(unit.geography)
    share = unit.population**0.8 / sum(u.population**0.8 for u in peers)
    factor = np.array([1.3, 1.3, 1.3, 1.3, 1.3, 0.35, 0.15])[(days + 3) % 7]
    holidays = {(1, 1), (4, 30), (5, 1), (9, 2)}
    factor = np.where([(month.month, d + 1) in holidays for d in range(len(days))], 0.1, factor)
    expected = DOSSIERS_PER_DAY * scale * share * factor * 1.08 ** (month.year - 2026)
    whole: Integers = np.floor(expected + draws(len(days), seed, "count", unit.unit_id, month)).astype(np.int64)
    return days, whole


def make_shard(seed: int, unit: Unit, month: date, scale: float = 1.0) -> Shard:
    """All dossiers opened in ``unit`` in the month that begins on ``month``."""
    days, counts = _counts(seed, unit, month, scale)
    n = int(counts.sum())
    digital = maturity(seed, unit, month.year)

    def u(name: str) -> Floats:
        return draws(n, seed, name, unit.unit_id, month)

    day = np.repeat(days, counts)
    number_of_day = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    catalogue = procedures(seed)
    procedure = np.minimum(np.searchsorted(popularity(seed), u("procedure")), len(catalogue) - 1)
    level = levels(seed, unit, month.year, month.month)[procedure]
    online_share = np.where(level == 4, 0.2 + 0.65 * digital, np.where(level == 3, 0.1 + 0.5 * digital, 0.0))
    online = u("channel") < online_share
    channel = np.where(online, 2, np.where(u("desk") < 0.08, 3, np.where(u("desk") < 0.2, 0, 1)))
    fee = np.array([p.fee for p in catalogue])[procedure]
    pays_online = (fee > 0) & (u("pays") < 0.1 + 0.75 * digital)

    events = _events(u, day, online, np.array([p.limit_days for p in catalogue])[procedure], fee > 0, digital)
    return Shard(
        unit=unit,
        month=month,
        events=events.moments,
        due_at=events.due_at,
        due_after_supplement=events.due_after_supplement,
        day=day,
        number_of_day=number_of_day,
        procedure=procedure,
        channel=channel,
        fee=fee,
        payment=np.where(pays_online, np.where(u("gateway") < 0.6, 1, 2), 0),
        is_digitised=u("digitised") < 0.25 + 0.65 * digital,
        reuses_data=u("reuse") < 0.05 + 0.65 * digital,
        uses_population_data=u("population") < np.where(online, 0.5 + 0.45 * digital, 0.1 + 0.5 * digital),
        has_electronic_result=u("result") < 0.15 + 0.8 * digital,
        is_satisfied=u("satisfied") < 0.72 + 0.26 * digital,
        is_synchronised=u("synchronised") < 0.65 + 0.34 * digital,
        flaw=u("flaw"),
        person=numbers(n, seed, "person", unit.unit_id, month),
    )


@dataclass
class _Path:
    moments: Integers
    due_at: Integers
    due_after_supplement: Integers


def _events(
    u: Draw,
    day: Integers,
    online: Flags,
    limit: Integers,
    has_fee: Flags,
    digital: float,
) -> _Path:
    """Draw each dossier's way through the office. Moments rise strictly along it."""
    n = len(day)
    at = np.full((n, len(Event)), NEVER, dtype=np.int64)

    def happens(event: Event, mask: Flags, moment: Integers) -> None:
        at[:, event] = np.where(mask, moment, NEVER)

    opened = (
        day * DAY - OFFSET + np.where(online, 21_600 + u("hour") * 57_600, 27_000 + u("hour") * 32_400).astype(np.int64)
    )
    refused = online & (u("refused") < 0.04)
    received = ~refused
    happens(Event.SUBMIT, online, opened)
    answered = np.where(online, _office(day + 1 + (u("answer") < 0.3), u("answer_hour")), opened)
    happens(Event.RECEIVE, received, answered)
    happens(Event.REFUSE, refused, answered)

    start = _not_weekend(_local_day(answered))
    due_day = start + limit + 2 * (((start + 3) % 7 + limit) // 5)
    on_time = u("on_time") < 0.7 + 0.29 * digital
    early = (start + np.maximum(0, (due_day - start - 1) * (0.2 + 0.8 * u("speed")))).astype(np.int64)
    punctual = np.where(u("early") < 0.3 + 0.5 * digital, early, due_day)
    finish_day = np.where(on_time, punctual, due_day + 1 + (u("late") * 12).astype(np.int64))

    soon = answered + 600 + (u("process") * 10_000).astype(np.int64)
    process = np.where(u("waits") < 0.3, _office(_local_day(answered) + 1, u("process")), soon)
    happens(Event.PROCESS, received, process)
    asks_fee = received & has_fee & (u("asks_fee") < 0.25)
    happens(Event.ASK_FEE, asks_fee, process + 900)
    happens(Event.PAY, asks_fee, process + 1800 + (u("pay") * 150_000).astype(np.int64))

    withdrawn = received & (u("withdrawn") < 0.012)
    asks = received & ~withdrawn & (u("asks") < 0.14 - 0.08 * digital)
    stopped = asks & (u("stopped") < 0.12)
    resubmits = asks & ~stopped
    ask_day = _local_day(process) + np.maximum(0, ((finish_day - start) * 0.5 * u("ask_day")).astype(np.int64))
    pause = 1 + (u("pause") * 8).astype(np.int64)
    happens(Event.ASK_SUPPLEMENT, asks, np.maximum(_office(ask_day, u("ask_hour")), process + 50_000))
    happens(Event.RESUBMIT, resubmits, at[:, Event.ASK_SUPPLEMENT] % NEVER + pause * DAY)
    happens(Event.WITHDRAW, withdrawn, process + ((0.2 + 3 * u("withdraw_day")) * DAY).astype(np.int64))
    happens(Event.STOP, stopped, at[:, Event.ASK_SUPPLEMENT] % NEVER + 20 * DAY)

    finishes = received & ~withdrawn & ~stopped
    shift = np.where(resubmits, pause, 0)
    happens(Event.FINISH, finishes, _office(finish_day + shift, u("finish_hour")))
    returns = finishes & (u("returns") < 0.97)
    at_once = u("at_once") < 0.3
    later = _office(
        _local_day(at[:, Event.FINISH] % NEVER) + 1 + (u("return_day") * 3).astype(np.int64), u("return_hour")
    )
    happens(Event.RETURN, returns, np.where(at_once, at[:, Event.FINISH] % NEVER + 120, later))
    rates = returns & (u("rates") < 0.93)
    happens(Event.RATE, rates, at[:, Event.RETURN] % NEVER + 300 + (u("rate_day") ** 3 * 4 * DAY).astype(np.int64))

    last = np.full(n, -1, dtype=np.int64)
    for event in Event:
        present = at[:, event] < NEVER
        at[:, event] = np.where(present, np.maximum(at[:, event], last + 60), NEVER)
        last = np.where(present, at[:, event], last)
    close = 61_200 - OFFSET
    return _Path(at, _not_weekend(due_day) * DAY + close, _not_weekend(due_day + shift) * DAY + close)
