"""One night, asked for over Airflow's own API: the scheduler runs it, as it runs those of the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import requests
from rich.console import Console

from dti import clock
from dti.errors import ConfigError
from dti.feeds import feed_names
from dti.settings import Settings
from dti_airflow.environment import ADMIN, EXECUTION_API
from dti_airflow.roster import roster
from dti_airflow.services import ServiceError

INDEX_DAG = "compute_indices"
OVER = ("success", "failed")
PATIENCE_SECONDS = 3600.0
"""With a night; what its tasks may take is bounded by themselves."""
_PAUSE_SECONDS = 1.0


def ask_night(night: date | None, settings: Settings, console: Console) -> None:
    """Trigger every feed that has sources for ``night`` (None: the last one), wait for feeds and index, and print them.

    Logs in as ``admin`` with ``DTI_ADMIN_PASSWORD``. A night that was asked for before is waited for, not run again.
    Raises ConfigError without the password, ServiceError when Airflow refuses or the index fails.
    """
    from dti_airflow.night import print_results

    wanted = night or clock.local_day(clock.now()) - timedelta(days=1)
    airflow = _Airflow()
    dags = [f"ingest_{feed}" for feed in feed_names() if roster(feed)]
    run_id = f"asked__{wanted}"
    for dag_id in dags:
        _until(partial(airflow.knows, dag_id), f"{dag_id} to be parsed")
        airflow.ask("POST", f"dags/{dag_id}/dagRuns", run_id, {"night": wanted.isoformat()})
    for dag_id in dags:
        state = _until(partial(airflow.over, dag_id, run_id), f"{dag_id} to end")
        console.print(f"{'✓' if state == 'success' else '!'} {dag_id}")
    airflow.ask("POST", f"dags/{INDEX_DAG}/dagRuns", run_id, {"night": wanted.isoformat()})
    state = _until(partial(airflow.over, INDEX_DAG, run_id), f"{INDEX_DAG} to end")
    if state != "success":
        raise ServiceError("failed", where=INDEX_DAG, remedy="read the task's log in Airflow")
    print_results(settings)


class _Airflow:
    """The REST API, as the admin."""

    def __init__(self) -> None:
        self.url = os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "").removesuffix(EXECUTION_API)
        password = os.environ.get("DTI_ADMIN_PASSWORD", "")
        if not self.url or not password:
            raise ConfigError("not set", where="DTI_ADMIN_PASSWORD", remedy="set it to the password of the user admin")
        answer = requests.post(f"{self.url}/auth/token", json={"username": ADMIN, "password": password}, timeout=30)
        if not answer.ok:
            remedy = "log in on Airflow's page, and trigger the night there"
            raise ServiceError(f"refuses the login {ADMIN} (HTTP {answer.status_code})", where=self.url, remedy=remedy)
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def ask(
        self, method: str, path: str, run_id: str = "", conf: dict[str, str] | None = None, *, absent: bool = False
    ) -> dict[str, Any]:
        """One question. What is asked for a second time (409), or with ``absent`` is not there (404), gives nothing."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf} if run_id else None
        answer = requests.request(method, f"{self.url}/api/v2/{path}", headers=self.headers, json=body, timeout=30)
        if answer.status_code == 409 or (absent and answer.status_code == 404):
            return {}
        if not answer.ok:
            raise ServiceError(f"HTTP {answer.status_code} to {method} {path}", where=self.url, remedy="read its log")
        found: dict[str, Any] = answer.json()
        return found

    def knows(self, dag_id: str) -> str:
        """The DAG's id, once its file has been parsed; nothing before."""
        return str(self.ask("GET", f"dags/{dag_id}", absent=True).get("dag_id", ""))

    def over(self, dag_id: str, run_id: str) -> str:
        """How a run ended; nothing while it runs."""
        state = str(self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])
        return state if state in OVER else ""


def _until(reached: Callable[[], str], what: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := reached()):
        if time.monotonic() > deadline:
            raise ServiceError(f"still waiting for {what}", where="Airflow", remedy="look at its page")
        time.sleep(_PAUSE_SECONDS)
    return found
