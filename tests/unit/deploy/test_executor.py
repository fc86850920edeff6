"""The end of a task's earlier process is no news while a later one is under way; any other end is reported."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from airflow.models.callback import CallbackKey, CallbackState
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.utils.state import TaskInstanceState

from dti_airflow.executor import LocalExecutor

ASKED = TaskInstanceKey("annual_recomputation", "decide", "manual__1", 1, -1)
OTHER = TaskInstanceKey("annual_recomputation", "decide", "manual__2", 1, -1)
CALLED = CallbackKey(id="0190f4b2-6f1c-7a6e-9d5f-000000000001")
SUCCESS, FAILED = TaskInstanceState.SUCCESS, TaskInstanceState.FAILED


@dataclass(frozen=True)
class Workload:
    key: TaskInstanceKey | CallbackKey


@pytest.fixture
def executor(monkeypatch):
    """With its queues, and without processes: what they would do is done by the test."""
    monkeypatch.setattr(LocalExecutor, "_spawn_workers_with_gc_freeze", lambda *_: None)
    started = LocalExecutor(parallelism=2)
    started.start()
    return started


def handed_over(executor: LocalExecutor, *keys: TaskInstanceKey | CallbackKey) -> None:
    workloads = {key: Workload(key) for key in keys}
    executor.queued_tasks |= {key: load for key, load in workloads.items() if isinstance(key, TaskInstanceKey)}
    executor.queued_callbacks |= {key: load for key, load in workloads.items() if isinstance(key, CallbackKey)}
    executor._process_workloads(list(workloads.values()))


def reported(executor: LocalExecutor, *ends: tuple) -> dict:
    """What the scheduler is told at its next turn, after processes have ended so."""
    for key, state in ends:
        executor.result_queue.put((key, state, None))
    executor.sync()
    return {key: state for key, (state, _) in executor.get_event_buffer().items()}


def test_a_process_that_ended_while_the_next_is_under_way_is_not_reported_and_the_next_one_is(executor):
    handed_over(executor, ASKED, OTHER)
    handed_over(executor, ASKED)
    assert reported(executor, (ASKED, SUCCESS), (OTHER, SUCCESS)) == {OTHER: SUCCESS}
    assert reported(executor, (ASKED, FAILED)) == {ASKED: FAILED}


def test_each_end_is_reported_where_one_comes_after_the_other(executor):
    for _ in range(2):
        handed_over(executor, ASKED)
        assert reported(executor, (ASKED, SUCCESS)) == {ASKED: SUCCESS}


def test_callbacks_are_told_of_as_they_begin_and_end(executor):
    handed_over(executor, CALLED)
    for state in (CallbackState.RUNNING, CallbackState.SUCCESS):
        assert reported(executor, (CALLED, state)) == {CALLED: state}
