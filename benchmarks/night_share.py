"""A whole night through a real scheduler: what of it is orchestration, what is start-up, and what is work.

    uv run python -m benchmarks.night_share --repeats 5 --json night_share.json

Airflow is started as ``make up`` does, in a home of its own, and each ingest DAG is triggered for one night over the
REST API; the index DAG follows by its assets. Nights follow one another; the first warms up and is not counted. Of each
task:

* ``waits``: from the moment all before it was done and it was scheduled until it starts (Airflow's timestamps).
* ``runs``: from its start to its end (Airflow's timestamps). Of that
* ``work``: what the same step of the same night takes when the library does it alone, in one process that has imported
  everything, in a home of its own (``dti.flow``, after Airflow has stopped asking the same agencies);
* ``start-up``: the rest of ``runs``: a process, importing what the step needs, reading the DAG, talking to the API.

All agencies are the sandbox's: synthetic.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measuring import high_water, parser, publish, say, scratch
from tests.builders.airflow import NIGHT, Airflow, an_installation, call, until

INDEX = "compute_indices"
ENDED = ("success", "failed")
OURS = "--ours"
Spent = dict[str, float]


def nights_of_airflow(airflow: Airflow, nights: list[str]) -> list[list[dict[str, Any]]]:
    """The task instances of each night, run after one another."""
    from dti.feeds import feed_names

    ingest = [f"ingest_{feed}" for feed in feed_names()]
    until(lambda: {*ingest, INDEX} <= set(airflow.dags()), 120, "the DAGs of a night")
    for dag_id in [*ingest, INDEX]:
        airflow.ask(f"dags/{dag_id}", "PATCH", is_paused=False)
    return [_one_night(airflow, ingest, night) for night in nights]


def _one_night(airflow: Airflow, ingest: list[str], night: str) -> list[dict[str, Any]]:
    begun = time.monotonic()
    before = {run["dag_run_id"] for run in airflow.runs(INDEX)}
    runs = {
        dag_id: airflow.ask(f"dags/{dag_id}/dagRuns", "POST", logical_date=None, conf={"night": night})["dag_run_id"]
        for dag_id in ingest
    }
    state = dict.fromkeys(runs.items(), "")

    def ingested() -> bool:
        for dag_id, run_id in state:
            if state[dag_id, run_id] not in ENDED:
                state[dag_id, run_id] = airflow.ask(f"dags/{dag_id}/dagRuns/{run_id}")["state"]
        return all(each in ENDED for each in state.values())

    until(ingested, 900, "the ingest runs")
    tasks = [task for dag_id, run_id in runs.items() for task in airflow.tasks(dag_id, run_id)]
    last_load = max(task["end_date"] for task in tasks if task["task_id"] == "load")

    def settled() -> bool:
        new = [run for run in airflow.runs(INDEX) if run["dag_run_id"] not in before]
        return bool(
            new
            and all(run["state"] in ENDED for run in new)
            and max(run["start_date"] or "" for run in new) > last_load
        )

    until(settled, 600, "the index runs")
    for run in airflow.runs(INDEX):
        if run["dag_run_id"] not in before:
            tasks += airflow.tasks(INDEX, run["dag_run_id"])
    say(f"night of {night}: {len(tasks)} tasks in {time.monotonic() - begun:.0f} s")
    if failed := [task["task_id"] for task in tasks if task["state"] == "failed"]:
        say(f"failed: {failed}")
    return tasks


def spent_by(tasks: list[dict[str, Any]]) -> dict[str, list[dict[str, float]]]:
    """Kind of task → what each of its instances waited and ran, in seconds."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for task in tasks:
        if task["start_date"] and task["end_date"]:
            scheduled = task.get("scheduled_when") or task.get("queued_when") or task["start_date"]
            waits = (_moment(task["start_date"]) - _moment(scheduled)).total_seconds()
            runs = (_moment(task["end_date"]) - _moment(task["start_date"])).total_seconds()
            found[kind_of(task)].append({"waits": max(0.0, waits), "runs": runs})
    return found


def kind_of(task: dict[str, Any]) -> str:
    """``extract``, ``gate online_services``, …: mapped tasks and pools together, the rest by feed."""
    name = task["task_id"].rpartition(".")[2]
    feed = task["dag_id"].removeprefix("ingest_")
    return f"{name} {feed}" if name in ("gate", "load") else name


def span(tasks: list[dict[str, Any]]) -> float:
    """Seconds from the first task's being scheduled to the last one's end."""
    starts = [_moment(task["scheduled_when"] or task["start_date"]) for task in tasks if task["start_date"]]
    return (max(_moment(task["end_date"]) for task in tasks if task["end_date"]) - min(starts)).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ours(nights: list[str]) -> None:
    """Child process: the same nights by the library alone; seconds of each step of each night, as JSON."""
    from dti import flow, libraries
    from dti.feeds import feed_names
    from dti.settings import get_settings
    from dti.sources.spec import readable_sources

    settings = get_settings()
    flow.prepare(settings)
    libraries.great_expectations()
    sources, _ = readable_sources(settings.sources_dir)
    found = []
    for night in map(date.fromisoformat, nights):
        spent: dict[str, list[float]] = defaultdict(list)

        def step(name: str, work: Callable[[], object], spent: dict[str, list[float]] = spent) -> None:
            begun = time.perf_counter()
            try:
                work()
            except Exception as fault:  # noqa: BLE001 - an agency that is dead is dead for Airflow too
                say(f"{name}: {fault}")
            spent[name].append(time.perf_counter() - begun)

        for source in sources:
            if source.enabled:
                step("extract", lambda source=source, night=night: flow.extract(source.source, night))  # type: ignore[misc]
        for feed in feed_names():
            step(f"gate {feed}", lambda feed=feed, night=night: flow.gate(feed, night))  # type: ignore[misc]
            step(f"load {feed}", lambda feed=feed, night=night: flow.load(feed, night))  # type: ignore[misc]
        step("compute", lambda night=night: flow.compute(night))  # type: ignore[misc]
        step("check", lambda night=night: flow.check_night(night))  # type: ignore[misc]
        step("tell", flow.tell)
        found.append(spent)
    print(json.dumps({"nights": found, "peak_mib": high_water()}))


def alone(environment: dict[str, str], home: Path, nights: list[str]) -> dict[str, Any]:
    """Start that child against the running sandbox, and stop its server."""
    held = json.loads((Path(environment["DTI_HOME"]) / "secrets.json").read_text("utf-8"))
    login = {"conn_type": "http", "login": "dti-warehouse", "password": held["sandbox_client_secret"]}
    own = {**environment, "DTI_HOME": str(home), "AIRFLOW_CONN_SANDBOX": json.dumps(login)}
    try:
        call("sandbox", "drop", env=own)
        command = [sys.executable, "-m", "benchmarks.night_share", OURS, *nights]
        done = subprocess.run(command, env=own, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    finally:
        call("dti_airflow", "down", env=own)


def table(airflow: list[list[dict[str, Any]]], library: list[dict[str, list[float]]]) -> tuple[list[str], Any]:
    """Markdown and figures: medians over the nights of each kind's sums."""
    nights = [spent_by(tasks) for tasks in airflow]
    kinds = sorted({kind for night in nights for kind in night}, key=lambda kind: -_sum(nights, kind, "runs"))
    figures: dict[str, Any] = {}
    for kind in kinds:
        count = statistics.median(len(night.get(kind, [])) for night in nights)
        waits, runs = _sum(nights, kind, "waits"), _sum(nights, kind, "runs")
        own = statistics.median(sum(each.get(kind, [])) for each in library)
        each = statistics.median(len(found.get(kind, [])) for found in library)
        work = min(runs, own * count / each) if each else 0.0  # an index run may come more than once
        figures[kind] = {"tasks": count, "waits": waits, "runs": runs, "work": work, "startup": runs - work}
    total = {name: sum(f[name] for f in figures.values()) for name in ("tasks", "waits", "runs", "work", "startup")}
    whole = total["waits"] + total["runs"]
    lines = [
        "| task | tasks | waits s | runs s | of that work s | start-up s | share |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, f in [*figures.items(), ("**all**", total)]:
        share = (f["waits"] + f["runs"]) / whole
        lines.append(
            f"| {kind} | {f['tasks']:.0f} | {f['waits']:.1f} | {f['runs']:.1f} | {f['work']:.1f} |"
            f" {f['startup']:.1f} | {share:.0%} |"
        )
    shares = {
        "orchestration": total["waits"] / whole,
        "start-up": total["startup"] / whole,
        "work": total["work"] / whole,
    }
    seconds = statistics.median(span(tasks) for tasks in airflow)
    lines += ["", f"A night took {seconds:.0f} s; of all task seconds: "]
    lines[-1] += ", ".join(f"{name} {share:.0%}" for name, share in shares.items()) + "."
    return lines, {"tasks": figures, "all": total, "shares": shares, "night_seconds": seconds}


def _sum(nights: list[dict[str, list[dict[str, float]]]], kind: str, what: str) -> float:
    return statistics.median(sum(each[what] for each in night.get(kind, [])) for night in nights)


def main() -> None:
    asked = parser(__doc__).parse_args()
    nights = [
        (date.fromisoformat(NIGHT) - timedelta(days=asked.repeats - n)).isoformat() for n in range(asked.repeats + 1)
    ]
    with scratch() as folder:
        environment = an_installation(folder / "airflow")
        try:
            begun = time.monotonic()
            call("dti_airflow", "up", env=environment)
            up_seconds = time.monotonic() - begun
            say(f"Airflow is up after {up_seconds:.0f} s")
            airflow = Airflow.log_in(environment)
            taken = nights_of_airflow(airflow, nights)[1:]
            for dag_id in airflow.dags():
                airflow.ask(f"dags/{dag_id}", "PATCH", is_paused=True)
            library = alone(environment, folder / "alone", nights)
        finally:
            call("dti_airflow", "down", env=environment)
    lines, figures = table(taken, library["nights"][1:])
    publish(lines, {**figures, "up_seconds": up_seconds, "library_peak_mib": library["peak_mib"]}, asked.json)


if __name__ == "__main__":
    if sys.argv[1:2] == [OURS]:
        ours(sys.argv[2:])
    else:
        os.environ.pop("DTI_HOME", None)
        main()
