"""Airflow's scheduler is killed in the middle of a night and started again: the night ends, once and whole."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dti.settings import Settings
from dti.sources.spec import load_sources
from dti.warehouse import connect
from dti_airflow import processes
from tests.builders.airflow import NIGHT, Airflow, call, until
from tests.conftest import PROJECT

FEED = "service_catalogue"
DAG = f"ingest_{FEED}"
OVER = ("success", "failed", "upstream_failed", "skipped", "removed")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_night_whose_scheduler_is_killed_ends_once_and_whole(airflow: Airflow, environment: dict[str, str]) -> None:
    until(lambda: DAG in airflow.dags(), 120, "the DAG")
    airflow.ask(f"dags/{DAG}", "PATCH", is_paused=False)
    run_id = airflow.ask(f"dags/{DAG}/dagRuns", "POST", logical_date=None, conf={"night": NIGHT})["dag_run_id"]

    def states() -> list[str]:
        return [task["state"] for task in airflow.tasks(DAG, run_id)]

    until(lambda: "running" in states(), 120, "a task at work")
    scheduler = processes.remembered(Path(environment["DTI_HOME"]) / "run")["scheduler"]
    os.kill(scheduler.pid, signal.SIGKILL)
    assert not set(states()) <= set(OVER), "the night was over before its scheduler was killed"
    call("dti_airflow", "up", env=environment)
    assert processes.remembered(Path(environment["DTI_HOME"]) / "run")["scheduler"].pid != scheduler.pid

    def state() -> str:
        return str(airflow.ask(f"dags/{DAG}/dagRuns/{run_id}")["state"])

    until(lambda: state() in ("success", "failed"), 400, "the night")
    assert state() == "success", airflow.tasks(DAG, run_id)
    settings = Settings(project=PROJECT, home=Path(environment["DTI_HOME"]))
    sources = {source.source for source in load_sources(FEED)}
    with connect.connect(settings, "owner") as driver:
        decided = driver.execute("select distinct source_id from ops.batch where feed = %s", [FEED]).fetchall()
    assert {source for (source,) in decided} == sources
    assert list(settings.staging_dir.glob("*")) == []
    assert "equal to the warehouse" in call("dti", "lake", "rebuild", FEED, env=environment)
