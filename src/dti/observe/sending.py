"""Where lineage events go: always a file of the night, and an OpenLineage endpoint where one is configured.

The file is written at once. An endpoint is served by a thread of its own, which a step waits for at its end, briefly:
one that does not keep up is given up for the rest of the process, and the file has what it missed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import queue
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from openlineage.client.serde import Serde

from dti.settings import Settings

KEPT_FILES = 90
MAX_BYTES = 64_000_000
"""Of one file; the one before it is kept beside it, as ``….1.jsonl``."""
PATIENCE_SECONDS = 2.0
"""That a step waits at its end for an endpoint, all its parts together."""

_log = logging.getLogger(__name__)
_LOUD = ("openlineage.client", "urllib3.connectionpool", "urllib3.util.retry")
"""Loggers that say more of an endpoint that is away than the one line of ours, or repeat what it answered."""


def is_on() -> bool:
    """Whether lineage is told at all; OpenLineage's own switch turns it off."""
    return os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() != "true"


def endpoint_is_configured() -> bool:
    """Whether OpenLineage's own variables name a place to send events to."""
    return any(
        name in {"OPENLINEAGE_URL", "OPENLINEAGE_CONFIG"} or name.startswith("OPENLINEAGE__TRANSPORT")
        for name, value in os.environ.items()
        if value
    )


def events_file(night: str, settings: Settings) -> Path:
    """The file of a night's events, one JSON object a line."""
    return settings.local_dir / "lineage" / f"events-{night}.jsonl"


def send(event: Any, night: str, settings: Settings) -> None:
    """Write ``event`` into the file of its night, and hand it to the endpoint's thread."""
    _append(events_file(night, settings), Serde.to_json(event))
    if endpoint_is_configured():
        _endpoint(os.getpid()).put(event)


def flush() -> None:
    """Wait for the endpoint, if there is one, no longer than ``PATIENCE_SECONDS``."""
    if endpoint_is_configured():
        _endpoint(os.getpid()).wait(PATIENCE_SECONDS)


def _append(path: Path, line: str) -> None:
    """One whole line, also when several processes write at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _keep_newest(path.parent)
        elif path.stat().st_size > MAX_BYTES:
            path.replace(path.with_suffix(".1.jsonl"))
        with path.open("ab") as file:
            torn = file.tell() > 0 and _last_byte(path) != b"\n"  # what a killed process left ends here
            file.write(b"\n" * torn + line.encode() + b"\n")


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def _keep_newest(folder: Path) -> None:
    files = sorted(folder.glob("events-*.jsonl"), key=os.path.getmtime)
    for old in files[: -(KEPT_FILES - 1)]:
        old.unlink(missing_ok=True)


class _Endpoint:
    """A client in a thread of its own, until it is too slow or refuses."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Any] = queue.Queue(maxsize=10_000)
        self._given_up = False
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        threading.Thread(target=self._work, name="openlineage", daemon=True).start()

    def put(self, event: Any) -> None:
        """Queue an event; after giving up, none is."""
        if self._given_up:
            return
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._give_up("it is thousands of events behind")

    def wait(self, seconds: float) -> None:
        """Until all that is queued is sent; after ``seconds`` the endpoint is given up."""
        until = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and not self._given_up:
            if time.monotonic() > until:
                self._give_up(f"it did not take them within {seconds:g} s")
            time.sleep(0.005)

    def _work(self) -> None:
        client = None
        while not self._given_up:
            event = self._waiting.get()
            try:
                if client is None:
                    from openlineage.client import OpenLineageClient

                    client = OpenLineageClient()
                client.emit(event)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the night goes on
                self._give_up(f"it failed ({type(fault).__name__})")
            finally:
                self._waiting.task_done()

    def _give_up(self, why: str) -> None:
        if not self._given_up:
            self._given_up = True
            _log.warning(
                "the OpenLineage endpoint gets no more events of this process: %s; DTI_HOME/lineage has all", why
            )


@lru_cache(maxsize=4)
def _endpoint(_process: int) -> _Endpoint:
    """One a process: Airflow forks, and a thread does not survive that."""
    return _Endpoint()
