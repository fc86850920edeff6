"""Which night a run is for."""

from __future__ import annotations

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


def nights_to_compute(context: Context) -> list[date]:
    """The nights an index run is for, oldest first.

    By the clock or by hand it is one. Triggered by feeds it is the nights their events name, without those whose
    02:30 run is still to come this morning: that run will read the same facts once instead of once a feed.
    """
    if context["dag_run"].run_type != "asset_triggered":
        return [night_of(context)]
    moment = _moment(context)
    named = {
        date.fromisoformat(event.extra["night"]) if "night" in event.extra else night_of(context)
        for events in context["triggering_asset_events"].values()
        for event in events
    }
    return sorted(night for night in named if not awaits_compute(night, moment))


def awaits_compute(night: date, moment: datetime) -> bool:
    """Whether at ``moment`` (zone-aware) ``night`` is over and its regular 02:30 run is still to come."""
    end = day_end(night)
    return end <= moment < datetime.combine(end.date(), COMPUTE_AT, tzinfo=ZONE)


def _moment(context: Context) -> datetime:
    moment: datetime = context["dag_run"].run_after
    return moment
