"""Airflow's own backfill fills nights in parallel, twice: the warehouse is that of nights run one after another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dti.settings import Settings
from dti.warehouse import connect
from tests.builders.airflow import Airflow, an_installation, call, until
from tests.conftest import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
DAG, FEED = "ingest_data_centre", "data_centre"
NIGHTS = ("2026-01-10", "2026-01-11", "2026-01-12")
MORNINGS = ("--from-date", "2026-01-11", "--to-date", "2026-01-13T12:00")
"""A night's run is due the next morning at 01:10. The first pull reaches back to the new year: so these are quick."""
FACTS = f"""
    SELECT * FROM facts.data_centre WHERE day <= '{NIGHTS[-1]}'
    ORDER BY partition_key, day, unit_id, source_id, data_centre_id
"""
MARTS = {
    "metric_value": "run_id, unit_id, metric, basis, value, first_day, last_day",
    "indicator_score": "run_id, unit_id, indicator_code, basis, numerator, denominator, value, points, status",
    "pillar_index": "run_id, unit_id, pillar_code, points, index_value, coverage, rank_national, rank_region",
}
LIBRARY = f"""
from datetime import date
from dti import flow
from dti.sources.spec import load_sources
flow.prepare()
for night in map(date.fromisoformat, {NIGHTS!r}):
    for source in load_sources({FEED!r}):
        flow.extract(source.source, night)
    flow.gate({FEED!r}, night)
    flow.load({FEED!r}, night)
    flow.compute(night)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return an_installation(tmp_path_factory.mktemp("backfilled"))


@pytest.fixture(scope="module")
def airflow(environment: dict[str, str]) -> Iterator[Airflow]:
    """Airflow, up, with the two DAGs at hand; and down at the end in any case."""
    try:
        call("dti_airflow", "up", env=environment)
        airflow = Airflow.log_in(environment)
        until(lambda: {DAG, "compute_indices"} <= set(airflow.dags()), 180, "the DAGs")
        yield airflow
    finally:
        call("dti_airflow", "down", env=environment)


@pytest.fixture(scope="module")
def one_after_another(airflow: Airflow, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DTI_HOME of the same nights run by the library, from the agencies that Airflow asks."""
    home = tmp_path_factory.mktemp("library")
    secrets = json.loads((Path(environment["DTI_HOME"]) / "secrets.json").read_text())
    login = {"conn_type": "http", "login": "dti-warehouse", "password": secrets["sandbox_client_secret"]}
    alone = {**environment, "DTI_HOME": str(home), "AIRFLOW_CONN_SANDBOX": json.dumps(login)}
    done = subprocess.run([sys.executable, "-c", LIBRARY], env=alone, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return home


@pytest.fixture(scope="module", autouse=True)
def _stop_library(one_after_another: Path, environment: dict[str, str]) -> Iterator[None]:
    yield
    call("dti_airflow", "down", env={**environment, "DTI_HOME": str(one_after_another)})


def backfill(airflow: Airflow, environment: dict[str, str], *options: str) -> list[dict]:
    """Backfill the nights, wait for it, and return its runs."""
    before = {entry["id"] for entry in backfills(airflow)}
    command = ["airflow", "backfill", "create", "--dag-id", DAG, *MORNINGS, "--max-active-runs", "3", *options]
    call("dti_airflow", *command, env=environment)
    (new,) = [entry["id"] for entry in backfills(airflow) if entry["id"] not in before]

    def completed() -> bool:
        return any(entry["id"] == new and entry["completed_at"] for entry in backfills(airflow))

    until(completed, 300, "the backfill")
    return [run for run in airflow.runs(DAG) if run["run_type"] == "backfill"]


def backfills(airflow: Airflow) -> list[dict]:
    return airflow.ask(f"backfills?dag_id={DAG}")["backfills"]


def ask(home: str | Path, question: str) -> list[tuple[object, ...]]:
    with connect.connect(Settings(project=PROJECT, home=Path(home)), "owner") as driver:
        return driver.execute(question.encode()).fetchall()


def marts(home: str | Path) -> dict[str, list[tuple[object, ...]]]:
    named = " OR ".join(f"run_id LIKE 'night-{night}.%'" for night in NIGHTS)
    return {
        mart: sorted(ask(home, f"SELECT {columns} FROM marts.{mart} WHERE {named}"), key=str)
        for mart, columns in MARTS.items()
    }


def indexed(airflow: Airflow, home: str) -> bool:
    """Every night has its index, and no index run is under way."""
    found = ask(home, "SELECT DISTINCT as_of_date::text FROM score.run WHERE kind = 'night' AND status = 'complete'")
    return set(NIGHTS) <= {night for (night,) in found} and all(
        run["state"] in ("success", "failed") for run in airflow.runs("compute_indices")
    )


def test_nights_filled_in_parallel_twice_are_those_run_one_after_another(
    airflow: Airflow, environment: dict[str, str], one_after_another: Path
) -> None:
    home = environment["DTI_HOME"]
    first = backfill(airflow, environment)
    assert [run["state"] for run in first] == ["success"] * 3
    assert max(run["start_date"] for run in first) < min(run["end_date"] for run in first), "not in parallel"
    until(lambda: indexed(airflow, home), 120, "the index of every night")
    computed = [run for run in airflow.runs("compute_indices") if run["run_type"] == "asset_triggered"]
    assert 1 <= len(computed) <= 3

    expected = ask(one_after_another, FACTS), marts(one_after_another)
    assert len(expected[0]) > 100
    assert all(len(rows) > 100 for rows in expected[1].values())
    assert (ask(home, FACTS), marts(home)) == expected
    batches = f"""
        SELECT night::text, count(*)::int FROM ops.batch
        WHERE status = 'passed' AND night <= '{NIGHTS[-1]}' GROUP BY 1 ORDER BY 1
    """
    assert ask(home, batches) == [(night, 2) for night in NIGHTS]

    again = backfill(airflow, environment, "--reprocess-behavior", "completed")
    assert [run["state"] for run in again] == ["success"] * 3
    assert ask(home, batches) == [(night, 4) for night in NIGHTS]
    until(lambda: indexed(airflow, home), 120, "the index runs")
    assert (ask(home, FACTS), marts(home)) == expected
    assert ask(home, "SELECT count(*) FROM ops.restatement") == [(0,)]
