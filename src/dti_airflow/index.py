"""The tasks of the index DAG: which nights, compute each, check each as a whole, and tell people what needs them."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from dti_airflow.assets import INDEX
from dti_airflow.nights import nights_to_compute
from dti_airflow.notify import tell_after

log = logging.getLogger(__name__)


@task
def nights() -> list[str]:
    """The nights to compute; none while the 02:30 run is still to come."""
    from dti import flow

    return [night.isoformat() for night in nights_to_compute(get_current_context(), flow.nights_behind)]


@task(map_index_template="{{ task.op_kwargs['night'] }}", outlets=[INDEX], execution_timeout=timedelta(minutes=15))
def compute(night: str) -> dict[str, Any]:
    """One index run: score, weigh, rank, and publish to the marts."""
    from dti import flow

    summary = flow.compute(date.fromisoformat(night))
    for gone in summary["corrections"]["expired"]:
        log.warning("correction %(correction_id)s of %(unit_id)s, %(target)s: %(detail)s", gone)
    get_current_context()["outlet_events"][INDEX].extra = {"night": night}
    return summary


@task(map_index_template="{{ task.op_kwargs['night'] }}", execution_timeout=timedelta(minutes=15))
def check(night: str) -> dict[str, Any]:
    """The rules beyond one batch, against the warehouse: which failed, and where first."""
    from dti import flow

    return flow.check_night(date.fromisoformat(night))


def compute_check_and_tell() -> None:
    """Lay out the tasks in the DAG at hand."""
    wanted = nights()
    checked = check.expand(night=wanted)
    compute.expand(night=wanted) >> checked
    tell_after(checked, wanted)
