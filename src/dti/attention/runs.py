"""Runs of ours that failed or are late, as the orchestrator reports them: what the warehouse cannot see by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from dti.attention.find import warehouse_errors
from dti.settings import Settings
from dti.warehouse.connect import engine

_FAILED = """
    insert into ops.run_fault as f (dag_id, run_id, tasks, reason)
    values (:dag_id, :run_id, :tasks, :reason)
    on conflict (dag_id) do update set
        run_id = excluded.run_id, tasks = excluded.tasks, reason = excluded.reason, failed_at = clock_timestamp()
"""


def run_failed(dag_id: str, run_id: str, tasks: Sequence[str], reason: str, *, settings: Settings) -> None:
    """Note that a run failed, or is late, by a fault of ours; it stays noted until a run of its DAG succeeds."""
    with _transaction(settings) as connection:
        given = {"dag_id": dag_id, "run_id": run_id, "tasks": sorted(set(tasks)), "reason": reason[:300]}
        connection.execute(text(_FAILED), given)


def run_succeeded(dag_id: str, *, settings: Settings) -> bool:
    """Forget the fault of a DAG. True when there was one."""
    with _transaction(settings) as connection:
        gone = connection.execute(text("delete from ops.run_fault where dag_id = :dag_id"), {"dag_id": dag_id})
        return bool(gone.rowcount)


@contextmanager
def _transaction(settings: Settings) -> Iterator[Connection]:
    with warehouse_errors(), engine(settings, "loader").begin() as connection:
        yield connection
