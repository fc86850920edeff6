"""Which nights were loaded without an index run that knows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dti import flow
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.load import load_feed
from tests.builders.receipts import failed, manifest, receipt

NEWEST = date(2026, 3, 9)


def night(day: int) -> date:
    return date(2026, 3, day)


@pytest.fixture
def load(warehouse: Settings, tmp_path: Path):
    def load(*days: int, feed: str = "online_services") -> None:
        receipts = [receipt(tmp_path, manifest(f"of-{feed}", night(day), feed=feed)) for day in days]
        load_feed(feed, None, [], receipts, None, settings=warehouse)

    return load


def test_nights_without_a_run_are_behind_and_no_longer_once_computed(warehouse: Settings, load) -> None:
    load(3, 4, 9)
    assert flow.nights_behind(2026, NEWEST, settings=warehouse) == [night(3), night(4)]
    flow.compute(night(3), settings=warehouse)
    assert flow.nights_behind(2026, NEWEST, settings=warehouse) == [night(4)]


def test_a_run_is_behind_once_a_batch_of_its_own_night_came_later(warehouse: Settings, load) -> None:
    load(3)
    flow.compute(night(3), settings=warehouse)
    load(5)
    flow.compute(night(5), settings=warehouse)
    assert flow.nights_behind(2026, NEWEST, settings=warehouse) == []
    load(3, feed="staffing")
    assert flow.nights_behind(2026, NEWEST, settings=warehouse) == [night(3)]
    flow.compute(night(3), settings=warehouse)
    assert flow.nights_behind(2026, NEWEST, settings=warehouse) == []


def test_what_is_no_reason_to_compute(warehouse: Settings, load, tmp_path: Path) -> None:
    other_year = receipt(tmp_path, manifest("x", date(2025, 12, 31)))
    stopped = receipt(tmp_path, manifest("y", night(2)), status="stopped")
    load_feed("online_services", None, [], [other_year, stopped, failed("z", night(1))], None, settings=warehouse)
    load(4)
    with connect.connect(warehouse, "owner") as driver:
        driver.execute("UPDATE ops.batch SET load_number = 0 WHERE night = '2026-03-04'")
    assert flow.nights_behind(2026, NEWEST, settings=warehouse) == []
    assert flow.nights_behind(2025, NEWEST, settings=warehouse) == [date(2025, 12, 31)]
