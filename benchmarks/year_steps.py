"""One recomputation of a year, taken apart from outside: seconds and peak memory of each of its steps.

The library's own functions are wrapped where they are called, so nothing of it knows that it is measured. Seconds are
exclusive: what a step calls that is a step itself is counted there alone.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa

from dti import flow
from dti.settings import Settings

WRAPPED = {
    "verify checksums": ["dti.annual.rebuild._lay_parts"],
    "held rows": ["dti.annual.candidate.write_held_rows"],
    "type and keep the newest": ["dti.annual.candidate.rebuild"],
    "facts by COPY into temporary tables": ["dti.annual.candidate.lay_facts"],
    "metrics": ["dti.index.run.measure"],
    "score": ["dti.index.run.score"],
    "checks of the facts": ["dti.annual.candidate.facts_checks"],
    "checks of the candidate": ["dti.annual.review.candidate_checks"],
    "difference": ["dti.annual.review.differ"],
    "report": ["dti.annual.review.render"],
    "publication": ["dti.annual.publish._publish"],
    "bundle": ["dti.annual.publish.write_bundle"],
}
ROLLUP = "rollup"
REST = "everything else"
STEPS = [*list(WRAPPED)[:3], ROLLUP, *list(WRAPPED)[3:], REST]


class Clock:
    """Exclusive seconds, processor seconds (ours and PostgreSQL's) and peak resident memory (MiB) by step."""

    def __init__(self, server: Server) -> None:
        self.seconds: Counter[str] = Counter()
        self.processor: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self._server = server
        self._stack = [REST]
        self._since = self._now()

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time() + self._server.processor()

    def _book(self) -> None:
        step, now = self._stack[-1], self._now()
        self.seconds[step] += now[0] - self._since[0]
        self.processor[step] += now[1] - self._since[1]
        self.peak[step] = max(self.peak[step], high_water())
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        self._since = self._now()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what happens inside for ``name``."""
        self._book()
        self._stack.append(name)
        try:
            yield
        finally:
            self._book()
            self._stack.pop()

    def wrapping(self, name: str, target: str) -> AbstractContextManager[object]:
        """Patch the function that ``target`` names, so that its calls count for ``name``."""
        module, _, attribute = target.rpartition(".")
        original = getattr(importlib.import_module(module), attribute)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.step(name):
                return original(*args, **kwargs)

        return patch(target, wrapped)

    def wrapping_rollup(self) -> AbstractContextManager[object]:
        """Patch the rollup, whose reader works while the COPY reads from it."""
        from dti.rollup import rollup

        def wrapped(*args: Any, **kwargs: Any) -> pa.RecordBatchReader:
            with self.step(ROLLUP):
                reader = rollup(*args, **kwargs)
            return pa.RecordBatchReader.from_batches(reader.schema, self._drawn(iter(reader)))

        return patch("dti.annual.candidate.rollup", wrapped)

    def _drawn(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        while True:
            with self.step(ROLLUP):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def end(self) -> None:
        """Book what has passed since the last step."""
        self._book()


def high_water() -> float:
    """Peak resident memory of this process since it was last cleared, in MiB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


class Server:
    """A home's PostgreSQL, watched from outside; ``peak`` is the private memory of its largest process, in MiB."""

    def __init__(self, settings: Settings) -> None:
        pid_file = settings.home_dir / "postgres" / "data" / "postmaster.pid"
        self._postmaster = pid_file.read_text("ascii").split("\n")[0]
        self._ended = threading.Event()
        self.peak = 0.0

    def __enter__(self) -> Server:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def processor(self) -> float:
        """Processor seconds of all its processes so far, also of those that ended."""
        ticks = sum(_ticks(self._postmaster)) + sum(sum(_ticks(pid)[:2]) for pid in self._processes())
        return ticks / os.sysconf("SC_CLK_TCK")

    def _processes(self) -> list[str]:
        return Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text("ascii").split()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for pid in self._processes():
                try:
                    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
                except OSError:
                    continue  # it has just ended
                private = sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024
                self.peak = max(self.peak, private)


def _ticks(pid: str) -> list[int]:
    """Of a process: utime, stime, and both once more of its children that ended; see proc_pid_stat(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return [0, 0, 0, 0]  # it has just ended: the postmaster's own line counts it from now on
    return [int(number) for number in text[text.rindex(")") + 1 :].split()[11:15]]


def recompute(year: int, key: str, settings: Settings, *, publish: bool = True) -> dict[str, Any]:
    """Ask for ``year``, compute, review and publish it; the figures of each step, and how many rows there were."""
    for module in ("candidate", "review", "publish"):  # what imports cost is no part of the work
        importlib.import_module(f"dti.annual.{module}")
    flow.prepare(settings)
    counted, began = Counter[str](), time.perf_counter()
    with ExitStack() as patches, Server(settings) as server:
        clock = Clock(server)
        for name, targets in WRAPPED.items():
            for target in targets:
                patches.enter_context(clock.wrapping(name, target))
        patches.enter_context(clock.wrapping_rollup())
        patches.enter_context(counting(counted))
        request = flow.annual_open(year=year, reason="phép đo", requester="benchmark", key=key, settings=settings)
        request_id = request["request_id"]
        flow.annual_compute(request_id, settings=settings)
        computed = time.perf_counter()
        found = flow.annual_review(request_id, settings=settings)
        if publish:
            flow.annual_publish(request_id, approver="benchmark", settings=settings)
        else:
            flow.annual_end(request_id, "withdrawn", "phép đo", settings=settings)
        clock.end()
    return {
        "request_id": request_id,
        "seconds": dict(clock.seconds),
        "processor": dict(clock.processor),
        "peak_mib": {name: round(peak) for name, peak in clock.peak.items()},
        "total": time.perf_counter() - began,
        "candidate": computed - began,
        "backend_mib": round(server.peak),
        "checks": found["checks"],
        **counted,
    }


def counting(counted: Counter[str]) -> AbstractContextManager[object]:
    """Count batches, rows that passed the gate, and facts on their way into the temporary tables."""
    from dti.annual import candidate

    original: Callable[..., int] = candidate.copy_batches
    rebuild: Callable[..., list[str]] = candidate.rebuild

    def copied(*args: Any, **kwargs: Any) -> int:
        rows = original(*args, **kwargs)
        counted["facts"] += rows
        return rows

    def rebuilt(feed: str, batches: list[Any], *args: Any, **kwargs: Any) -> list[str]:
        counted["batches"] += len(batches)
        counted["landed_rows"] += sum(batch.rows_loaded for batch in batches)
        counted[f"rows {feed}"] += sum(batch.rows_loaded for batch in batches)
        return rebuild(feed, batches, *args, **kwargs)

    stack = ExitStack()
    stack.enter_context(patch("dti.annual.candidate.copy_batches", copied))
    stack.enter_context(patch("dti.annual.candidate.rebuild", rebuilt))
    return stack
