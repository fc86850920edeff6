"""``make up`` and ``make run`` say clearly why they do not start, and start nothing then."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys

import psutil
import pytest

from dti_airflow import processes


@pytest.fixture
def command(tmp_path):
    """Call ``python -m dti_airflow …`` in a DTI_HOME of its own."""

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        ports = {"DTI_AIRFLOW_PORT": free_port(), "DTI_SANDBOX_PORT": free_port()}
        environment = {**os.environ, **ports, "DTI_HOME": str(tmp_path), **variables}
        return subprocess.run(
            [sys.executable, "-m", "dti_airflow", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return call


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_taken_port_is_named_with_the_variable_that_moves_it(command, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = command("up", DTI_AIRFLOW_PORT=port)
    assert done.returncode == 1
    assert f"port {port} is taken by another program" in flat(done.stderr)
    assert "DTI_AIRFLOW_PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert processes.remembered(tmp_path / "run") == {}
    assert not (tmp_path / "postgres").exists()


def test_a_port_that_is_no_number_is_refused(command):
    done = command("up", DTI_AIRFLOW_PORT="eighty")
    assert done.returncode == 1
    assert "'eighty' is not a port" in flat(done.stderr)


def test_a_night_that_is_no_day_is_refused(command):
    done = command("run", "--night", "30/06/2026")
    assert done.returncode == 1
    assert "'30/06/2026' is no day" in flat(done.stderr)


def test_down_and_status_work_where_nothing_was_ever_started(command):
    assert command("down").returncode == 0
    told = command("status")
    assert told.returncode == 1
    assert told.stderr.count("stopped") == 5


def test_run_refuses_to_work_beside_a_scheduler(command, tmp_path):
    scheduler = processes.start(
        "scheduler",
        [sys.executable, "-c", "import time; time.sleep(600)"],
        environment=os.environ,
        run_dir=tmp_path / "run",
        log=tmp_path / "logs" / "scheduler.log",
    )
    done = command("run")
    assert done.returncode == 1
    assert "make down first" in flat(done.stderr)
    assert scheduler.leader() is not None
    assert command("down").returncode == 0
    assert not psutil.pid_exists(scheduler.pid) or psutil.Process(scheduler.pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("verb", ["run", "up"])
def test_nothing_starts_while_another_run_is_at_work(command, tmp_path, verb):
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "alone.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = command(verb)
    assert done.returncode == 1
    assert "another make run or make up is at work" in flat(done.stderr)
    assert processes.remembered(tmp_path / "run") == {}


def test_run_does_not_take_another_program_for_the_sandbox(command, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = command("run", DTI_SANDBOX_PORT=str(other.getsockname()[1]))
    assert done.returncode == 1
    assert "is taken by another program" in flat(done.stderr)
    assert "DTI_SANDBOX_PORT" in done.stderr
    assert not (tmp_path / "postgres").exists()
