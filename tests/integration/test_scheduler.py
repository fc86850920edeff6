"""The real thing: Airflow as ``make up`` starts it runs the night, and the marts are those of the library alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

NIGHT = "2026-06-30"
INDEX = "compute_indices"
MARTS = {
    "pillar_index": "unit_id, pillar_code, points, max_points, index_value, coverage, rank_national, rank_region",
    "composite_index": "unit_id, composite_code, index_value, rank_national, rank_region",
    "indicator_score": "unit_id, indicator_code, basis, numerator, denominator, value, points, status",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(reached: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still waiting for {what}"
        time.sleep(1)


def call(program: str, *arguments: str, env: dict[str, str]) -> str:
    """Run ``dti`` or one of our modules; its standard output."""
    first = [str(Path(sys.executable).with_name("dti"))] if program == "dti" else [sys.executable, "-m", program]
    done = subprocess.run([*first, *arguments], env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@dataclass
class Airflow:
    """The REST API of a running Airflow."""

    url: str
    token: str

    @classmethod
    def log_in(cls, url: str, home: Path) -> Airflow:
        password = json.loads((home / "airflow" / "passwords.json").read_text())["admin"]
        answer = requests.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=30)
        answer.raise_for_status()
        return cls(url, answer.json()["access_token"])

    def ask(self, path: str, method: str = "GET", **body: object) -> dict:
        answer = requests.request(
            method,
            f"{self.url}/api/v2/{path}",
            headers={"Authorization": f"Bearer {self.token}"},
            json=body,
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()

    def dags(self) -> list[str]:
        return [dag["dag_id"] for dag in self.ask("dags")["dags"]]

    def runs(self, dag_id: str) -> list[dict]:
        return self.ask(f"dags/{dag_id}/dagRuns?limit=100&order_by=run_after")["dag_runs"]

    def tasks(self, dag_id: str, run_id: str) -> list[dict]:
        return self.ask(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    port = free_port()
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "DTI_"))},
        "DTI_HOME": str(tmp_path_factory.mktemp("scheduled")),
        "DTI_AIRFLOW_PORT": str(free_port()),
        "DTI_SANDBOX_PORT": str(port),
        "DTI_SANDBOX_URL": f"http://127.0.0.1:{port}",
        "DTI_SANDBOX_CLOCK": "2026-07-01T00:30",
        "DTI_RETRY_SECONDS": "0",
    }


@pytest.fixture(scope="module")
def airflow(environment: dict[str, str]) -> Iterator[Airflow]:
    """Airflow, up; and down at the end in any case."""
    try:
        call("dti_airflow", "up", env=environment)
        yield Airflow.log_in(f"http://127.0.0.1:{environment['DTI_AIRFLOW_PORT']}", Path(environment["DTI_HOME"]))
    finally:
        call("dti_airflow", "down", env=environment)


@pytest.fixture(scope="module")
def ingested(airflow: Airflow) -> dict[str, dict]:
    """The finished runs of the night, triggered over the REST API: one a DAG, by DAG id."""
    until(lambda: len(airflow.dags()) == 8, 60, "eight DAGs")
    ingest = [dag_id for dag_id in airflow.dags() if dag_id != INDEX]
    for dag_id in airflow.dags():
        airflow.ask(f"dags/{dag_id}", "PATCH", is_paused=False)
    for dag_id in ingest:
        airflow.ask(f"dags/{dag_id}/dagRuns", "POST", logical_date=None, conf={"night": NIGHT})

    def finished(dag_id: str) -> list[dict]:
        return [r for r in airflow.runs(dag_id) if r["conf"] and r["state"] in ("success", "failed")]

    until(lambda: all(finished(dag_id) for dag_id in ingest), 500, "the ingest runs")
    return {dag_id: finished(dag_id)[0] for dag_id in ingest}


@pytest.fixture(scope="module")
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


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_dead_agency_fails_its_own_task_and_no_other(airflow, ingested):
    states = {dag_id: run["state"] for dag_id, run in ingested.items()}
    assert states.pop("ingest_online_services") == "failed"
    assert set(states.values()) == {"success"}
    tasks = airflow.tasks("ingest_online_services", ingested["ingest_online_services"]["dag_run_id"])
    failed = [(task["task_id"], task["rendered_map_index"]) for task in tasks if task["state"] == "failed"]
    assert failed == [("agency_ca_mau.extract", "dvc-ca-mau")]
    assert {task["task_id"]: task["state"] for task in tasks}["load"] == "success"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_changed_feeds_compute_the_index_and_the_marts_are_those_of_the_library(
    environment, computed, tmp_path_factory
):
    assert {run["state"] for run in computed} == {"success"}

    home = tmp_path_factory.mktemp("library")
    secrets = json.loads((Path(environment["DTI_HOME"]) / "secrets.json").read_text())
    login = {"conn_type": "http", "login": "dti-warehouse", "password": secrets["sandbox_client_secret"]}
    alone = {**environment, "DTI_HOME": str(home), "AIRFLOW_CONN_SANDBOX": json.dumps(login)}
    try:
        call("sandbox", "drop", env=alone)
        call("dti", "night", "--date", NIGHT, env=alone)
        for mart, columns in MARTS.items():
            select = f"select {columns} from marts.{mart} where run_id like 'night-{NIGHT}.%'"
            scheduled, direct = (sorted(call("dti", "sql", select, env=e).splitlines()) for e in (environment, alone))
            assert len(direct) > 100, mart
            assert scheduled == direct, mart
    finally:
        call("dti_airflow", "down", env=alone)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_secret_in_any_log(environment, computed):
    home = Path(environment["DTI_HOME"])
    secrets = json.loads((home / "secrets.json").read_text())
    logs = [*home.rglob("*.log"), *(path for path in (home / "postgres" / "data" / "log").rglob("*") if path.is_file())]
    assert len(logs) > 20
    for path in logs:
        text = path.read_text("utf-8", errors="replace")
        assert [name for name, value in secrets.items() if value in text] == [], path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_down_leaves_no_process_and_can_be_repeated(environment, computed):
    home = environment["DTI_HOME"]
    sessions = {json.loads(path.read_text())["pid"] for path in (Path(home) / "run").glob("*.json")}
    assert len(sessions) == 5
    call("dti_airflow", "down", env=environment)
    assert [
        p for p in psutil.process_iter() if is_alive(p) and (os.getsid(p.pid) in sessions or home in command(p))
    ] == []
    call("dti_airflow", "down", env=environment)


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
