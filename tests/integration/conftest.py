"""Real parts for whole nights: free ports, the sandbox's agencies with a clock that can be moved, and Airflow."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from dti.feeds import feed_names
from tests.builders.agencies import CLIENT, Agencies
from tests.builders.airflow import NIGHT, Airflow, an_installation, call, until

INDEX = "compute_indices"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A function that names a port nobody listens on."""
    return _free_port


@pytest.fixture(scope="session")
def agencies() -> Iterator[Agencies]:
    """The sandbox on a free port, for the whole run."""
    port = _free_port()
    environment = os.environ | {"SANDBOX_CLIENT_ID": CLIENT[0], "SANDBOX_CLIENT_SECRET": CLIENT[1]}
    command = [sys.executable, "-m", "sandbox", "serve", "--port", str(port), "--clock", "2026-07-01T02:00"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(f"{url}/health", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                assert process.poll() is None, "the sandbox ended"
                assert time.monotonic() < deadline, "the sandbox does not answer"
                time.sleep(0.2)
        yield Agencies(url)
        process.terminate()


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return an_installation(tmp_path_factory.mktemp("scheduled"))


@pytest.fixture(scope="session")
def airflow(environment: dict[str, str]) -> Iterator[Airflow]:
    """Airflow, up; and down at the end in any case."""
    try:
        call("dti_airflow", "up", env=environment)
        yield Airflow.log_in(environment)
    finally:
        call("dti_airflow", "down", env=environment)


@pytest.fixture(scope="session")
def ingested(airflow: Airflow) -> dict[str, dict]:
    """The finished runs of the night, triggered over the REST API: one a DAG, by DAG id."""
    ingest = [f"ingest_{feed}" for feed in feed_names()]
    until(lambda: {*ingest, INDEX} <= set(airflow.dags()), 180, "the DAGs of a night")
    for dag_id in [*ingest, INDEX]:
        airflow.ask(f"dags/{dag_id}", "PATCH", is_paused=False)
    for dag_id in ingest:
        airflow.ask(f"dags/{dag_id}/dagRuns", "POST", logical_date=None, conf={"night": NIGHT})

    def finished(dag_id: str) -> list[dict]:
        return [r for r in airflow.runs(dag_id) if r["conf"] and r["state"] in ("success", "failed")]

    until(lambda: all(finished(dag_id) for dag_id in ingest), 500, "the ingest runs")
    return {dag_id: finished(dag_id)[0] for dag_id in ingest}


@pytest.fixture(scope="session")
def computed(airflow: Airflow, ingested: dict[str, dict]) -> list[dict]:
    """The index runs that the feeds' assets triggered, the last of which saw every feed."""
    last_load = max(
        task["end_date"]
        for dag_id, run in ingested.items()
        for task in airflow.tasks(dag_id, run["dag_run_id"])
        if task["task_id"] == "load"
    )

    def settled() -> bool:
        runs = [run for run in airflow.runs(INDEX) if run["run_type"] == "asset_triggered"]
        over = all(run["state"] in ("success", "failed") for run in runs)
        return bool(runs) and over and max(run["start_date"] for run in runs) > last_load

    until(settled, 200, "the index runs")
    return [run for run in airflow.runs(INDEX) if run["run_type"] == "asset_triggered"]
