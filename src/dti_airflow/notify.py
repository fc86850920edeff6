"""Telling people, as Airflow does it: after each index run, when a run fails by our fault, and when one is late.

What is told is computed by ``dti.attention`` from the warehouse and the ledger; here is only when it is looked for.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (  # type: ignore[attr-defined]  # its stub knows of no deadlines
    BaseNotifier,
    DeadlineAlert,
    DeadlineReference,
    SyncCallback,
    TriggerRule,
    task,
)
from airflow.sdk.exceptions import AirflowSkipException

from dti.settings import get_settings

if TYPE_CHECKING:
    from airflow.sdk import DAG, Context

log = logging.getLogger(__name__)
IN_TIME = timedelta(minutes=90)
"""An ingest begins at 01:00 and counts at 02:30; an index run begins at 02:30 and is there by 04:00."""

_LIMIT = re.compile(r"^freshness_limit_hours:[ \t]*([0-9]+)", re.MULTILINE)
_EXTRACT = re.compile(r"(^|\.)extract(_\d+)?$")
UNFINISHED = {"queued", "running"}


@task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(minutes=10))
def tell(nights: list[str] | None) -> dict[str, Any]:
    """Tell people what needs them: ``include/notify.yml`` says whom. Skipped while the 02:30 run is still to come."""
    from dti import flow
    from dti_airflow.credentials import credentials_from_connection

    if nights == []:
        raise AirflowSkipException("the run of 02:30 tells")
    return flow.tell(credentials_from_connection)


def tell_after(computed: Any, nights: Any) -> None:
    """Tell when everything is computed, or could not be; the run fails when it could not, whatever was told."""
    all_computed = EmptyOperator(task_id="all_computed", trigger_rule=TriggerRule.NONE_FAILED)
    computed >> [tell(nights), all_computed]


def telling(*, feed: str | None = None, in_time: timedelta = IN_TIME, waits: bool = False) -> dict[str, Any]:
    """What every DAG is given: a notifier for its failures, and deadlines.

    By the first, ``in_time`` after it was queued, a run should be done (``waits``: or wait for a person). An ingest of
    ``feed`` has a second: when data of the night before passes its freshness limit, so that it is told in that hour.
    """
    deadlines = [_deadline("in time", in_time, waits=waits)]
    if feed is not None:
        deadlines.append(_deadline("freshness", _until_stale(feed), waits=True))
    return {
        "deadline": deadlines,
        "on_failure_callback": [RunEnded(is_failure=True)],
        "on_success_callback": [RunEnded(is_failure=False)],
    }


def without_deadlines(dag: DAG) -> DAG:
    """The DAG for a run in one process: nobody waits for it, and Airflow knows deadlines of stored DAGs only."""
    dag.deadline = None
    return dag


def missed(context: dict[str, Any], waits: bool = False) -> None:
    """A deadline has passed. A run that should be done and is not is noted as late; then people are told.

    Runs on the executor, apart from any task, with what Airflow says of the run.
    """
    from dti import flow
    from dti_airflow.credentials import credentials_from_connection

    run = context["dag_run"]
    if run["state"] in UNFINISHED and not waits:
        reason = "it was to be done by now, and is not"
        flow.run_failed(run["dag_id"], run["dag_run_id"], [], reason, credentials_from_connection)
    else:
        flow.tell(credentials_from_connection)


class RunEnded(BaseNotifier):
    """Tells of runs that fail by a fault of ours: one message while a DAG fails, and one when it no longer does.

    A run that fails because an agency did not deliver is not told here: the warehouse knows, and the index run tells.
    """

    def __init__(self, *, is_failure: bool) -> None:
        super().__init__()
        self.is_failure = is_failure

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Nothing is a template here; and what ``dag.test()`` gives has none to render with."""

    def notify(self, context: Context) -> None:
        """Note how the run ended and tell. Never raises: Airflow would only log it."""
        dag_id, run_id = context["dag"].dag_id, str(context["run_id"])
        try:
            _ended(dag_id, run_id, str(context.get("reason", "")), is_failure=self.is_failure)
        except Exception:
            log.exception("how %s ended could not be told", run_id)


def _ended(dag_id: str, run_id: str, reason: str, *, is_failure: bool) -> None:
    from dti import flow
    from dti_airflow.credentials import credentials_from_connection

    if not is_failure:
        flow.run_succeeded(dag_id, credentials_from_connection)
        return
    failed = _failed_tasks(dag_id, run_id)
    ours = [name for name in failed or [] if not _EXTRACT.search(name)]
    if ours or (failed is None and not dag_id.startswith("ingest_")):
        flow.run_failed(dag_id, run_id, ours, reason, credentials_from_connection)
    else:  # agencies only, or nobody can say: the ledger shows what was not loaded
        flow.run_succeeded(dag_id, credentials_from_connection)


def _failed_tasks(dag_id: str, run_id: str) -> list[str] | None:
    """The tasks of a run that failed; None where Airflow cannot be asked, as when a DAG is run by ``dag.test()``."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    try:
        states = RuntimeTaskInstance.get_task_states(dag_id=dag_id, run_ids=[run_id])
    except Exception:
        log.debug("no task states", exc_info=True)
        return None
    return sorted(name for name, state in states.get(run_id, {}).items() if state == "failed")


def _deadline(name: str, interval: timedelta, *, waits: bool) -> DeadlineAlert:
    callback = SyncCallback(missed, kwargs={"waits": waits})
    return DeadlineAlert(name=name, reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=interval, callback=callback)


def _until_stale(feed: str) -> timedelta:
    """From the run of a night (01:00) until what the night before brought is older than the feed's limit.

    Read line by line, as the roster is: a contract that is broken must not break the DAG file.
    """
    path = get_settings().include_dir / "feeds" / f"{feed}.yml"
    found = _LIMIT.search(path.read_text("utf-8", errors="replace")) if path.is_file() else None
    hours = int(found[1]) if found else 48
    return max(timedelta(hours=hours - 25), IN_TIME)
