"""What each login may and may not do, tried from the inside; and that nobody gets in who should not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import URL

from dti.settings import Settings
from dti.warehouse import connect, embedded
from dti.warehouse.load import load_feed
from tests.builders.receipts import receipt

DENIED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)
SERVER_FILES = [
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY (SELECT 1) TO '/tmp/escaped'",
    "COPY (SELECT 1) TO PROGRAM 'id' WITH (FORMAT csv)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('pg_hba.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_ls_logdir()",
    "SELECT pg_stat_file('postgresql.conf')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/escaped')",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_file_settings",
    "SHOW data_directory",
    "SHOW hba_file",
    "LOAD 'auto_explain'",
    "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE c AS 'libc', 'system'",
]
BECOME_ANOTHER = [
    "SET ROLE dti_owner",
    "SET ROLE postgres",
    "SET ROLE dti_keeper",
    "SET SESSION AUTHORIZATION dti_owner",
    "SELECT set_config('role', 'dti_owner', false)",
    "ALTER ROLE current_user SUPERUSER",
    "ALTER ROLE dti_owner PASSWORD 'mine'",
    "GRANT dti_owner TO current_user",
    "GRANT pg_read_server_files TO current_user",
    "CREATE ROLE mine LOGIN",
    "DROP ROLE airflow",
    "SELECT rolpassword FROM pg_authid",
    "SELECT passwd FROM pg_shadow",
]
RUN_THE_SERVER = [
    "ALTER SYSTEM SET listen_addresses = '*'",
    "ALTER SYSTEM SET fsync = off",
    "ALTER DATABASE dti SET session_replication_role = replica",
    "ALTER ROLE ALL SET row_security = off",
    "SET session_replication_role = replica",
    "SET log_statement = 'all'",
    "SET zero_damaged_pages = on",
    "CREATE DATABASE mine",
    "CREATE TABLESPACE mine LOCATION '/tmp'",
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION pg_catalog.now()",
    "CREATE SUBSCRIPTION mine CONNECTION 'host=evil.example' PUBLICATION p",
    "CREATE FOREIGN DATA WRAPPER mine",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_create_physical_replication_slot('mine')",
    "SELECT pg_backup_start('mine')",
    "SELECT pg_stat_reset()",
    "CHECKPOINT",
]


FOR_STEWARDS = {"quarantine_record"}
BEYOND_MARTS = [
    "SELECT * FROM marts.quarantine_record",
    "SELECT record FROM marts.quarantine_record",
    "SET ROLE dti_steward",
    "GRANT dti_steward TO current_user",
    "SELECT * FROM ops.batch",
    "SELECT * FROM ops.quarantine",
    "SELECT record FROM ops.quarantine",
    "SELECT * FROM ref.unit",
    "SELECT * FROM facts.online_services",
    "SELECT * FROM method.indicator",
    "SELECT * FROM score.run",
    "SELECT * FROM annual.request",
    "SELECT * FROM published.publication",
    "SELECT * FROM guard.seal",
    "SELECT guard.release()",
    "TABLE ops.quarantine",
    "INSERT INTO ops.lake_state VALUES ('x', 1)",
    "DELETE FROM marts.unit",
    "CREATE TABLE marts.mine (x int)",
    "CREATE VIEW marts.mine AS SELECT 1",
    "CREATE TABLE public.mine (x int)",
    "CREATE FUNCTION marts.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TEMP TABLE mine (x int)",
    "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "SET ROLE dti_loader",
    "SELECT lo_create(4711)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_unlink(4711)",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_xact_lock(1)",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "DO $$ BEGIN PERFORM * FROM ops.quarantine; END $$",
    "SELECT query_to_xml('SELECT * FROM ops.quarantine', true, false, '')",
    "EXPLAIN ANALYZE SELECT * FROM ops.batch",
    "DO $$ BEGIN LOCK TABLE ops.batch; END $$",
    "COPY ops.quarantine TO STDOUT",
    *SERVER_FILES,
    *BECOME_ANOTHER,
    *RUN_THE_SERVER,
]


def test_an_analyst_reads_marts_and_cannot_get_any_further(warehouse: Settings) -> None:
    with connect.connect(warehouse, "analyst") as connection:
        connection.autocommit = True
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("RESET ROLE")
        assert _granted(connection, BEYOND_MARTS) == []


def test_an_analyst_reads_every_mart_also_where_the_tables_behind_are_closed(warehouse: Settings) -> None:
    with connect.connect(warehouse, "analyst") as connection:
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'marts'").fetchall()
        assert len(views) >= 3
        for view in {view for (view,) in views} - FOR_STEWARDS:
            connection.execute(f"SELECT * FROM marts.{view} LIMIT 1".encode())


def test_no_mart_shows_a_record_that_was_held_back(warehouse: Settings, tmp_path: Path) -> None:
    load_feed("online_services", None, [], [receipt(tmp_path, quarantined=2)], None, settings=warehouse)
    with connect.connect(warehouse, "owner") as connection:
        (record,) = connection.execute("SELECT record::text FROM ops.quarantine LIMIT 1").fetchone() or ("",)
    assert "dossier_id" in record
    with connect.connect(warehouse, "analyst") as connection:
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'marts'").fetchall()
        for view in {view for (view,) in views} - FOR_STEWARDS:
            shown = connection.execute(f"SELECT t::text FROM marts.{view} AS t".encode()).fetchall()
            assert not [line for (line,) in shown if "dossier_id" in line], view


def test_a_steward_reads_the_records_and_an_analyst_who_becomes_one_does_too(
    warehouse: Settings, tmp_path: Path
) -> None:
    load_feed("online_services", None, [], [receipt(tmp_path, quarantined=2)], None, settings=warehouse)
    with connect.connect(warehouse, "owner") as owner:
        owner.autocommit = True
        assert owner.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'dti_steward'").fetchone() == (False,)
        owner.execute("GRANT dti_steward TO dti_analyst")
        try:
            with connect.connect(warehouse, "analyst") as connection:
                shown = connection.execute("SELECT record ->> 'dossier_id' FROM marts.quarantine_record").fetchall()
                assert sorted(shown) == [("0",), ("1",)]
                connection.rollback()
                connection.autocommit = True
                assert (
                    _granted(connection, ["SELECT * FROM ops.quarantine", "DELETE FROM marts.quarantine_record"]) == []
                )
        finally:
            owner.execute("REVOKE dti_steward FROM dti_analyst")


def test_nobody_reads_what_another_login_is_asking(warehouse: Settings) -> None:
    for curious in ("analyst", "loader"):
        with connect.connect(warehouse, "owner") as busy, connect.connect(warehouse, curious) as connection:
            busy.execute("SELECT 'canary-in-a-query'")
            seen = connection.execute("SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
            assert ("<insufficient privilege>",) in seen
            assert not [query for (query,) in seen if "canary" in (query or "")]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT pg_terminate_backend(%s)", [busy.info.backend_pid])


DEFINITIONS = [
    "CREATE TABLE ops.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "CREATE FUNCTION ops.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE ops.batch ADD COLUMN x int",
    "ALTER TABLE ops.batch DISABLE TRIGGER ALL",
    "ALTER TABLE ops.batch DROP CONSTRAINT batch_every_row_accounted_for",
    "CREATE TRIGGER mine BEFORE INSERT ON ops.batch EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE INDEX mine ON ops.batch (night)",
    "CREATE POLICY mine ON ops.batch",
    "DROP TABLE facts.online_services",
    "TRUNCATE ops.quarantine",
    "CREATE OR REPLACE VIEW marts.unit AS SELECT 1",
    "DROP VIEW marts.unit",
    "CREATE SCHEMA mine",
    "UPDATE published.publication SET approver = 'me'",
    "DELETE FROM published.publication",
    "SELECT * FROM guard.seal",
    "SELECT guard.release()",
    *SERVER_FILES,
    *BECOME_ANOTHER,
    *RUN_THE_SERVER,
]


def test_the_loader_writes_rows_and_defines_nothing(warehouse: Settings) -> None:
    with connect.connect(warehouse, "loader") as connection:
        connection.autocommit = True
        assert _granted(connection, DEFINITIONS) == []
        connection.execute("GRANT SELECT ON ops.quarantine TO dti_analyst")  # only warned of, says the standard
        held = connection.execute("SELECT has_table_privilege('dti_analyst', 'ops.quarantine', 'select')").fetchone()
    assert held == (False,)


def test_airflows_own_login_owns_its_database_and_no_more(warehouse: Settings) -> None:
    with psycopg.connect(_libpq(embedded.ensure_running(warehouse).airflow), autocommit=True) as connection:
        assert _granted(connection, [*SERVER_FILES, *BECOME_ANOTHER, *RUN_THE_SERVER]) == []


def test_each_login_gets_into_its_own_database_only(warehouse: Settings) -> None:
    urls = embedded.ensure_running(warehouse)
    for login in (urls.owner, urls.loader, urls.analyst, urls.airflow):
        psycopg.connect(_libpq(login)).close()
        for database in {"dti", "airflow", "postgres", "template1"} - {login.database}:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(_libpq(login.set(database=database)))


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


@pytest.fixture(scope="module")
def opened() -> Iterator[Settings]:
    """A server of an earlier version that somebody opened to all the world, stopped, and started again by us."""
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="dti-opened-")))
    data = settings.home_dir / "postgres" / "data"
    try:
        superuser = embedded.ensure_running(settings).superuser
        with psycopg.connect(_libpq(superuser), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET listen_addresses = '*'")
            connection.execute("ALTER SYSTEM SET port = 5432")
            connection.execute("ALTER SYSTEM SET unix_socket_permissions = '0777'")
            connection.execute("GRANT ALL ON DATABASE postgres, template1 TO PUBLIC")
        embedded.stop(settings)
        with (data / "pg_hba.conf").open("a") as hba:
            hba.write("local all all trust\nhost all all 0.0.0.0/0 trust\nhost replication all 0.0.0.0/0 trust\n")
        (settings.home_dir / "postgres" / "ready").write_text("")
        embedded.ensure_running(settings)
        yield settings
    finally:
        embedded.stop(settings)
        shutil.rmtree(settings.home_dir, ignore_errors=True)


def _listens(process: psutil.Process) -> bool:
    """Whether a process waits for connections from a network; a worker of the server may end at any moment."""
    try:
        return any(each.status == psutil.CONN_LISTEN for each in process.net_connections("inet"))
    except psutil.NoSuchProcess:
        return False


def test_a_server_that_was_opened_starts_closed(opened: Settings) -> None:
    urls = embedded.ensure_running(opened)
    number = int((opened.home_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    family = [psutil.Process(number), *psutil.Process(number).children(recursive=True)]
    assert [process for process in family if _listens(process)] == []
    with psycopg.connect(_libpq(urls.superuser)) as connection:
        rules = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
        shown = connection.execute("SELECT current_setting('listen_addresses')").fetchone()
    assert rules == [("local", "scram-sha-256")]
    assert shown == ("",)


def test_its_socket_is_for_its_own_user_only(opened: Settings) -> None:
    folder = Path(str(embedded.ensure_running(opened).superuser.query["host"]))
    (path,) = folder.glob(".s.PGSQL.[0-9]*[0-9]")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o700


def test_an_earlier_server_gets_the_doors_that_were_closed_since(opened: Settings) -> None:
    login = embedded.ensure_running(opened).analyst
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(_libpq(login.set(database=database)))


def test_no_login_gets_in_without_its_password(opened: Settings) -> None:
    urls = embedded.ensure_running(opened)
    for login in (urls.superuser, urls.owner, urls.loader, urls.analyst, urls.airflow):
        for wrong in (None, "", str(login.username), str(urls.analyst.password) + "x"):
            attempt = URL.create("postgresql", login.username, wrong, database=login.database, query=login.query)
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(attempt.render_as_string(False), passfile="/dev/null")


def _libpq(login: URL) -> str:
    return login.set(drivername="postgresql").render_as_string(False)


def _granted(connection: psycopg.Connection, statements: list[str]) -> list[str]:
    """Statements that were not refused for want of a right, with what happened instead."""
    granted = []
    for statement in statements:
        try:
            connection.execute(statement.encode())
        except DENIED:
            continue
        except psycopg.Error as fault:
            granted.append(f"{statement}: {type(fault).__name__} {fault}")
        else:
            granted.append(statement)
    return granted
