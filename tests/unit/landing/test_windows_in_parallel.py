"""Nights filled in parallel, in any order and with failures: what was asked for overlaps, and never leaves a gap."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from dti.clock import day_end, day_start
from dti.errors import SourceUnreachable
from dti.landing import ledger
from dti.settings import Settings
from dti.sources.model import Source
from dti.sources.spec import load_source

FIRST = date(2026, 6, 1)
NIGHTS = [FIRST + timedelta(days=n) for n in range(7)]


@pytest.fixture
def source(settings: Settings) -> Source:
    return load_source("prometheus-dak-lak", settings.sources_dir)


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> set[date]:
    """The nights on which the agency does not answer; else it has nothing to say."""
    nights: set[date] = set()

    def read(_source: object, window: object, *_: object) -> Iterator[dict[str, str | None]]:
        if window.night in nights:  # type: ignore[attr-defined]
            raise SourceUnreachable("timed out", where="here", remedy="wait")
        return iter([])

    monkeypatch.setattr("dti.sources.read.read", read)
    return nights


@given(order=st.permutations(NIGHTS), failing=st.sets(st.sampled_from(NIGHTS)), abreast=st.integers(1, 4))
@budget(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_of_landed_nights_leave_no_gap(
    settings: Settings, source: Source, dead: set[date], order: list[date], failing: set[date], abreast: int
) -> None:
    shutil.rmtree(settings.landing_dir, ignore_errors=True)
    dead.clear()
    dead.update(failing)

    def pull(night: date) -> None:
        with suppress(SourceUnreachable):
            ledger.extract_night(source, night, lambda _: None, settings=settings)  # type: ignore[arg-type,return-value]

    with ThreadPoolExecutor(abreast) as workers:
        list(workers.map(pull, order))
    landed = [m for m in ledger.manifests(settings, source.feed, source.source) if m.outcome == "landed"]
    assert {m.night for m in landed} == set(NIGHTS) - failing
    covered_until = day_start(date(2026, 1, 1))
    for manifest in sorted(landed, key=lambda m: m.since):
        assert manifest.since <= covered_until, f"gap before {manifest.night}"
        assert manifest.until == day_end(manifest.night)
        covered_until = max(covered_until, manifest.until)
