"""### Tính chỉ số chuyển đổi số · the eight pillar indices

Computes indicators, pillars, composites and ranks of the year to date from whatever facts the warehouse holds, as one
run in one transaction. It never waits for an agency: a source that did not answer shows as stale, and coverage tells
how much of the index is known.

Runs every night at 02:30, and once more for a night whenever one of its feeds changes later. Feeds that change
between midnight and 02:30 trigger runs too; those skip `compute`, because the 02:30 run covers them all at once.
Triggered by hand, it takes the `night` to compute. A repeated run replaces the earlier one of the same night.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from airflow.sdk import AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, dag, get_current_context, task

from dti_airflow.assets import INDEX, feed_assets
from dti_airflow.ingest import DEFAULTS
from dti_airflow.nights import nights_to_compute


@task
def nights() -> list[str]:
    """The nights to compute; none while the 02:30 run is still to come."""
    return [night.isoformat() for night in nights_to_compute(get_current_context())]


@task(map_index_template="{{ task.op_kwargs['night'] }}", outlets=[INDEX], execution_timeout=timedelta(minutes=15))
def compute(night: str) -> dict[str, Any]:
    """One index run: score, weigh, rank, and publish to the marts."""
    from dti import flow

    summary = flow.compute(date.fromisoformat(night))
    get_current_context()["outlet_events"][INDEX].extra = {"night": night}
    return summary


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("30 2 * * *", timezone="Asia/Ho_Chi_Minh"), assets=AssetAny(*feed_assets())
    ),
    tags=["dti", "index"],
    doc_md=__doc__,
    **DEFAULTS,
)
def compute_indices() -> None:
    compute.expand(night=nights())


compute_indices()
