"""Who is told by a running Airflow: one message a cause after an index run, and one of a run that is late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_httpserver import HTTPServer

from dti.settings import Settings
from dti.warehouse import embedded
from tests.builders.airflow import NIGHT, Airflow, until
from tests.conftest import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
INDEX, LATE = "compute_indices", "ingest_staffing"
ROUTES = """
channels:
  - name: duty
    type: webhook
    address: {address}
    language: en
"""


@pytest.fixture(scope="module")
def duty() -> Iterator[HTTPServer]:
    """Where whoever is on duty reads messages."""
    with HTTPServer(host="127.0.0.1") as server:
        server.expect_request("/duty", method="POST").respond_with_data("")
        yield server


@pytest.fixture(scope="module")
def heard(duty: HTTPServer, computed: list[dict], environment: dict[str, str]) -> Iterator[HTTPServer]:
    """From now on somebody is told."""
    routes = Path(environment["DTI_NOTIFY"])
    routes.write_text(ROUTES.format(address=duty.url_for("/duty")), "utf-8")
    yield duty
    routes.unlink()


def messages(server: HTTPServer) -> list[dict]:
    return [json.loads(request.data)["dti"] for request, _ in server.log]


def ended(airflow: Airflow, dag_id: str, **conf: str) -> str:
    """Run a DAG; how it ended."""
    run_id = airflow.ask(f"dags/{dag_id}/dagRuns", "POST", logical_date=None, conf=conf)["dag_run_id"]
    path = f"dags/{dag_id}/dagRuns/{run_id}"
    until(lambda: airflow.ask(path)["state"] in ("success", "failed"), 180, f"the end of {run_id}")
    return airflow.ask(path)["state"]


def test_after_an_index_run_each_cause_is_told_once_with_agency_effect_and_runbook(airflow, heard):
    assert ended(airflow, INDEX, night=NIGHT) == "success"
    told = messages(heard)
    causes = {message["key"]: message for message in told}
    assert len(causes) == len(told), "one message a cause"
    dead, stopped = causes["source_failed/dvc-ca-mau"], causes["batch_stopped/kiem-ke-lam-dong"]
    assert "Cà Mau" in dead["agency"]
    assert dead["effect"]["words"]["en"]
    assert dead["runbook"].endswith("dead-agency.md")
    assert "Lâm Đồng" in stopped["agency"]
    assert stopped["runbook"].endswith("rejected-batch.md")
    assert ended(airflow, INDEX, night=NIGHT) == "success"
    assert len(messages(heard)) == len(told), "nothing has changed: nobody is told again"


def test_a_run_that_is_late_is_told_in_that_hour_and_again_when_it_has_ended(airflow, heard, environment):
    """The run waits because its DAG is paused; its deadline is moved to now, and the scheduler does the rest."""
    airflow.ask(f"dags/{LATE}", "PATCH", is_paused=True)
    conf = {"night": NIGHT}
    run_id = airflow.ask(f"dags/{LATE}/dagRuns", "POST", logical_date=None, conf=conf)["dag_run_id"]
    metadata = embedded.ensure_running(Settings(project=PROJECT, home=Path(environment["DTI_HOME"]))).airflow
    with psycopg.connect(metadata.set(drivername="postgresql").render_as_string(False)) as connection:
        moved = connection.execute(
            "update deadline as d set deadline_time = now() from dag_run as r"
            " where r.id = d.dagrun_id and r.run_id = %s and d.deadline_time < r.queued_at + interval '2 hours'",
            [run_id],
        )
        assert moved.rowcount == 1

    def of_the_run() -> list[dict]:
        return [message for message in messages(heard) if message["key"] == f"run_failed/{LATE}"]

    until(of_the_run, 120, "the message that it is late")
    [late] = of_the_run()
    assert late["told"] == "new"
    assert "not" in late["what"]["en"]
    airflow.ask(f"dags/{LATE}", "PATCH", is_paused=False)
    until(lambda: [each["told"] for each in of_the_run()] == ["new", "resolved"], 180, "the message that it is over")
