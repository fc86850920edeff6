"""Moments as whole seconds since 1970 UTC, days as days since 1970; Việt Nam is seven hours ahead all year."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
OFFSET = 7 * 3600
DAY = 86_400
MERGER = date(2025, 7, 1)
"""Day from which the 63 provinces are 34."""

_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The day that ``day_number`` numbers."""
    return _EPOCH + timedelta(days=int(number))


def midnight(day: date) -> int:
    """The moment at which ``day`` begins in Việt Nam."""
    return day_number(day) * DAY - OFFSET


def local_day(moment: int) -> date:
    """The day in Việt Nam of a moment."""
    return day_of((int(moment) + OFFSET) // DAY)


def moment(when: datetime) -> int:
    """Seconds since 1970; a time without a zone is meant in Việt Nam."""
    aware = when if when.tzinfo else when.replace(tzinfo=VIETNAM)
    return int(aware.timestamp())


def local(seconds: int) -> datetime:
    """The zone-aware time in Việt Nam of a moment."""
    return datetime.fromtimestamp(int(seconds), VIETNAM)


def month_start(day: date) -> date:
    """First day of the day's month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """First day of the month after the day's month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def months_before(day: date, count: int) -> date:
    """First day of the month ``count`` months before the day's month."""
    index = day.year * 12 + day.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)


def business_day(seconds: int) -> date:
    """The day that offices are at: until five in the morning it is still yesterday's."""
    return local_day(seconds - 5 * 3600)


def last_report_day(clock: int, months_ago: int = 0) -> date:
    """The month's end that offices last reported for: they send their sheets on the fourth at eight."""
    sent = day_of((clock + OFFSET - 8 * 3600) // DAY - 3)
    return months_before(sent, months_ago) - timedelta(days=1)
