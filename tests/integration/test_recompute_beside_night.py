"""A recomputation in the middle of its transaction holds up neither a night nor the recomputation of another year."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from dti import flow
from dti.settings import Settings
from dti.sources.spec import load_sources
from dti.warehouse import connect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FEED, FRAMEWORK = "staffing", "922-2022"
NIGHTS = (date(2026, 6, 3), date(2026, 6, 4))
"""Offices send their sheets of May on the fourth: the second night knows more than the first."""
PATIENCE = 200
"""Seconds that a candidate is held at most; a night that waited for it would end after the candidate, and be seen."""

WRITING = """
    select a.state from pg_locks as l inner join pg_stat_activity as a using (pid)
    where l.relation = 'score.metric_value'::regclass and l.mode = 'RowExclusiveLock'
"""
"""Transactions that have written a run and are not over."""


def run_night(settings: Settings, night: date) -> str:
    """One night of one feed by the library's own steps; the id of its run."""
    command = [sys.executable, "-m", "sandbox", "drop", "--home", str(settings.home_dir)]
    subprocess.run([*command, "--clock", f"{night.isoformat()}T23:00"], check=True, capture_output=True, timeout=60)
    flow.prepare(settings)
    for source in load_sources(FEED):
        flow.extract(source.source, night, settings=settings)
    flow.gate(FEED, night, settings=settings)
    flow.load(FEED, night, settings=settings)
    return str(flow.compute(night, FRAMEWORK, settings=settings)["run_id"])


def ask(settings: Settings, question: str, **known: object) -> list[tuple[Any, ...]]:
    with connect.connect(settings, "loader") as driver:
        return driver.execute(question.encode(), known).fetchall()


def asked_for(settings: Settings, year: int) -> str:
    request = flow.annual_open(
        year=year, reason="đối chiếu", requester="kiểm thử", key=f"beside {year}", framework_id=FRAMEWORK,
        settings=settings,
    )  # fmt: skip
    return str(request["request_id"])


def staff_counted(settings: Settings, run_id: str) -> Any:
    query = (
        "select count(*), sum(value) from score.metric_value where run_id = %(run_id)s and metric = 'staff_trained_dx'"
    )
    return ask(settings, query, run_id=run_id)


@contextmanager
def waiting_seen(settings: Settings) -> Iterator[list[str]]:
    """What waits for a lock while the block runs: statements, looked for twenty times a second."""
    found: list[str] = []
    ended = threading.Event()
    looked = 0

    def look() -> None:
        nonlocal looked
        with connect.connect(settings, "loader") as driver:
            driver.autocommit = True
            while not ended.wait(0.05):
                looked += 1
                rows = driver.execute(
                    "select a.query from pg_locks as l inner join pg_stat_activity as a using (pid) where not l.granted"
                )
                found.extend(query for (query,) in rows.fetchall())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        ended.set()
        watcher.join()
    assert looked > 5, "nobody looked"


class Pause:
    """Stands in for the checks of the facts: the candidate's rows are written by then, and nothing is committed."""

    def __init__(self, companions: int) -> None:
        self.reached = threading.Barrier(companions)
        self.released = threading.Event()

    def __call__(self, *_: object) -> list[Any]:
        self.reached.wait(PATIENCE)
        assert self.released.wait(PATIENCE), "nobody let it go on"
        return []


def test_a_night_goes_on_while_a_candidate_is_computed(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_night(warehouse, NIGHTS[0])
    pause = Pause(companions=2)
    monkeypatch.setattr("dti.annual.candidate.facts_checks", pause)
    request_id = asked_for(warehouse, 2026)
    with ThreadPoolExecutor(1) as pool:
        candidate = pool.submit(flow.annual_compute, request_id, settings=warehouse)
        pause.reached.wait(PATIENCE)
        try:
            with waiting_seen(warehouse) as waiting:
                night = run_night(warehouse, NIGHTS[1])
            open_now = ask(warehouse, WRITING)
            assert not candidate.done(), "the night ended while the candidate was being computed"
            assert open_now == [("idle in transaction",)]
        finally:
            pause.released.set()
        run_id = candidate.result()["run_id"]

    assert waiting == []
    assert staff_counted(warehouse, night) != staff_counted(warehouse, before), "the night brought something new"
    assert staff_counted(warehouse, run_id) == staff_counted(warehouse, before), "the candidate knows its cut-off"
    assert ask(warehouse, "select status from annual.request") == [("candidate",)]


def test_candidates_of_two_years_are_computed_side_by_side(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_night(warehouse, NIGHTS[0])
    pause = Pause(companions=2)
    pause.released.set()
    monkeypatch.setattr("dti.annual.candidate.facts_checks", pause)
    requests = [asked_for(warehouse, year) for year in (2025, 2026)]
    with ThreadPoolExecutor(2) as pool, waiting_seen(warehouse) as waiting:
        runs = list(pool.map(lambda request: flow.annual_compute(request, settings=warehouse)["run_id"], requests))

    assert waiting == []
    done = ask(warehouse, "select run_id, status from score.run where kind = 'annual' order by year")
    assert done == [(run, "complete") for run in runs]
    assert staff_counted(warehouse, runs[1])[0][0] > 0
