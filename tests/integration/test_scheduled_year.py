"""The real thing: from an HTTP call through the scheduler and a person's answer over the API to a publication."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.builders.airflow import Airflow, call, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
DAG, CALENDAR = "annual_recomputation", "annual_calendar"
ASKED = {"year": 2026, "framework": "922-2022", "reason": "Đắk Lắk restated June", "requester": "Trần Thị Bình"}
OVER = ("success", "failed")


def ask(airflow: Airflow, dag_id: str = DAG, **changed: object) -> requests.Response:
    """Ask for a year as a program does; a value of None leaves the field out."""
    conf = changed if dag_id == CALENDAR else {k: v for k, v in (ASKED | changed).items() if v is not None}
    return requests.post(
        f"{airflow.url}/api/v2/dags/{dag_id}/dagRuns",
        headers={"Authorization": f"Bearer {airflow.token}"},
        json={"logical_date": None, "conf": conf},
        timeout=30,
    )


def asked(airflow: Airflow, **changed: object) -> str:
    """Ask for a year and have a run."""
    answer = ask(airflow, **changed)
    assert answer.status_code == 200, answer.text
    return answer.json()["dag_run_id"]


def state(airflow: Airflow, run_id: str) -> str:
    return airflow.ask(f"dags/{DAG}/dagRuns/{run_id}")["state"]


def states(airflow: Airflow, run_id: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in airflow.tasks(DAG, run_id)}


def log(airflow: Airflow, run_id: str, task_id: str, try_number: int = 1) -> str:
    path = f"dags/{DAG}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}?full_content=true"
    return json.dumps(airflow.ask(path), ensure_ascii=False)


def question(airflow: Airflow, run_id: str) -> dict:
    """What a person is asked, as soon as it can be read: the task may not have begun to wait."""

    def asked_of() -> list[dict]:
        assert state(airflow, run_id) not in OVER, states(airflow, run_id)
        return airflow.ask(f"dags/{DAG}/dagRuns/{run_id}/hitlDetails")["hitl_details"]

    until(asked_of, 240, "the question to a person")
    [detail] = asked_of()
    return detail


def answer(airflow: Airflow, run_id: str, option: str, note: str) -> dict[str, str]:
    """Answer as the admin over the API, once, and return the states of the tasks at the end."""
    path = f"dags/{DAG}/dagRuns/{run_id}/taskInstances/decide/-1/hitlDetails"
    airflow.ask(path, "PATCH", chosen_options=[option], params_input={"note": note})
    with pytest.raises(requests.HTTPError, match="409"):
        airflow.ask(path, "PATCH", chosen_options=[option], params_input={"note": "a second answer"})
    until(lambda: state(airflow, run_id) in OVER, 180, "the end of the run")
    tries = {task["task_id"]: task["try_number"] for task in airflow.tasks(DAG, run_id)}
    assert tries["decide"] == 1, "the first answer counts, however soon it comes"
    return states(airflow, run_id)


def rows(environment: dict[str, str], select: str) -> list[dict[str, str]]:
    """A question of an analyst."""
    return list(csv.DictReader(io.StringIO(call("dti", "sql", select, env=environment))))


def requests_of(environment: dict[str, str]) -> dict[str, dict]:
    found = json.loads(call("dti", "annual", "list", "--json", env=environment))
    return {request["request_key"]: request for request in found}


def nights_of(environment: dict[str, str]) -> list[dict[str, str]]:
    """Every index of the nights, and the days of facts behind them."""
    return rows(environment, "select * from marts.pillar_index where run_id like 'night-%' order by 1, 6, 9")


@pytest.fixture(scope="module", autouse=True)
def nights(airflow: Airflow, computed: list[dict], environment: dict[str, str]) -> Iterator[list[dict[str, str]]]:
    """The nights' indices before anything was recomputed, and after whatever ran here before has ended.

    A night that is due by the machine's own clock would load more days of the year; none begins while these tests run.
    """
    nightly = [dag_id for dag_id in airflow.dags() if dag_id.startswith("ingest_") or dag_id == "compute_indices"]
    seen: list[list[tuple[str, str]]] = []

    def settled() -> bool:
        seen.append([(run["dag_run_id"], run["state"]) for dag_id in nightly for run in airflow.runs(dag_id)])
        time.sleep(5)
        return seen[-4:].count(seen[-1]) == 4 and all(state in OVER for _, state in seen[-1])

    until(settled, 500, "runs that other tests or the clock caused")
    for dag_id in nightly:
        airflow.ask(f"dags/{dag_id}", "PATCH", is_paused=True)
    found = nights_of(environment)
    assert len(found) > 100
    yield found
    for dag_id in nightly:
        airflow.ask(f"dags/{dag_id}", "PATCH", is_paused=False)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": None}, "reason"),
        ({"reason": " "}, "reason"),
        ({"requester": None}, "requester"),
        ({"framework": "405-2025"}, "framework"),
        ({"year": "2026"}, "year"),
        ({"accepted_checks": ["no_such_check"]}, "accepted_checks"),
    ],
)
def test_airflow_itself_refuses_what_the_form_forbids(airflow, changed, said):
    refused = ask(airflow, **changed)
    assert refused.status_code == 400
    assert f"Invalid input for param {said}" in refused.json()["detail"]


def test_what_cannot_be_computed_is_refused_with_the_remedy_before_anything_runs(airflow, environment):
    refused = {
        asked(airflow, year=2025, framework=None): "name one, and the result is marked as an estimate",
        asked(airflow, as_of="2099-01-01"): "still to come",
        asked(airflow, as_of="2020-01-01"): "of that moment was not kept",
    }
    until(lambda: all(state(airflow, run_id) in OVER for run_id in refused), 240, "the refusals")
    for run_id, said in refused.items():
        assert states(airflow, run_id)["open"] == "failed", said
        assert set(states(airflow, run_id).values()) == {"failed", "upstream_failed"}, said
        tries = {task["task_id"]: task["try_number"] for task in airflow.tasks(DAG, run_id)}
        assert tries["open"] == 1, "asking again gives the same answer"
        assert said in log(airflow, run_id, "open")
    assert requests_of(environment) == {}, "a refused request leaves nothing behind"


def test_from_an_http_call_through_an_approval_to_a_publication_while_a_second_request_is_refused(airflow, environment):
    run_id = asked(airflow)
    asked_of = question(airflow, run_id)
    request = requests_of(environment)[run_id]
    assert (request["status"], request["door"], request["requester"]) == (
        "waiting", "api", "Trần Thị Bình (login admin)",
    )  # fmt: skip
    assert asked_of["subject"] == "Publish the recomputation of 2026?"
    assert "Đắk Lắk restated June" in asked_of["body"]

    link = f"{airflow.url}/dti/requests/{request['request_id']}/report.html"
    assert link in asked_of["body"]
    assert requests.get(link, timeout=30).status_code == 401
    page = requests.get(link, cookies={"_token": airflow.token}, timeout=30)
    assert page.status_code == 200
    assert request["request_id"] in page.text

    second = asked(airflow, reason="the same year once more")
    until(lambda: state(airflow, second) in OVER, 180, "the second request")
    assert states(airflow, second)["open"] == "failed"
    said = log(airflow, second, "open")
    assert f"{request['request_id']}, asked by Trần Thị Bình (login admin)" in said
    assert f"dti annual withdraw {request['request_id']}" in said
    assert requests_of(environment)[run_id]["status"] == "waiting", "the first goes on undisturbed"

    ended = answer(airflow, run_id, "Approve", "as decided in session 12")
    assert (ended["publish"], ended["keep_candidate"]) == ("success", "skipped")
    [version] = rows(environment, "select * from marts.published_version where year = 2026")
    assert (version["approver"], version["note"], version["version"]) == ("admin", "as decided in session 12", "1")
    assert version["request_id"] == request["request_id"]
    assert call("dti", "annual", "verify", version["publication_id"], env=environment)
    listing = f"{airflow.url}/dti/publications/{version['publication_id']}/"
    bundle = requests.get(listing, cookies={"_token": airflow.token}, timeout=30)
    assert f"{version['publication_id']}.xlsx" in bundle.text
    extras = [event["extra"] for event in airflow.ask("assets/events?limit=100")["asset_events"]]
    assert version["publication_id"] in [extra.get("publication_id") for extra in extras]


def test_a_rejected_candidate_is_kept_with_the_reason_and_nothing_is_published(airflow, environment):
    before = rows(environment, "select publication_id from marts.published_version order by 1")
    run_id = asked(airflow, reason="again, to be rejected")
    assert "v1" in question(airflow, run_id)["body"], "compared with the publication"
    ended = answer(airflow, run_id, "Reject", "coverage of Cà Mau is too low")
    assert (ended["publish"], ended["keep_candidate"]) == ("skipped", "success")
    request = requests_of(environment)[run_id]
    assert (request["status"], request["status_reason"]) == ("rejected", "coverage of Cà Mau is too low")
    [run] = rows(environment, f"select kind from marts.run where run_id = '{request['run_id']}'")
    assert run["kind"] == "annual"
    assert rows(environment, "select publication_id from marts.published_version order by 1") == before


def test_different_years_stand_side_by_side_and_the_command_publishes_the_same_way(airflow, environment):
    waiting = asked(airflow, reason="waits while another year is published")
    question(airflow, waiting)
    command = ["annual", "--year", "2022", "--framework", "922-2022", "--reason", "beside 2026", "--requester", "An"]
    told = json.loads(call("dti", *command, "--json", env=environment))
    assert (told["request"]["status"], told["request"]["door"]) == ("waiting", "command")
    request_id = told["request"]["request_id"]
    published = json.loads(call("dti", "annual", "approve", request_id, "--by", "Bình", "--json", env=environment))
    assert (published["year"], published["approver"]) == (2022, "Bình")
    assert requests_of(environment)[waiting]["status"] == "waiting"
    assert answer(airflow, waiting, "Reject", "seen enough")["keep_candidate"] == "success"


def test_an_approval_that_comes_too_late_publishes_nothing_and_a_cleared_run_never_asks_its_old_question(
    airflow, environment
):
    run_id = asked(airflow, reason="fails in between")
    question(airflow, run_id)
    request = requests_of(environment)[run_id]
    call("dti", "annual", "withdraw", request["request_id"], "--reason", "stopped from outside", env=environment)
    ended = answer(airflow, run_id, "Approve", "too late")
    assert ended["publish"] == "failed"
    assert "RequestError" in log(airflow, run_id, "publish")
    airflow.ask(f"dags/{DAG}/dagRuns/{run_id}/clear", "POST", dry_run=False)
    until(lambda: state(airflow, run_id) in OVER, 240, "the end of the cleared run")
    assert "trigger a new run" in log(airflow, run_id, "open", 2)
    assert not [key for key in requests_of(environment) if key.startswith(f"{run_id}#")]


def test_the_calendar_asks_as_on_its_date_and_is_refused_while_that_is_still_to_come(airflow, environment):
    airflow.ask(f"dags/{CALENDAR}", "PATCH", is_paused=False)
    assert ask(airflow, CALENDAR, year=2026).status_code == 200
    run_id = "calendar__2026__2027-08-02"
    until(lambda: run_id in [run["dag_run_id"] for run in airflow.runs(DAG)], 180, "the calendar's request")
    until(lambda: state(airflow, run_id) in OVER, 180, "the refusal")
    assert "still to come" in log(airflow, run_id, "open")


def test_no_night_was_disturbed_and_nothing_is_left_behind(environment, nights):
    assert nights_of(environment) == nights
    folder = Path(environment["DTI_HOME"]) / "tmp" / "annual"
    assert not list(folder.glob("*")), "a rebuilt lake was left behind"
