"""Run by test_killed_nights: nights of two feeds that are killed with SIGKILL at random moments.

    python -m tests.integration.killed_nights CALM KILLED KILLS SEED

CALM and KILLED are two prepared DTI_HOMEs. Night after night runs undisturbed in the one. In the other a process
starts the night and is killed, up to six times in a row, and then a process is let finish it; after that the two
must hold the same, row by row. A third of the kills come at a random call of a random function, a third by the clock,
in whatever library the process is then, and a third beside a step that changes what is on disk.

The heavy imports are paid once, before the forks; the parent itself touches neither database nor lake, and has no
thread but its allocator's, which knows forks (run it with OPENBLAS_NUM_THREADS=1). It prints a line of JSON a night.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import deltalake  # noqa: F401 — imported before the forks, used after
import duckdb  # noqa: F401
import pandas as pd  # noqa: F401
import pyarrow.parquet  # noqa: F401

import dti.index.run  # noqa: F401
from dti import flow, libraries
from dti.settings import get_settings
from dti.sources.spec import load_sources
from tests.builders.agencies import Agencies
from tests.builders.contents import Contents, contents, differences, left_over
from tests.builders.moments import Steps, arm
from tests.builders.two_feeds import FEEDS

FIRST_NIGHT = date(2026, 6, 1)
MOMENTS = (
    "before:dti.landing.parts.write_parts",
    "before:dti.landing.ledger._write_manifest",
    "after:dti.landing.ledger._write_manifest",
    "after:dti.landing.ledger._write_manifest#2",
    "before:dti.gate.judge",
    "before:dti.gate.judgement.save_verdict",
    "after:dti.gate.judgement.save_verdict#2",
    "before:dti.lake.merge",
    "after:dti.lake.merge",
    "after:dti.rollup.rollup",
    "before:dti.warehouse.load._remember_version",
    "after:dti.warehouse.load.load_feed",
    "before:dti.lake.merge#2",
    "after:dti.warehouse.load.load_feed#2",
    "before:dti.index.run.score",
    "after:dti.index.run.score",
    "after:dti.index.run.compute",
)
CALLS = 10_000
"""About what the first night has; from the second on they are counted."""
ALLOCATOR = "jemalloc_bg_thd"
Act = Callable[[], Any]


def night(day: date) -> None:
    """The night of two feeds, as ``dti night`` runs it."""
    for feed in FEEDS:
        for source in load_sources(feed):
            flow.extract(source.source, day)
        flow.gate(feed, day)
        flow.load(feed, day)
    flow.compute(day)


def begin(home: str, act: Act) -> tuple[int, int]:
    """Start ``act`` in a fork that works in ``home``; see ``end``."""
    threads = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    if len([name for name in threads if name != ALLOCATOR]) != 1:
        raise RuntimeError("a process with threads must not fork")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        status = 1
        try:
            os.environ["DTI_HOME"] = home
            get_settings.cache_clear()
            given = pickle.dumps(act())
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(given)
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    os.close(writer)
    return pid, reader


def end(pid: int, reader: int) -> tuple[int, Any]:
    """Wait for what was begun: its exit status, less than 0 for a signal that ended it, and what it gave."""
    with os.fdopen(reader, "rb") as pipe:
        given = pipe.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return ended, pickle.loads(given) if ended == 0 else None  # noqa: S301 — our own child wrote it


def forked(home: str, act: Act, kill_after: float | None = None) -> tuple[int, Any]:
    """Do ``act`` in a fork that works in ``home``: the signal that ended it or 0, and what it gave."""
    pid, reader = begin(home, act)
    if kill_after is not None:
        time.sleep(kill_after)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return end(pid, reader)


def undisturbed(home: str, act: Act) -> Any:
    ended, given = forked(home, act)
    if ended:
        sys.exit(f"a process that nobody killed ended with {ended}")
    return given


def timed(day: date) -> float:
    """Run a night; its seconds."""
    started = time.monotonic()
    night(day)
    return time.monotonic() - started


def measured(day: date) -> tuple[int, float]:
    """Run a night; its calls and its seconds, counting and all."""
    steps = Steps()
    steps.start()
    seconds = timed(day)
    sys.setprofile(None)
    return steps.count, seconds


def killed(home: str, day: date, calls: int, seconds: float, chance: random.Random) -> bool:
    """Start a night and kill it; False when it was faster."""

    def until_fatal() -> None:
        Steps(call).start()
        night(day)

    def until_step() -> None:
        arm(step)
        night(day)

    call, after, step = chance.randint(1, calls), chance.uniform(0, seconds), chance.choice(MOMENTS)
    how = chance.choice(("call", "clock", "step"))
    acts: dict[str, Act] = {"call": until_fatal, "clock": lambda: night(day), "step": until_step}
    ended, _ = forked(home, acts[how], after if how == "clock" else None)
    if ended not in (0, -signal.SIGKILL):
        sys.exit(f"{day}: not killed, ended with {ended}")
    return ended != 0


def main(calm: str, hurt: str, kills: int, seed: int) -> None:
    libraries.great_expectations()  # as all that is imported above: before the forks, used after
    chance, agencies, done, day = random.Random(seed), Agencies(os.environ["DTI_SANDBOX_URL"]), 0, FIRST_NIGHT
    calls = CALLS
    while done < kills:
        agencies.set_clock(day)
        if day == FIRST_NIGHT + timedelta(days=1):  # counting takes time; nights are much alike after the first
            calls, seconds = undisturbed(calm, lambda: measured(day))  # noqa: B023 — called at once
        else:
            seconds = undisturbed(calm, lambda: timed(day))  # noqa: B023
        expected: Contents = undisturbed(calm, lambda: contents(get_settings(), FEEDS, day))  # noqa: B023
        in_a_row = min(chance.choice((1, 2, 3, 6)), kills - done)
        hits = sum(killed(hurt, day, calls, seconds, chance) for _ in range(in_a_row))
        undisturbed(hurt, lambda: night(day))  # noqa: B023
        found: Contents = undisturbed(hurt, lambda: contents(get_settings(), FEEDS, day))  # noqa: B023
        told = {
            "night": str(day),
            "kills": hits,
            "seconds": round(seconds, 2),
            "rows": {name: counted.total() for name, counted in found.items()},
            "different": differences(expected, found),
            "left": undisturbed(hurt, lambda: left_over(get_settings(), FEEDS)),
        }
        print(json.dumps(told), flush=True)  # noqa: T201
        if told["different"] or told["left"]:
            break
        done, day = done + hits, day + timedelta(days=1)


if __name__ == "__main__":
    main(str(Path(sys.argv[1])), str(Path(sys.argv[2])), int(sys.argv[3]), int(sys.argv[4]))
