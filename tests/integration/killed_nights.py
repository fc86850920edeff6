"""Run by test_killed_nights: nights of one feed that are killed with SIGKILL at one moment after another.

    python -m tests.integration.killed_nights HOME NIGHT [MOMENT …]

For each moment a child process starts the night and kills itself there; then one child runs it undisturbed. The heavy
imports are paid once, before the forks; the parent itself touches neither database nor lake.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import date
from typing import Any

import deltalake  # noqa: F401 — imported before the forks, used after
import duckdb  # noqa: F401
import great_expectations  # noqa: F401
import pandas as pd  # noqa: F401

from dti import flow
from dti.sources.spec import load_sources

FEEDS = ("online_services", "service_catalogue")


def night(day: date) -> None:
    """The night of two feeds, as ``dti night`` runs it."""
    for feed in FEEDS:
        for source in load_sources(feed):
            flow.extract(source.source, day)
        flow.gate(feed, day)
        flow.load(feed, day)
    flow.compute(day)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str) -> None:
    """Make this process die ``before`` or ``after`` a function: ``before:dti.lake.merge``; ``#2``: at its 2nd call."""
    when, _, target = moment.partition(":")
    target, _, nth = target.partition("#")
    module_name, _, attribute = target.rpartition(".")
    module = importlib.import_module(module_name)
    original: Callable[..., Any] = getattr(module, attribute)
    calls = 0

    def armed(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < int(nth or 1):
            return original(*args, **kwargs)
        if when == "before":
            die()
        original(*args, **kwargs)
        die()
        return None

    setattr(module, attribute, armed)


def child(day: date, moment: str | None) -> int:
    """Run the night in a fork; the signal that ended it, 0 when it finished."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if moment:
                arm(moment)
            night(day)
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    day = date.fromisoformat(sys.argv[1])
    for moment in sys.argv[2:]:
        if (ended := child(day, moment)) != -signal.SIGKILL:
            sys.exit(f"{moment}: not killed there, ended with {ended}")
    sys.exit(child(day, None))
