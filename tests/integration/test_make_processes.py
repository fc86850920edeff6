"""Processes are started in sessions of their own and stopped with everything they began."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace

import psutil
import pytest

from dti_airflow import processes

FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
{trap}
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def family(tmp_path):
    """Start a process with a child that sits in a process group of its own; gives the record and the child's id."""
    begun = []

    def begin(trap: str = ""):
        log = tmp_path / "logs" / "family.log"
        code = FAMILY.format(trap=trap)
        record = processes.start(
            "family", [sys.executable, "-c", code], environment=os.environ, run_dir=tmp_path / "run", log=log
        )
        begun.append(record)
        deadline = time.monotonic() + 20
        while not log.read_text().strip():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return record, int(log.read_text())

    yield begin
    processes.stop(begun, run_dir=tmp_path / "run", patience=0)


def living(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_started_process_is_remembered_by_any_other(family, tmp_path):
    record, child = family()
    assert processes.remembered(tmp_path / "run") == {"family": record}
    assert record.leader().pid == record.pid
    assert {p.pid for p in record.members()} == {record.pid, child}


def test_stop_ends_the_children_too_and_forgets(family, tmp_path):
    record, child = family()
    processes.stop([record], run_dir=tmp_path / "run")
    assert not living(record.pid)
    assert not living(child)
    assert processes.remembered(tmp_path / "run") == {}
    processes.stop([record], run_dir=tmp_path / "run")


def test_stop_finds_the_children_of_one_that_was_killed(family, tmp_path):
    record, child = family()
    os.kill(record.pid, signal.SIGKILL)
    os.waitpid(record.pid, 0)
    assert living(child)
    processes.stop([record], run_dir=tmp_path / "run")
    assert not living(child)


def test_one_that_will_not_end_is_killed(family, tmp_path):
    record, child = family("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    began = time.monotonic()
    processes.stop([record], run_dir=tmp_path / "run", patience=0.5)
    assert not living(record.pid)
    assert not living(child)
    assert time.monotonic() - began < 10


def test_a_stranger_who_bears_the_id_now_is_left_alone(family, tmp_path):
    record, child = family()
    mistaken = replace(record, started=record.started - 3600)
    assert mistaken.leader() is None
    assert mistaken.members() == []
    processes.stop([mistaken], run_dir=tmp_path / "run", patience=0)
    assert living(record.pid)
    assert living(child)
