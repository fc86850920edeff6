"""``make up`` and ``make down``: Airflow as it runs for real, on this machine, with nothing left behind."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table

from dti import flow
from dti.errors import DtiError
from dti.settings import Settings
from dti.warehouse import embedded
from dti_airflow import processes
from dti_airflow.environment import (
    ADMIN,
    OUR_EXECUTOR,
    admin_password,
    airflow_environment,
    airflow_port,
    airflow_url,
)
from dti_airflow.metadata import prepare_metadata
from dti_airflow.quiet import output_to
from dti_airflow.sandbox import sandbox_command, sandbox_environment, sandbox_port, sandbox_url

START_PATIENCE_SECONDS = 180.0
WORKER = "worker"
AIRFLOW_COMMANDS = {
    "api-server": ["api-server", "--proxy-headers"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    WORKER: ["celery", "worker", "--skip-serve-logs"],
}
"""Airflow's processes and how each is started. Logs are read from the disk they share, so none of them serves logs."""
COMPONENTS = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
"""What the api-server's report on health calls them: the processes of ``make up``. It knows of no workers."""
WELCOME = """
  Airflow  {airflow}  log in as {user} with {password}
  sandbox  {sandbox}  made-up agencies: nothing in it is real
  logs     {logs}

The nights run by themselves at 01:00 and 02:30 Asia/Ho_Chi_Minh. Trigger an ingest DAG to see one now.
make down stops everything."""


class ServiceError(DtiError):
    """A process did not start, or does not answer."""

    kind = "service"


def airflow_command(name: str, executor: str = OUR_EXECUTOR) -> list[str]:
    """How a process of Airflow's is started. One that forks the processes of tasks first imports what those need."""
    forks_tasks = name == WORKER or (name, executor) == ("scheduler", OUR_EXECUTOR)
    return [sys.executable, "-m", "dti_airflow.warm" if forks_tasks else "airflow", *AIRFLOW_COMMANDS[name]]


@dataclass(frozen=True)
class Service:
    """One process of ours: how it is started, the port it needs, and how to tell that it is at work."""

    name: str
    command: list[str]
    healthy: Callable[[], bool]
    port: int | None = None
    port_variable: str = ""


def sandbox_service(settings: Settings, night: date | None = None) -> Service:
    """The agencies of the sandbox, as they stand after ``night``; None: by the real time."""
    return Service(
        "sandbox",
        sandbox_command(settings, night),
        partial(sandbox_answers, sandbox_url()),
        sandbox_port(),
        "DTI_SANDBOX_PORT",
    )


def airflow_services() -> list[Service]:
    """The four processes of Airflow; the scheduler runs the tasks."""
    return [
        Service(
            name,
            airflow_command(name),
            reports(component, airflow_url()),
            *((airflow_port(), "DTI_AIRFLOW_PORT") if name == "api-server" else ()),
        )
        for name, component in COMPONENTS.items()
    ]


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One ``make run`` or ``make up`` at a time in a DTI_HOME; the kernel lets go when the holder dies.

    A scheduler would pick up the tasks of a night that runs without one. Raises ServiceError when someone is at work.
    """
    run_dir(settings).mkdir(parents=True, exist_ok=True)
    with (run_dir(settings) / "alone.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = str(settings.local_dir)
            raise ServiceError("another make run or make up is at work", where=where, remedy="wait for it") from None
        yield


def up(settings: Settings, console: Console) -> None:
    """Start what is not running yet and wait until all of it is healthy.

    Raises ServiceError when a port is taken, or when a process ends or stays silent; what was started is stopped again.
    """
    with alone(settings):
        _up(settings, console)


def _up(settings: Settings, console: Console) -> None:
    wanted = [sandbox_service(settings), *airflow_services()]
    missing = [service for service in wanted if not is_running(settings, service.name)]
    for service in missing:
        _require_free_port(service)
    with console.status("preparing the warehouse and Airflow's metadata") as progress:
        os.environ.update(sandbox_environment(settings))
        with output_to(log_path(settings, "setup"), console):
            flow.prepare(settings)
            prepare_metadata(settings)
        try:
            for service in missing:
                launch(settings, service)
            for service in wanted:
                progress.update(f"waiting for {service.name}")
                wait_until_healthy(settings, service)
                console.print(f"✓ {service.name}")
        except BaseException:
            down(settings)
            raise
    console.print(
        WELCOME.format(
            airflow=airflow_url(),
            user=ADMIN,
            password=admin_password(settings),
            sandbox=sandbox_url(),
            logs=logs_dir(settings),
        ),
        soft_wrap=True,
    )


def down(settings: Settings) -> None:
    """Stop every process that was started from this DTI_HOME, and the embedded PostgreSQL. Safe to repeat."""
    processes.stop(processes.remembered(run_dir(settings)).values(), run_dir=run_dir(settings))
    embedded.stop(settings)


def status(settings: Settings, console: Console) -> bool:
    """Print what runs and what does not; True when all of it runs."""
    table = Table(box=None, pad_edge=False)
    for column in ("service", "state", "log"):
        table.add_column(column)
    states = {s.name: is_running(settings, s.name) for s in (sandbox_service(settings), *airflow_services())}
    for name, running in states.items():
        table.add_row(name, "[green]running[/]" if running else "stopped", str(log_path(settings, name)))
    console.print(table)
    return all(states.values())


def is_running(settings: Settings, name: str) -> bool:
    """Whether the process of that name, started from this DTI_HOME, is alive."""
    record = processes.remembered(run_dir(settings)).get(name)
    return record is not None and record.leader() is not None


def launch(settings: Settings, service: Service) -> processes.Record:
    """Start one service with the environment of this process and Airflow's; what an earlier one left is cleared first.

    Raises ServiceError when its port is taken.
    """
    if left := processes.remembered(run_dir(settings)).get(service.name):
        processes.stop([left], run_dir=run_dir(settings))
    _require_free_port(service)
    return processes.start(
        service.name,
        service.command,
        environment={**os.environ, **airflow_environment(settings), **sandbox_environment(settings)},
        run_dir=run_dir(settings),
        log=log_path(settings, service.name),
    )


def wait_until_healthy(settings: Settings, service: Service) -> None:
    """Return when the service answers. Raises ServiceError when it ends or stays silent, with its last words."""
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while not service.healthy():
        if not is_running(settings, service.name):
            raise _failure(settings, service, "ended")
        if time.monotonic() > deadline:
            raise _failure(settings, service, f"is not healthy after {START_PATIENCE_SECONDS:.0f} s")
        time.sleep(0.3)


def run_dir(settings: Settings) -> Path:
    """Where running processes are remembered."""
    return settings.local_dir / "run"


def logs_dir(settings: Settings) -> Path:
    """Where processes write."""
    return settings.local_dir / "logs"


def log_path(settings: Settings, name: str) -> Path:
    """The log of one service."""
    return logs_dir(settings) / f"{name}.log"


def _failure(settings: Settings, service: Service, what: str) -> ServiceError:
    log = log_path(settings, service.name)
    lines = log.read_text("utf-8", errors="replace").splitlines() if log.is_file() else []
    last = "\n    ".join(lines[-8:])
    return ServiceError(f"{what}\n    {last}", where=service.name, remedy=f"the whole log is {log}")


def _require_free_port(service: Service) -> None:
    if service.port is None:
        return
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", service.port))
        except OSError:
            raise ServiceError(
                f"port {service.port} is taken by another program",
                where=service.name,
                remedy=f"stop that program, or choose another port with {service.port_variable}=…",
            ) from None


def sandbox_answers(url: str) -> bool:
    """Whether the agencies at ``url`` are there."""
    try:
        return requests.get(f"{url}/health", timeout=2).ok
    except requests.RequestException:
        return False


def reports(component: str, url: str) -> Callable[[], bool]:
    """A question to Airflow's api-server at ``url``: whether that component is healthy."""

    def healthy() -> bool:
        try:
            report = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return False
        return bool(report.get(component, {}).get("status") == "healthy")

    return healthy
