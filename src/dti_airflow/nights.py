"""Which night a run is for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Param

from dti.clock import ZONE, day_end, local_day

if TYPE_CHECKING:
    from airflow.sdk import Context

COMPUTE_AT = time(2, 30)
"""When the index of a night is computed, on the morning after it, in Asia/Ho_Chi_Minh."""

NIGHT = Param(
    None,
    type=["null", "string"],
    format="date",
    title="Night",
    description="The day in Việt Nam whose end state is wanted. Empty: the day before this run.",
)


def night_of(context: Context) -> date:
    """The night of a run: the ``night`` it was triggered with, or the calendar day in Việt Nam before ``run_after``.

    ``run_after`` and not the clock, so that a retry or a cleared run the next morning is still for the same night.
    """
    if given := context["params"].get("night"):
        return date.fromisoformat(given)
    return local_day(_moment(context)) - timedelta(days=1)


def nights_to_compute(context: Context, behind: Callable[[int, date], Iterable[date]]) -> list[date]:
    """The nights an index run is for, oldest first.

    By hand, or in a backfill of the index, it is one. By the clock it is the night before, and earlier nights of its
    year whose index lacks what was loaded for them since. Triggered by feeds it is the nights their events name. Where
    one is an earlier night than the newest, so are all nights of its year that lack something and, in the running
    year, the newest night, whose figures count it in; those that a backfill names, only if they lack something. Before
    02:30 the newest night is left to the run of 02:30, which reads the same facts once instead of once a feed.
    ``behind``, given a year and a night, tells the nights before it that lack something.
    """
    newest, moment = night_of(context), _moment(context)
    kind = context["dag_run"].run_type
    if kind == "scheduled":
        return sorted({newest, *behind(newest.year, newest)})
    if kind != "asset_triggered":
        return [newest]
    nights, years = set(), set()
    for events in context["triggering_asset_events"].values():
        for event in events:
            night = date.fromisoformat(event.extra["night"]) if "night" in event.extra else newest
            if night < newest:
                years.add(night.year)
            if night >= newest or not event.extra.get("backfill"):
                nights.add(night)
    for year in years:
        nights |= {*behind(year, newest), *([newest] if year == newest.year else [])}
    return sorted(night for night in nights if not awaits_compute(night, moment))


def awaits_compute(night: date, moment: datetime) -> bool:
    """Whether at ``moment`` (zone-aware) ``night`` is over and its regular 02:30 run is still to come."""
    end = day_end(night)
    return end <= moment < datetime.combine(end.date(), COMPUTE_AT, tzinfo=ZONE)


def _moment(context: Context) -> datetime:
    moment: datetime = context["dag_run"].run_after
    return moment
