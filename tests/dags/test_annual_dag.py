"""The recomputation as Airflow runs it: what the form refuses, who decides, and what a failure leaves behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from dti import flow
from dti.annual import request as requests
from dti.annual.limits import CHECK_NAMES
from dti.annual.model import RequestError
from dti.errors import WarehouseError

DAG = "annual_recomputation"
ASKED = {"year": 2026, "reason": "Đắk Lắk restated June", "requester": "Trần Thị Bình"}
ANSWERED = datetime(2027, 8, 3, 2, 0, tzinfo=UTC)


class Steps:
    """The library at its boundary: what the DAG asked of it, in order, and the state of its one request."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.faults: dict[str, Exception] = {}
        self.requests: list[SimpleNamespace] = []

    def open(self, **asked):
        self._called("open", asked)
        found = [request for request in self.requests if request.request_key == asked["key"]]
        if not found:
            found = [
                SimpleNamespace(
                    request_id=f"2026-r{len(self.requests) + 1}",
                    request_key=asked["key"],
                    is_open=True,
                    status="requested",
                )
            ]
            self.requests += found
        return {"request_id": found[0].request_id, "status": found[0].status}

    def step(self, name, result):
        def call(request_id, **more):
            self._called(name, request_id, *more.values())
            return {"request_id": request_id, **result}

        return call

    def end(self, request_id, status, reason):
        self._called("end", request_id, status, reason)
        for request in self.requests:
            if request.request_id == request_id:
                request.is_open, request.status = False, status
        return {}

    def _called(self, *call):
        self.calls.append(call)
        if call[0] in self.faults:
            raise self.faults[call[0]]


@pytest.fixture
def steps(monkeypatch):
    made = Steps()
    monkeypatch.setattr(flow, "annual_open", made.open)
    monkeypatch.setattr(flow, "annual_compute", made.step("compute", {"run_id": "annual-2026-r1"}))
    monkeypatch.setattr(flow, "annual_review", made.step("review", {"summary_md": "**3 ranks changed**"}))
    monkeypatch.setattr(flow, "annual_publish", made.step("publish", {"publication_id": "2026-v1"}))
    monkeypatch.setattr(flow, "annual_reject", made.step("reject", {}))
    monkeypatch.setattr(flow, "annual_end", made.end)
    monkeypatch.setattr(requests, "list_requests", lambda settings: made.requests)
    return made


@pytest.fixture
def person(monkeypatch):
    """Answers in place of a person at once, as Airflow hands an answer on; ``asked`` keeps what was shown."""
    from dti_airflow.annual.decide import Decide

    answer = SimpleNamespace(event={}, asked=[])

    def execute(self, context):
        answer.asked.append((self.subject, self.body))
        return self.execute_complete(context, answer.event)

    monkeypatch.setattr(Decide, "execute", execute)

    def says(option, note=None, **more):
        answer.event = {
            "chosen_options": [option],
            "params_input": {} if note is None else {"note": note},
            "responded_at": ANSWERED,
            "responded_by_user": {"id": "1", "name": "binh"},
            "timedout": False,
        } | more
        return answer

    return says


def run(bag, conf=None):
    from airflow.utils.session import create_session

    made = bag.dags[DAG].test(run_conf=ASKED if conf is None else conf)
    with create_session() as session:
        states = {ti.task_id: (str(ti.state), ti.try_number) for ti in made.get_task_instances(session=session)}
    return made, states


def refused(bag, **changed):
    """What Airflow says to a conf, as the REST API does before a run exists; None when it takes it."""
    from airflow.sdk.exceptions import ParamValidationError
    from airflow.serialization.serialized_objects import DagSerialization

    conf = {key: value for key, value in (ASKED | changed).items() if value is not ...}
    params = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags[DAG])).params.deep_merge(conf)
    try:
        params.validate()
    except (ParamValidationError, ValueError) as fault:
        return str(fault)
    return None


def test_the_form_takes_the_least_and_the_most_that_can_be_asked(bag):
    assert refused(bag) is None
    assert (
        refused(
            bag,
            framework="922-2022",
            geography="34",
            merge_method="recomputed",
            as_of="2027-06-03T00:00+07:00",
            accepted_checks=[CHECK_NAMES[0]],
            door="api",
        )
        is None
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("year", ...),
        ("year", "2026"),
        ("year", 1999),
        ("reason", ...),
        ("reason", ""),
        ("reason", "      "),
        ("requester", ...),
        ("requester", " "),
        ("framework", "405-2025"),
        ("framework", "made-up"),
        ("framework", None),
        ("geography", "35"),
        ("merge_method", "guess"),
        ("as_of", 2026),
        ("accepted_checks", ["no_such_check"]),
        ("accepted_checks", CHECK_NAMES[0]),
        ("door", "back"),
    ],
)
def test_the_form_refuses(bag, field, value):
    assert refused(bag, **{field: value})


def test_the_form_offers_what_there_is(bag):
    params = bag.dags[DAG].params
    assert params.get_param("framework").schema["enum"] == ["auto", "766-2022", "922-2022", "tay-ninh-commune-2025"]
    assert params.get_param("geography").schema["enum"] == ["auto", "34", "63", "tay-ninh-2025"]
    assert params.get_param("merge_method").schema["enum"] == ["auto", "none", "average", "recomputed"]
    assert params.get_param("accepted_checks").schema["examples"] == sorted(CHECK_NAMES)
    assert "2027-06-03T00:00+07:00" in params.get_param("as_of").description


def test_years_run_side_by_side_and_the_tasks_stand_in_order(bag):
    dag = bag.dags[DAG]
    assert dag.max_active_runs > 1
    assert type(dag.timetable).__name__ == "NullTimetable"
    after = {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
    assert after["compute"] == {"review"}
    assert after["review"] == {"decide"}
    assert after["decide"] == {"publish", "keep_candidate"}
    assert {outlet.name for outlet in dag.get_task("publish").outlets} == {"dti_publication"}


def test_a_person_may_take_weeks_to_answer(bag):
    decide = bag.dags[DAG].get_task("decide")
    assert decide.response_timeout == timedelta(days=60)
    assert decide.execution_timeout == timedelta(minutes=30)
    assert decide.options == ["Approve", "Reject"]
    assert decide.params.get_param("note").schema["type"] == "string"


def test_approved_it_is_published_and_who_said_so_is_handed_on(bag, steps, person):
    answer = person("Approve", "as decided in session 12")
    _, states = run(bag)
    assert {task for task, (state, _) in states.items() if state == "success"} == {
        "open", "compute", "review", "decide", "publish",
    }  # fmt: skip
    assert states["keep_candidate"][0] == "skipped"
    assert [call[0] for call in steps.calls] == ["open", "compute", "review", "publish"]
    assert steps.calls[-1] == ("publish", "2026-r1", "binh", "as decided in session 12")
    [(subject, body)] = answer.asked
    assert subject == "Publish the recomputation of 2026?"
    assert body.startswith("**3 ranks changed**")
    assert "/dti/requests/2026-r1/report.html" in body


def test_what_was_asked_reaches_the_library_with_its_door_and_its_key(bag, steps, person):
    person("Approve", "yes, all is well")
    made, _ = run(bag)
    asked = steps.calls[0][1]
    assert asked == {
        "year": 2026,
        "reason": "Đắk Lắk restated June",
        "requester": "Trần Thị Bình (login dag_test)",
        "door": "api",
        "key": made.run_id,
        "framework_id": None,
        "geography": None,
        "merge_method": None,
        "as_of": None,
        "accepted_checks": (),
    }
    run(bag, ASKED | {"door": "form", "framework": "922-2022", "as_of": "2026-06-28", "merge_method": "none"})
    asked = next(call[1] for call in reversed(steps.calls) if call[0] == "open")
    assert (asked["door"], asked["framework_id"], asked["as_of"], asked["merge_method"]) == (
        "form", "922-2022", "2026-06-28", "none",
    )  # fmt: skip


def test_rejected_the_candidate_is_kept_with_the_reason(bag, steps, person):
    person("Reject", "coverage of Cà Mau is too low")
    made, states = run(bag)
    assert (states["keep_candidate"][0], states["publish"][0]) == ("success", "skipped")
    assert steps.calls[-1] == ("reject", "2026-r1", "binh", "coverage of Cà Mau is too low")
    assert str(made.state) == "success"


@pytest.mark.parametrize("note", [None, "", "  "])
def test_whoever_rejects_without_a_note_is_recorded_as_such(bag, steps, person, note):
    person("Reject", note)
    run(bag)
    assert steps.calls[-1] == ("reject", "2026-r1", "binh", "no reason given")


def test_a_refused_request_fails_at_once_and_nothing_runs(bag, steps, person):
    person("Approve", "never asked")
    steps.faults["open"] = RequestError("no framework is in force", where="year 2026", remedy="name one")
    _, states = run(bag)
    assert states["open"] == ("failed", 1)
    assert {state for task, (state, _) in states.items() if task != "open"} == {"upstream_failed"}
    assert [call[0] for call in steps.calls] == ["open"]


def test_a_failed_check_is_not_tried_again_and_frees_the_year(bag, steps, person):
    person("Approve", "never asked")
    steps.faults["review"] = checks_failed()
    _, states = run(bag)
    assert states["review"] == ("failed", 1)
    assert states["publish"][0] == "upstream_failed"
    assert [call[0] for call in steps.calls].count("review") == 1
    assert steps.calls[-1][:3] == ("end", "2026-r1", "failed")


def test_what_may_pass_is_tried_again_and_then_ends_the_request_with_the_reason(bag, steps, person):
    person("Approve", "never asked")
    steps.faults["compute"] = WarehouseError("the server is gone", where="postgres", remedy="start it")
    _, states = run(bag)
    assert states["compute"] == ("failed", 3)
    assert [call[0] for call in steps.calls] == ["open", "compute", "compute", "compute", "end"]
    assert steps.calls[-1] == ("end", "2026-r1", "failed", "compute: postgres: the server is gone — start it")


def test_a_request_of_another_run_is_left_alone(bag, steps, person):
    other = SimpleNamespace(request_id="2025-r1", request_key="manual__other", is_open=True, status="waiting")
    ended = SimpleNamespace(request_id="2024-r1", request_key="manual__ended", is_open=False, status="published")
    steps.requests = [other, ended]
    person("Approve", "never asked")
    steps.faults["compute"] = RequestError("cannot", remedy="ask anew")
    run(bag)
    assert [call[1] for call in steps.calls if call[0] == "end"] == ["2026-r3"]


def test_when_nobody_answers_the_request_ends_and_nobody_is_asked_again(bag, steps, person):
    answer = person("Approve", error="nobody answered", error_type="timeout")
    _, states = run(bag)
    assert states["decide"] == ("failed", 1)
    assert len(answer.asked) == 1
    assert steps.calls[-1][:3] == ("end", "2026-r1", "failed")
    assert steps.calls[-1][3].startswith("decide: ")


def test_an_answer_that_the_form_forbids_is_asked_for_again(bag, steps, person):
    answer = person("Approve", "long " * 500)
    _, states = run(bag)
    assert len(answer.asked) == 3
    assert states["decide"] == ("failed", 3)
    assert [call[0] for call in steps.calls][-1] == "end"


WHOLE = ASKED | {
    "framework": "auto", "geography": "auto", "merge_method": "auto", "as_of": None, "accepted_checks": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("cleared", "status", "compared", "keys"),
    [
        (0, "requested", {}, ["manual__1"]),
        (1, "waiting", {"night_run_id": "night"}, ["manual__1"]),
        (1, "published", {"night_run_id": "night"}, ["manual__1"]),
        (2, "failed", {}, ["manual__1", "manual__1#2"]),
        (1, "withdrawn", {}, ["manual__1", "manual__1#1"]),
    ],
)
def test_a_cleared_run_goes_on_with_its_request_and_asks_anew_once_that_failed(
    monkeypatch, cleared, status, compared, keys
):
    from dti_airflow.annual.steps import opened

    used = []

    def annual_open(**asked):
        used.append(asked["key"])
        return {"request_id": f"2026-r{len(used)}", "status": status, "compared_with": compared}

    monkeypatch.setattr(flow, "annual_open", annual_open)
    run = SimpleNamespace(run_id="manual__1", triggering_user_name=None, conf={}, clear_number=cleared)
    assert opened(WHOLE, run)["request_id"] == f"2026-r{len(keys)}"
    assert used == keys


def test_a_cleared_run_never_asks_about_one_candidate_with_the_summary_of_another(monkeypatch):
    from dti_airflow.annual.steps import opened

    request = {"request_id": "2026-r1", "status": "withdrawn", "compared_with": {"night_run_id": "night"}}
    monkeypatch.setattr(flow, "annual_open", lambda **asked: request)
    run = SimpleNamespace(run_id="manual__1", triggering_user_name=None, conf={}, clear_number=1)
    with pytest.raises(RequestError, match="trigger a new run"):
        opened(WHOLE, run)


def checks_failed():
    from dti.annual.review import ChecksFailed

    return ChecksFailed("units_present: 33 of 34", where="2026-r1", remedy="see the report")
