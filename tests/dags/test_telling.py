"""When Airflow has people told: after an index run, when a run fails by our fault, and when one is late."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from dti import clock, flow
from dti.errors import ConfigError
from dti.feeds import load_contract
from tests.dags.test_dag_policy import ALL
from tests.dags.test_ingest_run import NIGHT, test

INTERVALS = {"compute_indices": 1.5, "annual_calendar": 1.5, "maintain": 4}
ASKS_A_PERSON = "annual_recomputation"
"""Waits for weeks by design, and ends its request itself: what waits or failed is told by the nightly look."""


@pytest.fixture
def told(monkeypatch):
    """What the library was asked to do."""
    made = SimpleNamespace(calls=[])

    def stands_in(name):
        def call(*given):
            made.calls.append((name, *[each for each in given if not callable(each)]))
            return {}

        return call

    for name in ("tell", "run_failed", "run_succeeded"):
        monkeypatch.setattr(flow, name, stands_in(name))
    return made


@pytest.mark.parametrize("dag_id", sorted(ALL - {ASKS_A_PERSON}))
def test_every_dag_has_a_deadline_and_a_notifier(bag, dag_id):
    from airflow.sdk.definitions.callback import Callback
    from airflow.sdk.module_loading import import_string

    from dti_airflow.notify import RunEnded, missed

    dag = bag.dags[dag_id]
    assert [each.is_failure for each in dag.on_failure_callback if isinstance(each, RunEnded)] == [True]
    assert [each.is_failure for each in dag.on_success_callback if isinstance(each, RunEnded)] == [False]
    first, *rest = dag.deadline
    assert first.interval == timedelta(hours=INTERVALS.get(dag_id, 1.5))
    assert first.callback.kwargs == {"waits": False}
    for deadline in dag.deadline:
        assert isinstance(deadline.callback, Callback)
        assert import_string(deadline.callback.path) is missed
    if dag_id.startswith("ingest_"):
        (freshness,) = rest
        limit = load_contract(dag_id.removeprefix("ingest_")).freshness_limit_hours
        assert freshness.interval == timedelta(hours=limit - 25)
        assert freshness.interval > first.interval


def test_a_feed_without_a_contract_does_not_break_its_dag_file():
    from dti_airflow.notify import telling

    assert [deadline.interval for deadline in telling(feed="nowhere")["deadline"]] == [
        timedelta(hours=1.5),
        timedelta(hours=23),
    ]


def test_people_are_told_after_the_index_whatever_became_of_it_and_a_failed_run_stays_failed(bag, told, monkeypatch):
    def compute(night):
        told.calls.append(("compute", night))
        raise ConfigError("broken", where="framework.yml", remedy="mend it")

    monkeypatch.setattr(flow, "compute", compute)
    state, instances = test(bag, "compute_indices", {"night": NIGHT.isoformat()})
    assert state == "failed"
    assert instances["tell", None][0] == "success"
    assert instances["all_computed", None][0] == "upstream_failed"
    assert [call[0] for call in told.calls].count("tell") == 1
    assert [call[0] for call in told.calls][-2:] == ["tell", "run_failed"]
    failed = told.calls[-1]
    assert failed[1] == "compute_indices"


def test_nobody_is_told_twice_before_half_past_two(told):
    from airflow.sdk.exceptions import AirflowSkipException

    from dti_airflow.notify import tell

    with pytest.raises(AirflowSkipException):
        tell.function([])
    tell.function(None)  # which nights there are could not be found out: all the more reason
    tell.function(["2026-06-30"])
    assert told.calls == [("tell",), ("tell",)]


@pytest.mark.parametrize(
    ("dag_id", "states", "expected"),
    [
        (
            "ingest_staffing",
            {"agency_alpha.extract_0": "failed", "everyone_arrived": "upstream_failed"},
            "run_succeeded",
        ),
        ("ingest_staffing", {"agency_alpha.extract_0": "failed", "load": "failed"}, ["load"]),
        ("ingest_staffing", {"agency_alpha.sources": "failed"}, ["agency_alpha.sources"]),
        ("ingest_staffing", None, "run_succeeded"),
        ("compute_indices", {"compute_0": "failed", "tell": "success"}, ["compute_0"]),
        ("compute_indices", None, []),
    ],
)
def test_only_faults_of_ours_are_told_by_the_run(told, monkeypatch, dag_id, states, expected):
    """``states``: what Airflow says of the run's tasks; None: it cannot be asked."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    from dti_airflow.notify import RunEnded

    def asked(**given):
        assert given == {"dag_id": dag_id, "run_ids": ["r1"]}
        if states is None:
            raise RuntimeError("nobody to ask")
        return {"r1": states}

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(asked))
    RunEnded(is_failure=True)({"dag": SimpleNamespace(dag_id=dag_id), "run_id": "r1", "reason": "task_failure"})
    if expected == "run_succeeded":
        assert told.calls == [("run_succeeded", dag_id)]
    else:
        assert told.calls == [("run_failed", dag_id, "r1", expected, "task_failure")]


def test_a_run_that_ends_well_says_so_and_a_notifier_never_breaks_a_run(told, monkeypatch):
    from dti_airflow.notify import RunEnded

    context = {"dag": SimpleNamespace(dag_id="compute_indices"), "run_id": "r1"}
    RunEnded(is_failure=False)(context)
    assert told.calls == [("run_succeeded", "compute_indices")]
    monkeypatch.setattr(flow, "run_succeeded", lambda *_: 1 / 0)
    RunEnded(is_failure=False)(context)


def test_a_missed_deadline_of_a_queued_run_as_airflow_calls_it(bag, told):
    """The rows that Airflow makes when a run is queued, and its own way from a missed one to our callback."""
    import structlog
    from airflow.dag_processing.dagbag import sync_bag_to_db
    from airflow.models.dagbag import DBDagBag
    from airflow.models.deadline import Deadline
    from airflow.sdk.execution_time.callback_supervisor import execute_callback
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import select

    with create_session() as session:
        sync_bag_to_db(bag, "dags-folder", None, session=session)
    with create_session() as session:
        dag = DBDagBag().get_latest_version_of_dag("ingest_data_centre", session=session)
        made = {"triggered_by": DagRunTriggeredByType.TEST, "run_type": DagRunType.MANUAL, "state": DagRunState.QUEUED}
        run = dag.create_dagrun(run_id="late", logical_date=None, run_after=clock.now(), session=session, **made)
        session.flush()
        query = select(Deadline).where(Deadline.dagrun_id == run.id).order_by(Deadline.deadline_time)
        deadlines = session.scalars(query).all()
        assert [each.deadline_time - run.queued_at for each in deadlines] == [timedelta(hours=1.5), timedelta(hours=5)]
        for each in deadlines:
            each.handle_miss(session)
        calls = [dict(each.callback.data) for each in deadlines]
        session.rollback()
    for call in calls:
        given = {"callback_path": call["path"], "callback_kwargs": call["kwargs"], "log": structlog.get_logger()}
        done, why = execute_callback(**given, dag_rel_path="", bundle_path=None)
        assert done, why
    late = ("run_failed", "ingest_data_centre", "late", [], "it was to be done by now, and is not")
    assert told.calls == [late, ("tell",)]
