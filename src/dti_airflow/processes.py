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
from collections.abc import Callable, Iterable, Mapping, Sequence
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
        return psutil.Process(self.pid) if not _is_over(self.pid) and self._is_ours() else None

    def members(self) -> list[psutil.Process]:
        """Every living process of the session, the leader included."""
        if psutil.pid_exists(self.pid) and not self._is_ours():
            return []  # a stranger can only bear the id when no process of ours is left in its session
        return [
            process
            for process in psutil.process_iter()
            if _session(process.pid) == self.pid and not _is_over(process.pid)
        ]

    def _is_ours(self) -> bool:
        try:
            return abs(psutil.Process(self.pid).create_time() - self.started) < _CLOCK_SLACK_SECONDS
        except psutil.NoSuchProcess:
            return False


def start(name: str, command: Sequence[str], *, environment: Mapping[str, str], run_dir: Path, log: Path) -> Record:
    """Start ``command`` in a new session with its output appended to ``log``, and remember it in ``run_dir``."""
    run_dir.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own commands only  # nosec B603
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
    _wait_until(lambda: not any(record.leader() for record in records), patience)
    left = [process for record in records for process in record.members()]
    for process in left:
        _signal(process, signal.SIGKILL)
    _wait_until(lambda: all(_is_over(process.pid) for process in left), 5.0)
    for record in records:
        _reap(record)
        (run_dir / f"{record.name}.json").unlink(missing_ok=True)


def _wait_until(reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.05)


def _reap(record: Record) -> None:
    """Collect an ended child of this very process; another's is collected by whoever started it."""
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


def _is_over(pid: int) -> bool:
    """Whether a process is gone, or ended and only waits to be collected."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
