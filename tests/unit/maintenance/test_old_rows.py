"""Nightly runs of long ago are thinned, and tables with many dead rows are vacuumed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dti import clock
from dti.maintenance import runs, tables
from dti.settings import Settings
from dti.warehouse import connect
from tests.builders.candidates import DAK_LAK, Desk

TODAY = clock.local_day(clock.now())
KEPT_DAYS = 366
LONG_AGO = (TODAY - timedelta(days=KEPT_DAYS + 70)).replace(day=10)
VALUES = {(DAK_LAK, "n"): 50, (DAK_LAK, "m"): 50, (DAK_LAK, "k"): 50}


def night(desk: Desk, day: date) -> str:
    return desk.run(f"night-{day}", VALUES, as_of_date=day, period_from=day, period_to=day).run_id


@pytest.fixture
def old_runs(warehouse: Settings) -> tuple[Settings, dict[str, str]]:
    """Four nights of one month long ago, two of which somebody refers to; a newer night; a run that is no night's."""
    with connect.engine(warehouse, "loader").begin() as connection:
        desk = Desk(connection, warehouse)
        names = {
            "plain": night(desk, LONG_AGO),
            "asked as of": night(desk, LONG_AGO + timedelta(days=1)),
            "compared with": night(desk, LONG_AGO + timedelta(days=2)),
            "month end": night(desk, LONG_AGO + timedelta(days=3)),
            "new": night(desk, TODAY - timedelta(days=KEPT_DAYS - 1)),
        }
        candidate = desk.run("annual-2026-r1", VALUES)
        names["candidate"] = candidate.run_id
        desk.request(
            candidate,
            as_of_run_id=names["asked as of"],
            compared_with=f'{{"night": {{"run_id": "{names["compared with"]}"}}}}',
            status="published",
        )
    return warehouse, names


def there(settings: Settings, table: str) -> set[str]:
    with connect.connect(settings, "owner") as driver:
        return {run for (run,) in driver.execute(f"select distinct run_id from score.{table}".encode())}


def test_old_nights_go_but_month_ends_and_what_is_referred_to(old_runs: tuple[Settings, dict[str, str]]) -> None:
    settings, names = old_runs
    settings = settings.model_copy(update={"night_run_days": KEPT_DAYS})
    assert runs.thin(settings, True).removed_count == 1
    assert there(settings, "run") == set(names.values())
    done = runs.thin(settings, False)
    assert (done.removed_count, done.bytes_freed > 0) == (1, True)
    for table in ("run", "indicator_score", "composite_index", "metric_value"):
        assert there(settings, table) == set(names.values()) - {names["plain"]}, table
    assert runs.thin(settings, False).removed_count == 0


def test_by_default_two_years_of_nights_are_kept(old_runs: tuple[Settings, dict[str, str]]) -> None:
    settings, names = old_runs
    assert runs.thin(settings, False).removed_count == 0
    assert there(settings, "run") == set(names.values())


def test_a_table_of_dead_rows_is_vacuumed_and_gives_its_end_back(warehouse: Settings) -> None:
    with connect.connect(warehouse, "owner") as driver:
        driver.autocommit = True
        driver.execute("alter table ops.restatement set (autovacuum_enabled = off)")
        driver.execute(
            "insert into ops.restatement (feed, load_number, source_id, unit_id, day, kind, changes, batch_ids)"
            " select 'f', 1, 's', 'u', '2026-01-01', 'late', '{}', '{}' from generate_series(1, 5000)"
        )
        driver.execute("delete from ops.restatement")
        driver.execute("select pg_stat_force_next_flush()")
        driver.execute("select 1")
        try:
            would = tables.vacuum(warehouse, True)
            assert (would.removed_count, "ops.restatement (5000 dead)" in would.detail) == (1, True), would.detail
            assert would.bytes_freed == 0
            done = tables.vacuum(warehouse, False)
            assert done.bytes_freed > 100_000
            assert tables.vacuum(warehouse, False).removed_count == 0
        finally:
            driver.execute("alter table ops.restatement reset (autovacuum_enabled)")
