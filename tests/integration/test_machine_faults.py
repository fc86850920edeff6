"""A full disk, a database that goes away, nights at once, a lost lake: tried again, all is as if nothing had happened.

One home runs its nights undisturbed, and another the same nights with a fault in each; then the two are compared.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from dti import lake
from dti.errors import WarehouseError
from dti.warehouse import connect, embedded, state
from tests.builders.agencies import Agencies
from tests.builders.airflow import call
from tests.builders.contents import Contents, differences, left_over
from tests.builders.two_feeds import FEEDS, Home, a_project
from tests.integration.one_night import BALLAST, Nights, at_work

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FIRST_NIGHT = date(2026, 6, 24)
DISK = "512m"
LANDING, MERGING = "before:dti.landing.parts.write_parts", "before:dti.lake.merge"
ELSEWHERE = (
    "before:dti.gate.judge",
    "before:dti.warehouse.load.load_feed",
    "before:dti.index.run.score",
)
FEED = FEEDS[0]


@dataclass
class Pair:
    """The two homes, and what runs nights in them."""

    calm: Home
    hurt: Home
    agencies: Agencies
    nights: Nights
    day: date = FIRST_NIGHT - timedelta(days=1)

    def next_night(self) -> date:
        """One day later: the undisturbed home has its night, the other is to have it."""
        self.day += timedelta(days=1)
        self.agencies.set_clock(self.day)
        assert self.nights.run(self.calm, self.day) == [""]
        return self.day

    def finish(self) -> None:
        """Try again, undisturbed: the homes are equal, and nothing is left lying about."""
        assert self.nights.run(self.hurt, self.day) == [""]
        assert differences(self.calm.contents(self.day), self.hurt.contents(self.day)) == {}
        assert left_over(self.hurt.settings, FEEDS) == []


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, bool]]:
    """A folder, and whether it is a disk of its own that may be written full: to make one takes the right to mount."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "none", str(folder)]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    yield folder, mounted
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def pair(agencies: Agencies, small_disk: tuple[Path, bool], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    project = a_project(tmp_path_factory.mktemp("project"))
    calm, hurt = (Home.prepare(project, at, agencies) for at in (tmp_path_factory.mktemp("calm"), small_disk[0]))
    try:
        with at_work(calm.environment) as nights:
            yield Pair(calm, hurt, agencies, nights)
    finally:
        for home in (calm, hurt):
            embedded.stop(home.settings)


def test_a_full_disk_is_told_and_once_there_is_space_the_night_is_whole(
    pair: Pair, small_disk: tuple[Path, bool]
) -> None:
    """Full for this process, which can be had everywhere; and full for all, PostgreSQL too, where one may mount."""
    faults = [(moment, "limit") for moment in (LANDING, MERGING)]
    if small_disk[1]:
        faults += [(moment, "fill") for moment in (LANDING, MERGING, *ELSEWHERE)]
    day = pair.next_night()
    for moment, fault in faults:
        (told,) = pair.nights.run(pair.hurt, day, moment=moment, fault=fault)
        (pair.hurt.settings.home_dir / BALLAST).unlink(missing_ok=True)
        assert told.startswith("disk full: "), (moment, fault, told)
        assert f"free space on the disk of {pair.hurt.settings.home_dir}" in told
    pair.finish()


def test_a_database_that_goes_away_in_a_transaction_is_told_and_there_again_for_the_retry(pair: Pair) -> None:
    (told,) = pair.nights.run(
        pair.hurt, pair.next_night(), moment="after:dti.warehouse.facts.copy_batches", fault="stop"
    )
    assert told.startswith("warehouse: "), told
    assert "then repeat" in told
    pair.finish()


def test_a_database_that_is_restarted_between_two_steps_disturbs_nobody(pair: Pair) -> None:
    moment = "before:dti.index.run.compute"
    assert pair.nights.run(pair.hurt, pair.next_night(), moment=moment, fault="stop") == [""]
    logs = (pair.hurt.settings.home_dir / "postgres" / "data" / "log").glob("*.log")
    assert sum(log.read_text("utf-8").count("received immediate shutdown") for log in logs) == 2
    pair.finish()


def test_a_database_that_takes_no_more_connections_is_told_as_such(pair: Pair) -> None:
    taken = [connect.connect(pair.hurt.settings, "loader")]
    (limit,) = taken[0].execute("select current_setting('max_connections')::int").fetchone() or (0,)
    with pytest.raises(WarehouseError, match="close other sessions or raise max_connections"):
        taken.extend(connect.connect(pair.hurt.settings, "loader") for _ in range(limit))
    (told,) = pair.nights.run(pair.hurt, pair.next_night())
    for driver in taken:
        driver.close()
    assert "close other sessions or raise max_connections" in told
    pair.finish()


def test_a_night_started_twice_at_once_is_that_night(pair: Pair) -> None:
    day = pair.next_night()
    assert pair.nights.run(pair.hurt, day, day) == ["", ""]
    assert differences(pair.calm.contents(day), pair.hurt.contents(day)) == {}
    assert left_over(pair.hurt.settings, FEEDS) == []


def test_two_nights_at_once_lose_and_double_nothing(pair: Pair) -> None:
    """The later one may run before the earlier one has landed; once it is run again it is as if it had run alone."""
    days = pair.next_night(), pair.next_night()
    assert pair.nights.run(pair.hurt, *days) == ["", ""]
    assert pair.nights.run(pair.hurt, days[-1]) == [""]
    expected, found = (only(home.contents(days[-1])) for home in (pair.calm, pair.hurt))
    assert differences(expected, found) == {}
    assert left_over(pair.hurt.settings, FEEDS) == []


def only(contents: Contents) -> Contents:
    """Without the records of how it came to be: the later night may have asked for both days."""
    return {name: rows for name, rows in contents.items() if name.startswith(("facts.", "lake.", "marts."))}


def test_a_lost_lake_is_told_rebuilt_and_equal(pair: Pair) -> None:
    day, home = pair.next_night(), pair.hurt
    assert pair.nights.run(home, day) == [""]
    before = home.contents(day)
    assert before[f"lake.{FEED}"].total() > 100

    shutil.rmtree(home.settings.lake_dir)
    (told,) = pair.nights.run(home, day)
    assert f"and it is gone — run: dti lake rebuild {FEED}" in told

    shown = call("dti", "lake", "rebuild", "--all", env=home.environment)
    assert shown.count("equal to the warehouse") == len(shown.splitlines()) >= len(FEEDS), shown
    after = home.contents(day)
    assert differences(only(before), only(after)) == {}
    assert left_over(home.settings, FEEDS) == []
    assert pair.nights.run(home, day) == [""]
    assert differences(before, home.contents(day)) == {}


def test_a_rebuilt_lake_that_would_change_a_figure_is_not_put_in_place(pair: Pair) -> None:
    settings, environment = pair.hurt.settings, pair.hurt.environment
    with connect.connect(settings, "owner") as driver:
        driver.execute(
            "update facts.online_services set dossiers_received = dossiers_received + 1"
            " where (tableoid, ctid) = (select tableoid, ctid from facts.online_services limit 1)"
        )
    version = lake.version(FEED, settings=settings)
    with pytest.raises(AssertionError, match="1 facts of the warehouse are gone and 1 are new"):
        call("dti", "lake", "rebuild", FEED, env=environment)
    assert lake.version(FEED, settings=settings) == state.lake_version(FEED, settings=settings) == version
    assert "1 gone, 1 new" in call("dti", "lake", "rebuild", FEED, "--accept-difference", env=environment)
    assert "equal to the warehouse" in call("dti", "lake", "rebuild", FEED, env=environment)
