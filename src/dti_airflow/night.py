"""``make run``: one night through Airflow's own DAGs, in one process, against the sandbox.

A scheduler takes half a minute to start and would run the same code. Here each DAG runs by ``dag.test()``: the same
tasks, retries, assets and metadata, task after task, and Airflow is imported once.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from dti import flow
from dti.settings import Settings
from dti_airflow import processes, services
from dti_airflow.metadata import prepare_metadata
from dti_airflow.quiet import output_to
from dti_airflow.sandbox import sandbox_environment

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

INDEX_DAG, INGEST_DAGS = "compute_indices", "ingest_"
LOOK_NEXT = {
    "{dti} status": "what needs a person, how fresh each source is",
    '{dti} sql "select * from marts.run"': "ask the warehouse anything",
    "make up": "Airflow's own screen, on its schedule",
    "make down": "stop PostgreSQL, which still runs",
}


def run_night(night: date, settings: Settings, console: Console) -> None:
    """Run the seven ingest DAGs and then the index DAG for ``night``, and print feeds and index.

    A source that fails is shown and stops nothing else. Raises ServiceError when anything else fails, naming the log.
    """
    started = time.monotonic()
    log = services.log_path(settings, f"night-{night}")
    with services.alone(settings):
        _refuse_beside_a_scheduler(settings)
        _run_dags(night, settings, console, log)
    print_results(settings)
    console.print(f"\nnight of {night} done in {time.monotonic() - started:.0f} s\n")
    dti = "uv run dti" if shutil.which("uv") else ".venv/bin/dti"
    console.print("look next:")
    for command, answer in LOOK_NEXT.items():
        console.print(f"  {command.format(dti=dti):<46}{answer}", markup=False, soft_wrap=True)
    console.print(f"  {log}", markup=False, soft_wrap=True)


def _refuse_beside_a_scheduler(settings: Settings) -> None:
    if services.is_running(settings, "scheduler"):
        raise services.ServiceError(
            "Airflow is up and would run the same tasks a second time",
            where="make run",
            remedy="trigger the night in Airflow, or make down first",
        )


def _run_dags(night: date, settings: Settings, console: Console, log: Path) -> None:
    with (
        console.status("preparing the warehouse and Airflow's metadata") as progress,
        output_to(log, console),
        _sandbox(settings, night) as sandbox,
    ):
        os.environ.setdefault("DTI_RETRY_SECONDS", "0")
        flow.prepare(settings)
        prepare_metadata(settings)
        services.wait_until_healthy(settings, sandbox)
        progress.update("importing Airflow")
        for dag in _dags(settings):
            progress.update(dag.dag_id)
            _run(dag, night, console, log)
        _forget_queued_events()


@contextmanager
def _sandbox(settings: Settings, night: date) -> Iterator[services.Service]:
    """The sandbox, starting up with its clock set to the morning after ``night``; stopped on leaving."""
    os.environ.update(sandbox_environment(settings))
    sandbox = services.sandbox_service(settings, night)
    record = services.launch(settings, sandbox)
    try:
        yield sandbox
    finally:
        processes.stop([record], run_dir=services.run_dir(settings))


def _dags(settings: Settings) -> list[DAG]:
    """The ingest DAGs, and last the one that reads what they loaded."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.log import configure_logging

    from dti_airflow.notify import without_deadlines

    configure_logging(colored_console_log=False)  # as in a worker: dag.test() alone would not mask secrets
    bag = DagBag(str(settings.project / "dags"))
    if bag.import_errors:
        raise services.ServiceError("; ".join(bag.import_errors.values()), where=", ".join(bag.import_errors))
    nightly = [dag for dag in bag.dags.values() if dag.dag_id == INDEX_DAG or dag.dag_id.startswith(INGEST_DAGS)]
    return [without_deadlines(dag) for dag in sorted(nightly, key=lambda dag: (dag.dag_id == INDEX_DAG, dag.dag_id))]


def _run(dag: DAG, night: date, console: Console, log: Path) -> None:
    started = time.monotonic()
    states = _states(dag.test(run_conf={"night": night.isoformat()}))
    pulls = {name: state for name, state in states.items() if ".extract " in name}
    dead = [name.partition(" ")[2] for name, state in pulls.items() if state == "failed"]
    broken = [name for name, state in states.items() if state == "failed" and name not in pulls]
    mark = "[red]✗[/]" if broken else "[yellow]![/]" if dead else "[green]✓[/]"
    detail = f"{len(pulls) - len(dead)} of {len(pulls)} sources" if pulls else ""
    console.print(f"{mark} {dag.dag_id:<28} {detail:<18} {time.monotonic() - started:5.1f} s")
    for source_id in dead:
        console.print(f"  [red]{escape(source_id)} did not deliver[/]")
    if broken:
        where = f"{dag.dag_id}: {', '.join(broken)}"
        raise services.ServiceError("failed", where=where, remedy=f"the traceback is in {log}")


def _states(run: DagRun) -> dict[str, str]:
    """State of every task instance of a run, by task id; mapped ones with what they were mapped over."""
    from airflow.utils.session import create_session

    with create_session() as session:
        return {
            f"{ti.task_id} {ti.rendered_map_index or ti.map_index}" if ti.map_index >= 0 else ti.task_id: str(ti.state)
            for ti in run.get_task_instances(session=session)
        }


def _forget_queued_events() -> None:
    """Drop the asset events that wait for the index DAG: it has just run on what they announce."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(AssetDagRunQueue).where(AssetDagRunQueue.target_dag_id == INDEX_DAG))


def print_results(settings: Settings) -> None:
    """Print what came of the feeds, and the newest index."""
    from dti.cli.tables import print_feeds, print_index

    print_feeds(settings)
    print_index(settings)
