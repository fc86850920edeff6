"""Days and intervals in Asia/Ho_Chi_Minh, the zone in which every date of this project is meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Interval:
    """Half-open span of time ``[start, end)``; both ends carry a zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval needs zone-aware ends")
        if self.start >= self.end:
            raise ValueError(f"empty interval: {self.start.isoformat()} is not before {self.end.isoformat()}")


def day_start(day: date) -> datetime:
    """Midnight at which ``day`` begins in Việt Nam, zone-aware."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def day_end(day: date) -> datetime:
    """Midnight at which ``day`` ends in Việt Nam (the start of the next day), zone-aware."""
    return day_start(day + timedelta(days=1))


def local_day(moment: datetime) -> date:
    """The calendar day in Việt Nam of a zone-aware moment."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return moment.astimezone(ZONE).date()


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
