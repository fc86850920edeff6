"""Long-lived processes, each in a session of its own, remembered in a file, and stopped with all their children.

A process is known by its id *and* its start time, because ids are used again. It leads a session, which its
children stay in even when it dies first; so a stop finds them all, also the workers a killed scheduler left behind.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_CLOCK_SLACK_SECONDS = 1.0


@dataclass(frozen=True)
class Record:
    """What is remembered of a started process."""

    name: str
    pid: int
    started: float

    def leader(self) -> psutil.Process | None:
        """The process itself, unless it ended (its id may belong to a stranger by now)."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _CLOCK_SLACK_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        return None

    def members(self) -> list[psutil.Process]:
        """Every living process of the session, the leader included."""
        if psutil.pid_exists(self.pid) and not _is_zombie(self.pid) and self.leader() is None:
            return []  # a stranger bears the id now, so no process of ours is left in its session
        return [p for p in psutil.process_iter() if _session(p.pid) == self.pid and not _is_zombie(p.pid)]


def start(name: str, command: Sequence[str], *, environment: Mapping[str, str], run_dir: Path, log: Path) -> Record:
    """Start ``command`` in a new session with its output appended to ``log``, and remember it in ``run_dir``."""
    run_dir.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own commands only
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            start_new_session=True,
        )
    record = Record(name, process.pid, psutil.Process(process.pid).create_time())
    (run_dir / f"{name}.json").write_text(json.dumps(asdict(record)), "utf-8")
    return record


def remembered(run_dir: Path) -> dict[str, Record]:
    """Processes started from this folder and not yet stopped, by name; some may have died meanwhile."""
    return {path.stem: Record(**json.loads(path.read_text("utf-8"))) for path in sorted(run_dir.glob("*.json"))}


def stop(records: Iterable[Record], *, run_dir: Path, patience: float = 15.0) -> None:
    """Ask each process to end, wait up to ``patience`` seconds, then kill what is left of its session."""
    records = list(records)
    for record in records:
        if leader := record.leader():
            _signal(leader, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(record.leader() for record in records):
        _reap(records)
        time.sleep(0.1)
    for record in records:
        left = record.members()
        for process in left:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(left, timeout=5)
        (run_dir / f"{record.name}.json").unlink(missing_ok=True)


def _reap(records: Iterable[Record]) -> None:
    """Collect ended children of this very process; elsewhere they belong to someone else."""
    for record in records:
        with suppress(ChildProcessError):
            os.waitpid(record.pid, os.WNOHANG)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
