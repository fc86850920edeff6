"""The tasks of a recomputation: ask, compute, review, wait for a person, and do what that person said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import XComArg, get_current_context, task
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException

from dti_airflow.annual.decide import DECISION, NOTE, Decide
from dti_airflow.annual.ending import RETRY, free_the_year
from dti_airflow.annual.form import asked, key_of
from dti_airflow.assets import PUBLICATION
from dti_airflow.retries import retrying
from dti_airflow.web import PREFIX

DEFAULTS: dict[str, Any] = {
    "owner": "data-engineering",
    "execution_timeout": timedelta(minutes=30),
    "on_failure_callback": free_the_year,
    **retrying(2),
    "retry_policy": RETRY,
}
"""What every task of a recomputation has in common."""


@task(task_id="open")
def open_request() -> dict[str, Any]:
    """Check what is asked and write the request down; the same run always gets the same request."""
    context = get_current_context()
    return opened(dict(context["params"]), context["dag_run"])


def opened(params: dict[str, Any], run: Any) -> dict[str, Any]:
    """The request of a DAG run: a new one, or the one it has; a run cleared after its request failed asks anew.

    Raises RequestError when that request had come as far as its report: of a cleared task Airflow keeps the question as
    it was first asked, so a person would be shown the figures of another candidate.
    """
    from dti import flow
    from dti.annual.model import RequestError

    ask = asked(params, run)
    request = flow.annual_open(**ask)
    if request["status"] not in {"failed", "withdrawn"} or not run.clear_number:
        return request
    if request["compared_with"]:
        raise RequestError(
            f"it was {request['status']} after its report had been written",
            where=str(request["request_id"]),
            remedy="trigger a new run: a cleared one would ask its old question again",
        )
    return flow.annual_open(**ask | {"key": key_of(run.run_id, run.clear_number)})


@task(execution_timeout=timedelta(hours=3))
def compute(request_id: str) -> dict[str, Any]:
    """Rebuild the facts as they were known, and compute the candidate."""
    from dti import flow

    return flow.annual_compute(request_id)


@task
def review(request_id: str) -> str:
    """Check the candidate and write the report; gives the summary that is shown to whoever decides.

    A check that failed would fail again, so it is not tried again; the log names the report.
    """
    from dti import flow
    from dti.annual.review import ChecksFailed

    link = report_url(request_id)
    try:
        return f"{flow.annual_review(request_id)['summary_md']}\n\n[The whole report]({link})"
    except ChecksFailed as fault:
        raise AirflowFailException(f"{fault}\nThe report: {link}") from fault


@task(outlets=[PUBLICATION])
def publish(request_id: str, decision: dict[str, str]) -> dict[str, Any]:
    """Make the candidate the next version of its year, for good."""
    from dti import flow

    published = flow.annual_publish(request_id, approver=decision["by"], note=decision["note"])
    get_current_context()["outlet_events"][PUBLICATION].extra = published
    return published


@task
def keep_candidate(request_id: str, decision: dict[str, str]) -> dict[str, Any]:
    """Record the rejection; what was computed stays, unpublished."""
    from dti import flow

    return flow.annual_reject(request_id, rejecter=decision["by"], note=decision["note"])


def recompute() -> None:
    """Lay out the tasks of a recomputation in the DAG at hand."""
    opened: Any = open_request()
    request_id = opened["request_id"]
    reviewed = review(request_id)
    compute(request_id) >> reviewed
    decide = Decide(
        task_id="decide",
        subject="Publish the recomputation of {{ params.year }}?",
        body=reviewed,
        approve="publish",
        reject="keep_candidate",
        params={"note": NOTE},
    )
    decision: Any = XComArg(decide, key=DECISION)
    decide >> [publish(request_id, decision), keep_candidate(request_id, decision)]


def report_url(request_id: str) -> str:
    """Where a person who is logged in reads the report of a request."""
    base = conf.get("api", "base_url").rstrip("/")
    return f"{base}{PREFIX}/requests/{request_id}/report.html"
