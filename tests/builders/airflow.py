"""Airflow as ``make up`` starts it, in an installation of its own, and a handle on its REST API."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

NIGHT = "2026-06-30"
"""The night that tests have Airflow run: the first of the sandbox's clock."""


def an_installation(home: Path, clock: str = "2026-07-01T00:30") -> dict[str, str]:
    """The environment of an installation in ``home`` on ports of its own, whose agencies' clock stands still."""
    port = free_port()
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "DTI_"))},
        "DTI_HOME": str(home),
        "DTI_AIRFLOW_PORT": str(free_port()),
        "DTI_SANDBOX_PORT": str(port),
        "DTI_SANDBOX_URL": f"http://127.0.0.1:{port}",
        "DTI_SANDBOX_CLOCK": clock,
        "DTI_RETRY_SECONDS": "0",
        "DTI_LOST_TASK_SECONDS": "30",
        "DTI_NOTIFY": str(home / "notify.yml"),
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
    def log_in(cls, environment: dict[str, str]) -> Airflow:
        """Of an installation that is up, as its admin."""
        url = f"http://127.0.0.1:{environment['DTI_AIRFLOW_PORT']}"
        password = json.loads((Path(environment["DTI_HOME"]) / "airflow" / "passwords.json").read_text())["admin"]
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
