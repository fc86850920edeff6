"""Landed = loaded + quarantined is kept by the database, whoever writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.load import load_feed
from tests.builders.receipts import NIGHT, manifest, receipt


@pytest.fixture
def connection(warehouse: Settings, tmp_path: Path) -> Iterator[psycopg.Connection]:
    """A loader's connection to a warehouse with one passed batch (3 rows, 2 held back) and one stopped batch."""
    passed, stopped = manifest(), manifest("sandbox-dossiers-79", NIGHT)
    load_feed(
        "online_services",
        None,
        [],
        [receipt(tmp_path, passed, quarantined=2), receipt(tmp_path, stopped, status="stopped")],
        None,
        settings=warehouse,
    )
    with connect.connect(warehouse, "loader") as loader:
        yield loader


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ops.batch SET rows_landed = 4 WHERE status = 'passed'",
        "UPDATE ops.batch SET rows_loaded = 2 WHERE status = 'passed'",
        "UPDATE ops.batch SET rows_quarantined = 1 WHERE status = 'passed'",
        "UPDATE ops.batch SET rows_loaded = -1, rows_quarantined = 4 WHERE status = 'passed'",
        "UPDATE ops.batch SET rows_loaded = 1, rows_quarantined = 2 WHERE status = 'stopped'",
        "UPDATE ops.batch SET stopped_reason = NULL WHERE status = 'stopped'",
        "UPDATE ops.batch SET outcome = 'failed' WHERE status = 'passed'",
    ],
)
def test_counts_that_do_not_add_up_are_refused_at_once(connection: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ops.batch SET rows_loaded = 2, rows_quarantined = 1 WHERE status = 'passed'",
        (
            "UPDATE ops.batch SET status = 'stopped', rows_loaded = 0, rows_quarantined = 3, stopped_reason = 'x' "
            "WHERE status = 'passed'"
        ),
        "UPDATE ops.batch SET status = 'passed', stopped_reason = NULL WHERE status = 'stopped'",
        "DELETE FROM ops.quarantine WHERE row_number = 1",
        "DELETE FROM ops.quarantine WHERE row_number = -1",
        "DELETE FROM ops.quarantine",
        "UPDATE ops.quarantine SET row_number = 7 WHERE row_number = -1",
        "UPDATE ops.quarantine SET row_number = -1 WHERE row_number = 1",
        (
            "UPDATE ops.quarantine SET batch_id = (SELECT batch_id FROM ops.batch WHERE status = 'stopped') "
            "WHERE row_number = 1"
        ),
        (
            "INSERT INTO ops.quarantine SELECT batch_id, 9, '', '', 'unit', 'warning', 'x', NULL FROM ops.batch "
            "WHERE status = 'passed'"
        ),
    ],
)
def test_lines_that_do_not_match_the_counts_are_refused_when_the_transaction_ends(
    connection: psycopg.Connection, statement: str
) -> None:
    connection.execute(statement.encode())
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.commit()
    assert connection.execute("SELECT count(*) FROM ops.quarantine").fetchone() == (3,)


def test_lines_and_counts_may_change_together(connection: psycopg.Connection) -> None:
    connection.execute("DELETE FROM ops.quarantine WHERE row_number = 1")
    connection.execute("UPDATE ops.batch SET rows_loaded = 2, rows_quarantined = 1 WHERE status = 'passed'")
    connection.commit()
    connection.execute("DELETE FROM ops.quarantine")
    connection.execute("DELETE FROM ops.quality_result")
    connection.execute("DELETE FROM ops.batch")
    connection.commit()


def test_a_failed_batch_has_nothing_in_quarantine(connection: psycopg.Connection) -> None:
    connection.execute(
        "UPDATE ops.batch SET outcome = 'failed', status = 'failed', fault_what = 'x', rows_landed = 0, "
        "rows_loaded = 0, rows_quarantined = 0 WHERE status = 'passed'"
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="landed nothing"):
        connection.commit()


def test_checking_a_large_quarantine_takes_no_square_of_its_size(connection: psycopg.Connection) -> None:
    connection.execute("SET LOCAL statement_timeout = '10s'")
    connection.execute("UPDATE ops.batch SET rows_landed = 100003, rows_quarantined = 100002 WHERE status = 'passed'")
    connection.execute(
        "INSERT INTO ops.quarantine SELECT batch_id, n, '', '', 'unit', 'warning', 'x', NULL "
        "FROM ops.batch, generate_series(2, 100001) AS n WHERE status = 'passed'"
    )
    connection.commit()
