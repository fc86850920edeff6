"""The tasks of the maintenance DAG: one a step, so that one that fails keeps no other from its work."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule, get_current_context, task
from airflow.sdk.bases.operator import chain


@task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(minutes=55))
def tidy(step: str) -> dict[str, Any]:
    """One step; with the run's parameter ``dry_run`` it only counts."""
    from dti.maintenance.steps import STEPS
    from dti.settings import get_settings

    return asdict(STEPS[step](get_settings(), bool(get_current_context()["params"]["dry_run"])))


def tidy_all(steps: list[str]) -> None:
    """Lay out the steps in the DAG at hand, one after another: none shares the disk with the next.

    The last task does no work: it stands behind all steps, so that a run in which one failed ends as failed.
    """
    tidied = [tidy.override(task_id=step)(step) for step in steps]
    chain(*tidied)
    tidied >> EmptyOperator(task_id="all_tidied", trigger_rule=TriggerRule.NONE_FAILED)
