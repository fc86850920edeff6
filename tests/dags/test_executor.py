"""The end of a task's earlier process is no news while a later one is under way; any other end is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dti_airflow.executor import LocalExecutor


@dataclass(frozen=True)
class Workload:
    """As much of one as the executor looks at; whatever else there is to one is for the process that takes it up."""

    key: Any


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> LocalExecutor:
    """With its queues, and without processes: what they would do is done by the test."""
    from dti_airflow.executor import LocalExecutor

    monkeypatch.setattr(LocalExecutor, "_spawn_workers_with_gc_freeze", lambda *_: None)
    started = LocalExecutor(parallelism=2)
    started.start()
    return started


@pytest.fixture
def task() -> Callable[[str], Any]:
    """A task that waits for a person, in the run of that name: its key."""
    from airflow.models.taskinstancekey import TaskInstanceKey

    return lambda run_id: TaskInstanceKey("annual_recomputation", "decide", run_id, 1, -1)


def hand_over(executor: LocalExecutor, *keys: Any, queue: str = "queued_tasks") -> None:
    getattr(executor, queue).update({key: Workload(key) for key in keys})
    executor._process_workloads([Workload(key) for key in keys])


def reported(executor: LocalExecutor, *ends: tuple[Any, str]) -> dict[Any, str]:
    """What the scheduler is told at its next turn, after processes have ended so."""
    for key, state in ends:
        executor.result_queue.put((key, state, None))
    executor.sync()
    return {key: state for key, (state, _) in executor.get_event_buffer().items()}


def test_a_process_that_ended_while_the_next_is_under_way_is_not_reported_and_the_next_one_is(executor, task):
    asked, other = task("manual__1"), task("manual__2")
    hand_over(executor, asked, other)
    hand_over(executor, asked)
    assert reported(executor, (asked, "success"), (other, "success")) == {other: "success"}
    assert reported(executor, (asked, "failed")) == {asked: "failed"}


def test_each_end_is_reported_where_one_comes_after_the_other(executor, task):
    for _ in range(2):
        hand_over(executor, task("manual__1"))
        assert reported(executor, (task("manual__1"), "success")) == {task("manual__1"): "success"}


def test_callbacks_are_told_of_as_they_begin_and_end(executor):
    from airflow.models.callback import CallbackKey

    key = CallbackKey(id="0190f4b2-6f1c-7a6e-9d5f-000000000001")
    hand_over(executor, key, queue="queued_callbacks")
    for state in ("running", "success"):
        assert reported(executor, (key, state)) == {key: state}
