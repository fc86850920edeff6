"""Airflow's LocalExecutor, in which the end of a task's earlier process says nothing about its later one.

A task that waits for a person ends its process, and goes on in another one under the same key once the answer is there.
Airflow 3.3.2 learns of the end of the first at some turn of its scheduler; an answer that came before that turn had the
second process queued by then, which Airflow took for a task that died, and asked the person once more. Airflow's own
mend of it (apache/airflow#68741, for queued tasks) is not released yet; this can go with a version that tells the two
apart. The CeleryExecutor is not touched: it forgets the first process when it sends off the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow.executors import local_executor
from airflow.models.taskinstancekey import TaskInstanceKey

if TYPE_CHECKING:
    from airflow.executors.workloads import ExecutorWorkload


class LocalExecutor(local_executor.LocalExecutor):
    """Runs tasks in processes of this machine, and counts the processes of each."""

    _under_way: Counter[TaskInstanceKey]

    def start(self) -> None:
        """Start, with nothing under way."""
        self._under_way = Counter()
        super().start()

    def _process_workloads(self, workload_list: Sequence[ExecutorWorkload]) -> None:
        """Hand over to processes, and count."""
        keys = (workload.key for workload in workload_list)
        self._under_way.update(key for key in keys if isinstance(key, TaskInstanceKey))
        super()._process_workloads(workload_list)  # type: ignore[no-untyped-call]

    def _read_results(self) -> None:
        """Report what ended, except where another process of the same task is under way and will be reported."""
        while not self.result_queue.empty():
            key, state, _ = self.result_queue.get()
            if isinstance(key, TaskInstanceKey):
                self._under_way[key] -= 1
                if self._under_way[key] > 0:
                    self.log.info("%s goes on in another process, whose end will be its own", key)
                    continue
                del self._under_way[key]
            self.change_state(key, state)
