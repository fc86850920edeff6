"""Nights of one feed, alone and while a year is recomputed in another process, and whether anything ever waited."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from benchmarks.year_ledger import clocked
from benchmarks.year_world import Country, everyone
from dti import flow
from dti.clock import day_end, day_start
from dti.landing import ledger
from dti.settings import Settings
from dti.sources.spec import load_source
from dti.sources.window import Window
from dti.warehouse import connect

FEED, SOURCE = "online_services", "dvc-quoc-gia"
ALONE = 4
"""Nights measured before the recomputation begins; one more comes before them, to warm up."""


def nights(
    year: int, dossiers: int, settings: Settings, recompute: Callable[[], subprocess.Popen[str]]
) -> dict[str, Any]:
    """Median seconds of judging, loading and computing a night of ``FEED``, alone and beside a recomputation.

    The nights follow those that were made, so calling it again takes later ones.
    """
    everyone()
    country, source = Country(year, dossiers), load_source(SOURCE, settings.sources_dir)
    last = max(each.night for each in ledger.manifests(settings, FEED))
    days = (last + timedelta(days=number) for number in count(1))

    def one_night() -> dict[str, float]:
        night, spent = next(days), Counter[str]()
        with patch("dti.sources.read.read", country.read):
            ledger.land(source, Window(night, day_start(night), day_end(night)), None, settings=settings)
        with clocked(spent, "gate"):
            flow.gate(FEED, night, settings=settings)
        with clocked(spent, "load"):
            flow.load(FEED, night, settings=settings)
        with clocked(spent, "index run"):
            flow.compute(night, settings=settings)
        return dict(spent)

    one_night()
    alone = [one_night() for _ in range(ALONE)]
    with waiting(settings) as seen:
        child = recompute()
        time.sleep(5)  # its imports
        beside = []
        while child.poll() is None:
            beside.append(one_night())
    if child.returncode:
        raise SystemExit(child.returncode)
    return {
        "alone": _medians(alone),
        "beside": _medians(beside),
        "nights beside": len(beside),
        "looked for waiting locks": seen["looked"],
        "found": seen["found"],
    }


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(each[name] for each in found), 2) for name in found[0]}


@contextmanager
def waiting(settings: Settings) -> Iterator[Counter[str]]:
    """Count, twenty times a second, the locks that someone waits for."""
    seen: Counter[str] = Counter()
    ended = threading.Event()

    def look() -> None:
        with connect.connect(settings, "loader") as driver:
            driver.autocommit = True
            while not ended.wait(0.05):
                found = driver.execute("select count(*) from pg_locks where not granted").fetchone()
                seen["looked"] += 1
                seen["found"] += found[0] if found else 0

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()
