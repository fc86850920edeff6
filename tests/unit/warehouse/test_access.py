from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.load import load_feed
from tests.builders.receipts import receipt

DENIED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM ops.batch",
        "SELECT * FROM ref.unit",
        "SELECT * FROM facts.online_services",
        "TABLE ops.quarantine",
        "INSERT INTO ops.lake_state VALUES ('x', 1)",
        "DELETE FROM marts.unit",
        "CREATE TABLE marts.mine (x int)",
        "CREATE TABLE public.mine (x int)",
        "CREATE TEMP TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "SET ROLE dti_owner",
        "SET ROLE dti_loader",
        "SET SESSION AUTHORIZATION dti_owner",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/escaped'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_create(4711)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT pg_advisory_lock(1)",
        "ALTER SYSTEM SET fsync = off",
        "ALTER ROLE dti_analyst SUPERUSER",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_an_analyst_reads_marts_and_cannot_get_any_further(warehouse: Settings, statement: str) -> None:
    with connect.connect(warehouse, "analyst") as connection:
        connection.autocommit = True
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("RESET ROLE")
        with pytest.raises(DENIED):
            connection.execute(statement.encode())


def test_an_analyst_reads_every_mart_also_where_the_tables_behind_are_closed(warehouse: Settings) -> None:
    with connect.connect(warehouse, "analyst") as connection:
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'marts'").fetchall()
        assert len(views) >= 3
        for (view,) in views:
            connection.execute(f"SELECT * FROM marts.{view} LIMIT 1".encode())


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE ops.mine (x int)",
        "CREATE TABLE public.mine (x int)",
        "ALTER TABLE ops.batch ADD COLUMN x int",
        "ALTER TABLE ops.batch DISABLE TRIGGER ALL",
        "ALTER TABLE ops.batch DROP CONSTRAINT batch_every_row_accounted_for",
        "DROP TABLE facts.online_services",
        "TRUNCATE ops.quarantine",
        "CREATE OR REPLACE VIEW marts.unit AS SELECT 1",
        "DROP VIEW marts.unit",
        "CREATE SCHEMA mine",
        "SET session_replication_role = replica",
        "SET ROLE dti_owner",
    ],
)
def test_the_loader_writes_rows_and_defines_nothing(warehouse: Settings, statement: str) -> None:
    with connect.connect(warehouse, "loader") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_the_loader_refreshes_statistics(warehouse: Settings) -> None:
    notices: list[str] = []
    with connect.connect(warehouse, "loader") as connection:
        connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        connection.execute("ANALYZE facts.online_services")
    assert notices == []


def test_the_days_of_a_session_are_days_in_viet_nam(warehouse: Settings, tmp_path: Path) -> None:
    load_feed("online_services", None, [], [receipt(tmp_path)], None, settings=warehouse)
    for role in ("owner", "loader"):
        with connect.connect(warehouse, role) as connection:
            assert connection.execute("SELECT until::date - night FROM ops.batch").fetchone() == (1,)
    with connect.connect(warehouse, "analyst") as connection:
        assert connection.execute("SELECT '2026-03-01 17:00Z'::timestamptz::date::text").fetchone() == ("2026-03-02",)
