"""A year of nights landed, judged and loaded by the library's own functions, from the sandbox's world without HTTP."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Container
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from unittest.mock import patch

from benchmarks.year_world import FEEDS, SOURCES, Country, everyone
from dti import flow
from dti.clock import day_end, day_start
from dti.landing import ledger
from dti.settings import Settings
from dti.sources.spec import load_source
from dti.sources.window import Window


def make(
    year: int, nights: int, dossiers: int, lookback: int, settings: Settings, only: Container[str] = FEEDS
) -> dict[str, float]:
    """Land ``nights`` nights from 1 January of the feeds in ``only``, and judge and load them month by month.

    Returns seconds by step. Every batch is a real one: parts, checksums and manifest by ``ledger.land``; only
    ``dti.sources.read.read`` is replaced by rows of the sandbox's world, so that no portal is asked. Called again
    after a kill, it goes on with the month that was cut short.
    """
    everyone()
    country = Country(year, dossiers, lookback)
    sources = [load_source(name, settings.sources_dir) for name in SOURCES]
    sources = [source for source in sources if source.feed in only]
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(nights)]
    spent: Counter[str] = Counter()
    for month, some in groupby(days, key=lambda day: day.month):
        those = list(some)
        for source in sources:
            landed = {each.night for each in ledger.manifests(settings, source.feed)}
            new = [night for night in those if night not in landed and country.has_news(source, night)]
            with clocked(spent, f"land {source.feed}"), patch("dti.sources.read.read", country.read):
                for night in new:
                    ledger.land(source, Window(night, day_start(night), day_end(night)), None, settings=settings)
            with clocked(spent, f"gate {source.feed}"):
                flow.gate(source.feed, those[-1], settings=settings)
            with clocked(spent, f"load {source.feed}"):
                flow.load(source.feed, those[-1], settings=settings)
        told = {name: round(seconds, 1) for name, seconds in spent.items()}
        print(f"month {month} of {year}: {sum(spent.values()):.0f} s {told}", file=sys.stderr, flush=True)
    return dict(spent)


def copy_sources(settings: Settings) -> None:
    """The national source files alone, as the folder that DTI_SOURCES names."""
    settings.sources_dir.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        shutil.copy(Path(settings.include_dir) / "sources" / "sandbox" / f"{name}.yml", settings.sources_dir)


class clocked:  # noqa: N801 - reads like a function
    """Add the seconds of a block to a counter."""

    def __init__(self, spent: Counter[str], name: str) -> None:
        self.spent, self.name = spent, name

    def __enter__(self) -> None:
        self.begun = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.spent[self.name] += time.perf_counter() - self.begun
