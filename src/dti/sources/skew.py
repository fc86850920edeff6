"""Clocks that disagree: records that say they were changed at a time that is still to come."""

from __future__ import annotations

from datetime import datetime, timedelta

from dti import clock
from dti.sources.mapping import Row
from dti.sources.model import Source
from dti.sources.pull import PullStats
from dti.sources.window import Window

TOLERANCE = timedelta(minutes=5)


class FutureTimes:
    """Counts the rows of a pull whose version (the time of their last change) lies after its window and the present."""

    def __init__(self, source: Source, window: Window) -> None:
        contract, name = source.contract, source.contract.version_column
        is_time = name is not None and contract.columns[name].type == "timestamptz"
        self._at = contract.landed_columns.index(name) if name is not None and is_time else None
        self._limit = (max(clock.now(), window.until) + TOLERANCE).astimezone(clock.ZONE)
        self._text = self._limit.isoformat()
        self._count = 0
        self._last: datetime | None = None

    def note(self, row: Row) -> None:
        """Look at one row. Canonical times compare as text; only what lies behind the limit is read as a time."""
        if self._at is None or (text := row[self._at]) is None or text <= self._text:
            return
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return  # no time at all: the gate shows it
        if moment.tzinfo is not None and moment > self._limit:
            self._count += 1
            self._last = max(moment, self._last or moment)

    def tell(self, stats: PullStats) -> None:
        """Warn of what was counted."""
        if self._last is not None:
            stats.warn(f"{self._count} change time(s) still to come, the last {self._last.isoformat()}")
