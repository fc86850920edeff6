"""A portal's list of dossiers by time of last change, made month by month and only where someone looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from sandbox.portals.agencies import World, covered
from sandbox.portals.dossiers import FLAW_SHARE, FLAWS, Record, render
from sandbox.world.draws import Integers
from sandbox.world.lifecycle import LIFE_DAYS, Shard, make_shard
from sandbox.world.times import MERGER, local_day, midnight, month_start, next_month
from sandbox.world.units import Unit

_TWIN = FLAWS.index("older_twin")
FIRST_DAY = date(2021, 1, 1)
"""Nothing was reported before this day."""


@lru_cache(maxsize=1500)
def _shard(world: World, unit: Unit, month: date) -> Shard:
    return make_shard(world.seed, unit, month, world.scale)


def _shards(world: World, portal: str, month: date) -> list[Shard]:
    geography = "63" if month < MERGER else "34"
    return [_shard(world, unit, month) for unit in covered(portal, "online_services", geography)]


@dataclass(frozen=True)
class Entry:
    """One line of the list: a dossier as it stood at ``updated``."""

    shard: Shard
    row: int
    updated: int


@dataclass(frozen=True)
class _Month:
    """The lines whose last change fell into one month, oldest first."""

    shards: list[Shard]
    updated: Integers
    shard: Integers
    row: Integers

    def entry(self, line: int) -> Entry:
        """One line of the month."""
        return Entry(self.shards[self.shard[line]], int(self.row[line]), int(self.updated[line]))


class DossierList:
    """A portal's list at one moment. Order: time of last change, then opening day, province and number."""

    def __init__(self, world: World, portal: str, clock: int) -> None:
        self._world, self._portal, self._clock = world, portal, clock
        self._months: dict[date, _Month] = {}
        self._lock = threading.Lock()

    def count(self, since: int, until: int) -> int:
        """How many lines changed in ``[since, until)``."""
        return sum(stop - start for _, start, stop in self._spans(since, until))

    def oldest_first(self, since: int, until: int) -> Iterator[Entry]:
        """The lines that changed in ``[since, until)``; months are made as the reader gets to them."""
        for month, start, stop in self._spans(since, until):
            for i in range(start, stop):
                yield month.entry(i)

    def newest_first(self, since: int, until: int, skip: int, take: int) -> list[Entry]:
        """``take`` lines after the newest ``skip`` of those that changed in ``[since, until)``."""
        found: list[Entry] = []
        for month, start, stop in reversed(list(self._spans(since, until))):
            passed = min(skip, stop - start)
            skip -= passed
            end = stop - passed
            found.extend(month.entry(i) for i in range(end - 1, max(start, end - (take - len(found))) - 1, -1))
            if len(found) == take:
                break
        return found

    def show(self, entry: Entry) -> tuple[Record, str | None]:
        """The line as the portal writes it, and the name of its flaw if it has one."""
        return render(self._world, self._portal, entry.shard, entry.row, entry.updated)

    def _spans(self, since: int, until: int) -> Iterator[tuple[_Month, int, int]]:
        since, until = max(since, midnight(FIRST_DAY)), min(until, self._clock + 1)
        first = month_start(local_day(since))
        while midnight(first) < until:
            month = self._month(first)
            start, stop = np.searchsorted(month.updated, [since, until])
            yield month, int(start), int(stop)
            first = next_month(first)

    def _month(self, first: date) -> _Month:
        with self._lock:
            if first not in self._months:
                self._months[first] = self._make(first)
            return self._months[first]

    def _make(self, first: date) -> _Month:
        low, high = midnight(first), midnight(next_month(first))
        opened = month_start(first - timedelta(days=LIFE_DAYS))
        shards: list[Shard] = []
        columns: list[tuple[Integers, Integers, Integers]] = []
        while opened <= first:
            for shard in _shards(self._world, self._portal, opened):
                for updated, rows in self._lines(shard, low, high):
                    columns.append((updated, np.full(len(rows), len(shards)), rows))
                shards.append(shard)
            opened = next_month(opened)
        if not columns:
            return _Month([], *(np.zeros(0, dtype=np.int64),) * 3)
        updated, index, row = (np.concatenate(column) for column in zip(*columns, strict=True))
        order = np.lexsort((row, index, updated))
        return _Month(shards, updated[order], index[order], row[order])

    def _lines(self, shard: Shard, low: int, high: int) -> Iterator[tuple[Integers, Integers]]:
        """Moments and rows of the shard's lines in ``[low, high)``: every dossier once, twins a second time."""
        updated = shard.updated(self._clock)
        rows = np.flatnonzero((updated >= low) & (updated < high))
        yield updated[rows], rows
        share = FLAW_SHARE / len(FLAWS)
        twins = np.flatnonzero((shard.flaw >= _TWIN * share) & (shard.flaw < FLAW_SHARE) & (updated >= 0))
        events = shard.events[twins]
        before = np.where(events < updated[twins][:, None], events, -1).max(axis=1, initial=-1)
        older = (before >= low) & (before < high)
        yield before[older], twins[older]


@lru_cache(maxsize=12)
def dossier_list(world: World, portal: str, clock: int) -> DossierList:
    """The portal's list at ``clock``."""
    return DossierList(world, portal, clock)
