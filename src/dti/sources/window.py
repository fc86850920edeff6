"""What one pull asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dti.clock import day_end, day_start
from dti.feeds import Contract


@dataclass(frozen=True)
class Window:
    """The night a pull is for, and the half-open span of changes ``[since, until)`` it must at least cover."""

    night: date
    since: datetime
    until: datetime


def window_for(contract: Contract, night: date, last_until: datetime | None) -> Window:
    """The window of ``night`` (a day in Việt Nam; the pull sees the state at its end).

    ``last_until`` is the end of the newest window of this source that landed; None: never. The first pull of a
    feed of changes reaches back to the start of the year, and every later one re-reads ``lookback_days``.
    A source that was dead for longer is caught up from where it stopped.
    """
    until = day_end(night)
    if contract.pull == "snapshot":
        return Window(night=night, since=day_start(night), until=until)
    year_start = day_start(date(night.year, 1, 1))
    if last_until is None:
        return Window(night=night, since=year_start, until=until)
    since = min(last_until, until) - timedelta(days=contract.lookback_days)
    return Window(night=night, since=min(since, day_start(night)), until=until)
