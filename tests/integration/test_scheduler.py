"""The real thing: Airflow as ``make up`` starts it runs the night, and the marts are those of the library alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import psycopg
import pytest

from dti.settings import Settings
from dti.sources.spec import load_sources
from dti.warehouse import embedded
from tests.builders import searching
from tests.builders.airflow import NIGHT, call
from tests.conftest import PROJECT

MARTS = {
    "pillar_index": "unit_id, pillar_code, points, max_points, index_value, coverage, rank_national, rank_region",
    "composite_index": "unit_id, composite_code, index_value, rank_national, rank_region",
    "indicator_score": "unit_id, indicator_code, basis, numerator, denominator, value, points, status",
}


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
def test_every_line_that_a_task_logs_within_a_step_says_which(environment, ingested):
    home = Path(environment["DTI_HOME"])
    logs = [*(home / "airflow" / "logs" / "dag_id=ingest_staffing").rglob("*.log")]
    lines = [json.loads(line) for path in logs for line in path.read_text("utf-8").splitlines() if line.startswith("{")]
    own = [line for line in lines if str(line.get("logger", "")).startswith("dti.")]
    ended = {line["step"]: line for line in own if " ends after " in line["event"]}
    assert {"extract", "gate", "judge", "load", "merge", "facts"} <= set(ended)
    assert all(line["night"] == NIGHT and line["feed"] == "staffing" for line in ended.values())
    assert all(line["duration_seconds"] >= 0 for line in ended.values())
    assert ended["extract"]["batch_id"].startswith(f"{ended['extract']['source']}.{NIGHT}.")
    events = [json.loads(x) for x in (home / "lineage" / f"events-{NIGHT}.jsonl").read_text("utf-8").splitlines()]
    told = {(event["job"]["name"], event["run"]["runId"]): event["eventType"] for event in events}
    of_the_feed = ("staffing", *(source.source for source in load_sources("staffing")))
    ends = {end for (job, _), end in told.items() if any(name in job for name in of_the_feed)}
    assert ends == {"COMPLETE"}, "tasks ran side by side, and every run has its end"
    assert "FAIL" in {end for (job, _), end in told.items() if "dvc-ca-mau" in job}


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
def test_no_secret_and_no_person_in_any_file_log_or_table_of_airflow_and_warehouse(environment, computed):
    home = Path(environment["DTI_HOME"])
    settings = Settings(project=PROJECT, home=home)
    held = json.loads((home / "secrets.json").read_text())
    closed = [home / "secrets.json", home / "airflow" / "passwords.json"]
    assert [path.stat().st_mode & 0o777 for path in closed] == [0o600, 0o600]
    urls = embedded.ensure_running(settings)
    tables = {}
    for login in (urls.airflow, urls.owner):
        with psycopg.connect(login.set(drivername="postgresql").render_as_string(False)) as connection:
            tables |= {f"{login.database}.{name}": text for name, text in searching.rows(connection)}
    assert {"airflow.xcom", "airflow.rendered_task_instance_fields", "airflow.log", "dti.ops.quarantine"} <= {
        name.replace("airflow.public.", "airflow.") for name, text in tables.items() if text
    }
    places = [
        *searching.files(home, but=[*closed, home / "drop", home / "postgres"]),
        *searching.files(home / "postgres" / "data" / "log"),
        *tables.items(),
    ]
    assert len([place for place, _ in places if place.endswith(".log")]) > 20
    # Of sandbox people the mail addresses: their names are those of places and offices too.
    assert searching.found([*held.values(), "@vidu.example"], places) == []
    assert searching.found(["@vidu.example"], searching.files(home / "drop")), "the agencies did name people"


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
