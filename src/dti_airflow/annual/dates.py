"""What the calendar of the years asks for, and when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import get_current_context, task
from airflow.timetables.events import EventsTimetable  # of 3.3.2; the one in airflow.sdk cannot be read back

from dti.annual.calendar import Calendar, Year, load_calendar
from dti.clock import local_day
from dti.errors import ConfigError
from dti.settings import get_settings
from dti_airflow.annual.choices import AUTO
from dti_airflow.retries import retrying

if TYPE_CHECKING:
    from airflow.sdk import Context

DEFAULTS: dict[str, Any] = {
    "owner": "data-engineering",
    "execution_timeout": timedelta(minutes=5),
    **retrying(2),
}


def calendar() -> Calendar:
    """The calendar of this installation."""
    return load_calendar(get_settings())


def timetable(of: Calendar) -> EventsTimetable:
    """One run at each moment at which the calendar asks for something."""
    moments = sorted({pendulum.instance(entry.asked_at) for entry in of.asks_for() if entry.asked_at})
    return EventsTimetable(event_dates=moments, description=f"{len(moments)} publication dates")


@task
def due() -> list[dict[str, Any]]:
    """What to trigger: the years whose publication date is the day of this run, or the ``year`` given by hand."""
    return [trigger(entry, day) for entry, day in due_years(get_current_context(), calendar())]


def due_years(context: Context, of: Calendar) -> list[tuple[Year, date]]:
    """The entries a run is for, each with the publication date. Raises ConfigError for a year that is not asked for."""
    dated = [(entry, entry.asked_at) for entry in of.years]
    if (wanted := context["params"].get("year")) is not None:
        entry = of.of(wanted)
        if entry is None or entry.asked_at is None:
            why = entry.not_computed if entry else "it does not stand there"
            remedy = "trigger annual_recomputation itself, or mend include/annual/calendar.yml"
            raise ConfigError(f"the calendar does not ask for it: {why}", where=f"year {wanted}", remedy=remedy)
        return [(entry, entry.asked_at.date())]
    moment = context["dag_run"].logical_date
    if moment is None:
        return []
    return [(entry, at.date()) for entry, at in dated if at is not None and at.date() == local_day(moment)]


def trigger(entry: Year, day: date) -> dict[str, Any]:
    """Arguments for the run of ``annual_recomputation``; its id names year and date, so it exists once."""
    as_of = entry.as_of
    return {
        "trigger_run_id": f"calendar__{entry.year}__{day.isoformat()}",
        "conf": {
            "year": entry.year,
            "framework": entry.framework or AUTO,
            "geography": entry.geography or AUTO,
            "merge_method": entry.merge_method or AUTO,
            "as_of": as_of.isoformat() if as_of else None,
            "reason": f"Calendar: {entry.year} is published on {day.isoformat()}",
            "requester": "calendar",
            "door": "calendar",
        },
    }
