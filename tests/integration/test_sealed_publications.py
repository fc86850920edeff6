"""What is published stays: whatever any role of the project tries, the database refuses and no row is different."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from dti.annual.bundle import verify
from dti.annual.publish import publish
from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect, embedded, guard, migrate, setup
from dti.warehouse.bootstrap import ROLES
from tests.builders.publishing import candidate, own_warehouse

pytestmark = pytest.mark.slow
REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.IntegrityConstraintViolation,
    psycopg.errors.ObjectNotInPrerequisiteState,
)
KEEPER = "dti_keeper"
"""Owns what is published; nobody can log in as it, so the superuser takes its place for the attempts."""
ALL_ROLES = (*ROLES, KEEPER)
TABLES = (
    "publication", "unit", "pillar_index", "composite_index", "indicator_score", "metric_value", "correction",
    "check_result",
)  # fmt: skip
ON_ROWS = (
    "update published.{table} set publication_id = 'x'",
    "update published.{table} set publication_id = publication_id where false",
    "delete from published.{table}",
    "delete from published.{table} where false",
    "truncate published.{table} cascade",
    "drop table published.{table} cascade",
    "insert into published.{table} select * from published.{table}",
    "insert into published.{table} select * from published.{table} on conflict do nothing",
    "merge into published.{table} as t using published.{table} as s on false when matched then delete",
    "alter table published.{table} disable trigger refuse_row_change",
    "lock table published.{table} in access exclusive mode; drop table published.{table} cascade",
)
ON_DEFINITIONS = (
    "drop schema published cascade",
    "alter schema published rename to elsewhere",
    "alter schema published owner to current_user",
    "drop table published.publication, published.unit cascade",
    "alter table published.unit rename to other",
    "alter table published.unit set schema marts",
    "alter table published.unit owner to dti_loader",
    "alter table published.unit add column more text",
    "alter table published.unit drop column unit_name",
    "alter table published.unit alter column code type varchar",
    "alter table published.unit drop constraint of_publication",
    "alter table published.unit disable trigger all",
    "alter table published.unit disable trigger user",
    "alter table published.unit enable row level security",
    "alter table published.unit inherit score.run",
    "create policy hidden on published.unit using (false)",
    "create rule nothing as on insert to published.unit do instead nothing",
    "create trigger mine before insert on published.unit for each row execute function published.refuse_change()",
    "drop trigger refuse_change on published.unit",
    "alter trigger refuse_change on published.unit rename to nothing",
    "create or replace function published.refuse_change() returns trigger language plpgsql as 'begin return new; end'",
    "drop function published.refuse_change() cascade",
    "alter function published.refuse_late_row() owner to current_user",
    "create table ops.more (like published.unit) inherits (published.unit)",
    "create table published.more (x int)",
    "create index more on published.unit ((1))",
    "grant all on published.unit to dti_loader with grant option",
    "drop schema guard cascade",
    "update guard.seal set fingerprint = guard.fingerprint()",
    "delete from guard.seal",
    "drop function guard.refuse_ddl() cascade",
    "create or replace function guard.refuse_ddl() returns event_trigger language plpgsql as 'begin end'",
    "select guard.release()",
    "drop event trigger dti_sealed",
    "alter event trigger dti_sealed disable",
    "set event_triggers = off",
    "set session_replication_role = replica",
    "set role postgres",
    "set role dti_keeper; drop table published.unit cascade",
    "reassign owned by dti_keeper to current_user",
    "drop owned by dti_keeper cascade",
    "grant dti_keeper to current_user",
    "alter role dti_keeper login",
    "drop role dti_keeper",
    "alter database dti owner to current_user",
    "do $$ begin execute 'drop table published.unit cascade'; end $$",
)


NO_EFFECT = {
    "grant all on published.unit to dti_loader with grant option": ("dti_owner", "dti_loader"),
    "alter schema published owner to current_user": (KEEPER,),
    "alter function published.refuse_late_row() owner to current_user": (KEEPER,),
    "reassign owned by dti_keeper to current_user": (KEEPER,),
    "drop owned by current_user cascade": ROLES[:3],
}
"""What some may say, because it changes nothing: grant what they cannot give, own what they own."""
STATE = """
    select guard.fingerprint(), (select fingerprint from guard.seal),
        (select evtenabled::text || evtowner::regrole from pg_event_trigger where evtname = 'dti_sealed'),
        (select string_agg(concat_ws(' ', proname, md5(prosrc), proowner::regrole), ' ' order by proname)
         from pg_proc where pronamespace in ('guard'::regnamespace, 'published'::regnamespace)),
        (select string_agg(concat_ws(' ', datname, datdba::regrole), ' ' order by datname) from pg_database),
        (select string_agg(concat_ws(' ', rolname, rolsuper, rolcanlogin), ' ' order by rolname) from pg_roles),
        (select string_agg(concat_ws(' ', roleid::regrole, member::regrole), ' ' order by roleid, member)
         from pg_auth_members)
"""


@pytest.fixture(scope="module")
def own() -> Iterator[Settings]:
    """A server with one publication."""
    with own_warehouse() as settings:
        publish(candidate(settings, "2026-r1"), approver="A", settings=settings)
        yield settings


def superuser(settings: Settings) -> psycopg.Connection:
    return connect.connect_url(embedded.ensure_running(settings).superuser.set(database="dti"))


def login(settings: Settings, role: str) -> psycopg.Connection:
    """A session of the role, which commits every statement; nobody can log in as the keeper: see ``become``."""
    urls = embedded.ensure_running(settings)
    by_role = {"dti_owner": urls.owner, "dti_loader": urls.loader, "dti_analyst": urls.analyst, "airflow": urls.airflow}
    if role not in by_role:
        return become(settings, role, "dti")
    connection = connect.connect_url(by_role[role].set(database="dti"))
    connection.autocommit = True
    connection.execute("set default_transaction_read_only = off")
    return connection


def become(settings: Settings, role: str, database: str) -> psycopg.Connection:
    """The superuser's session, turned into the role's: also where the role has no way in."""
    connection = connect.connect_url(embedded.ensure_running(settings).superuser.set(database=database))
    connection.autocommit = True
    connection.execute(f"set session authorization {role}".encode())
    return connection


def attempt(connection: psycopg.Connection, role: str, statement: str) -> None:
    """The statement is refused, by whatever refuses it first, or says nothing that has an effect."""
    try:
        connection.execute(statement.encode())
    except REFUSED:
        pass
    else:
        assert role in NO_EFFECT.get(statement, ()), f"{role} could: {statement}"
    if role == KEEPER:
        connection.execute("set session authorization dti_keeper")


def rows(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with superuser(settings) as connection:
        return {
            table: sorted(connection.execute(f"select * from published.{table}".encode()).fetchall(), key=str)
            for table in TABLES
        }


def state(settings: Settings) -> tuple[object, ...] | None:
    """The shape of what is published and of what guards it, and who owns databases and is what."""
    with superuser(settings) as connection:
        return connection.execute(STATE.encode()).fetchone()


@pytest.mark.parametrize("role", [role for role in ALL_ROLES if role != "airflow"])
def test_no_role_changes_adds_or_removes_a_row(own: Settings, role: str) -> None:
    before = rows(own)
    assert all(before[table] for table in TABLES)
    with login(own, role) as connection:
        for statement in ON_ROWS:
            for table in TABLES:
                attempt(connection, role, statement.format(table=table))
    assert rows(own) == before
    assert verify("2026.dti.34.v1", settings=own) == []


@pytest.mark.parametrize("role", [role for role in ALL_ROLES if role != "airflow"])
def test_no_role_drops_alters_or_unseals_anything(own: Settings, role: str) -> None:
    before = rows(own), state(own)
    for statement in ON_DEFINITIONS:
        with login(own, role) as connection:
            attempt(connection, role, statement)
    assert (rows(own), state(own)) == before
    assert verify("2026.dti.34.v1", settings=own) == []


def test_airflow_does_not_even_get_in(own: Settings) -> None:
    with pytest.raises(WarehouseError, match="permission denied for database"):
        login(own, "airflow").close()


@pytest.mark.parametrize("role", ALL_ROLES)
def test_no_role_drops_the_database_from_another_one(own: Settings, role: str) -> None:
    before = rows(own), state(own)
    with login(own, "postgres") as connection:  # who may connect nowhere else could not even try
        connection.execute("grant connect on database postgres to public")
    for statement in (
        "drop database dti with (force)",
        "alter database dti rename to gone",
        "alter database dti owner to current_user",
        "alter database dti set session_replication_role = replica",
    ):
        with become(own, role, "postgres") as connection:
            attempt(connection, role, statement)
    with login(own, "postgres") as connection:
        connection.execute("revoke connect on database postgres from public")
    assert (rows(own), state(own)) == before


def test_who_drops_all_they_own_drops_no_publication(own: Settings) -> None:
    before = rows(own)
    for role in ROLES[:3]:
        with login(own, role) as connection:
            connection.execute("begin")
            attempt(connection, role, "drop owned by current_user cascade")
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                left = connection.execute(
                    "select count(*) from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
                    " where n.nspname = 'published' and c.relkind = 'r'"
                )
                assert left.fetchone() == (len(TABLES),)
            connection.execute("rollback")
    assert rows(own) == before


def test_the_superuser_too_is_refused_until_it_takes_the_guard_away(own: Settings) -> None:
    before = rows(own), state(own)
    for statement in (
        "update published.unit set unit_name = 'x'",
        "truncate published.publication cascade",
        "drop table published.unit cascade",
        "drop schema published cascade",
        "set session_replication_role = replica; delete from published.unit",
    ):
        with superuser(own) as connection, pytest.raises(REFUSED):
            connection.execute(statement.encode())
    assert (rows(own), state(own)) == before


def late_row(version: int) -> bytes:
    columns = "unit_id, geography, code, unit_name, unit_name_en, unit_level, unit_type, region_code, region_name"
    return f"""
        insert into published.unit (publication_id, {columns}, region_name_en)
        select '2027.dti.34.v{version}', 'late', geography, code, unit_name, unit_name_en, unit_level, unit_type,
            region_code, region_name, region_name_en
        from published.unit limit 1
    """.encode()


def test_a_row_slipped_in_while_publishing_is_not_there_afterwards(own: Settings) -> None:
    candidate(own, "2027-r1")
    with login(own, "dti_loader") as other:
        other.autocommit = False
        other.execute(late_row(1))
        published = threading.Thread(target=publish, args=("2027-r1",), kwargs={"approver": "A", "settings": own})
        published.start()
        published.join(1.5)
        assert published.is_alive(), "it waits for who adds to the same publication"
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            other.commit()
    published.join(30)
    assert verify("2027.dti.34.v1", settings=own) == []


def test_a_row_slipped_in_by_an_older_snapshot_is_not_there_afterwards(own: Settings) -> None:
    candidate(own, "2027-r2")
    with login(own, "dti_loader") as other:
        other.autocommit = False
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("select count(*) from published.publication")
        publish("2027-r2", approver="A", settings=own)
        other.execute(late_row(2))
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            other.commit()
    assert verify("2027.dti.34.v2", settings=own) == []


def test_a_publication_without_its_rows_changed_is_told(own: Settings) -> None:
    with superuser(own) as connection:
        connection.execute("set event_triggers = off")
        connection.execute("alter table published.unit disable trigger user")
        connection.execute("update published.unit set unit_name = 'x' where unit_id = 'P34-01'")
        connection.execute("alter table published.unit enable always trigger refuse_change")
        connection.execute("alter table published.unit enable always trigger refuse_row_change")
        connection.execute("alter table published.unit enable always trigger refuse_late_row")
    try:
        (told,) = verify("2026.dti.34.v1", settings=own)
        assert "someone changed what is published" in told
    finally:
        with superuser(own) as connection:
            connection.execute("set event_triggers = off")
            connection.execute("alter table published.unit disable trigger user")
            connection.execute(
                "update published.unit set unit_name = u.name_vi from ref.unit as u where u.unit_id = unit.unit_id"
            )
            connection.execute("alter table published.unit enable always trigger refuse_change")
            connection.execute("alter table published.unit enable always trigger refuse_row_change")
            connection.execute("alter table published.unit enable always trigger refuse_late_row")
    assert verify("2026.dti.34.v1", settings=own) == []


def test_a_warehouse_with_publications_is_not_taken_back(own: Settings) -> None:
    before = rows(own), state(own)
    with pytest.raises(psycopg.Error, match="has been published"), connect.engine(own, "owner").begin() as connection:
        migrate.downgrade(connection, "0004")
    setup.prepare(own)
    assert (rows(own), state(own)) == before


def test_sealing_anew_keeps_what_is_published(own: Settings) -> None:
    before = rows(own), state(own)
    with connect.engine(own, "owner").begin() as connection:
        connection.execute(text("delete from ops.prepared where part = 'guard'"))
    setup.prepare(own)
    assert (rows(own), state(own)[0]) == (before[0], before[1][0])
    with login(own, "dti_owner") as connection:
        attempt(connection, "dti_owner", "drop schema published cascade")


def test_while_nothing_is_published_the_schema_goes_back_and_up_again() -> None:
    with own_warehouse() as settings:
        with connect.connect(settings, "owner") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with pytest.raises(psycopg.errors.InvalidTransactionState):
                connection.execute("select guard.release()")
        with connect.engine(settings, "owner").begin() as downwards:
            migrate.downgrade(downwards, "0004")
        with superuser(settings) as connection:
            assert connection.execute("select to_regnamespace('published')").fetchone() == (None,)
        setup.prepare(settings)
        for role in ("dti_owner", KEEPER):
            with login(settings, role) as connection:
                attempt(connection, role, "drop schema published cascade")


@pytest.fixture
def elsewhere(own: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """A server of one's own, whose login owns its database; the superuser's, or one that is none."""
    urls = embedded.ensure_running(own)
    with connect.connect_url(urls.superuser) as connection:
        connection.autocommit = True
        connection.execute("create database elsewhere owner dti_owner")
    user = urls.superuser if request.param == "postgres" else urls.owner
    url = user.set(drivername="postgresql", database="elsewhere").render_as_string(False)
    yield own.model_copy(update={"home": tmp_path, "warehouse_url": SecretStr(url)})
    with connect.connect_url(urls.superuser) as connection:
        connection.autocommit = True
        connection.execute("drop database elsewhere with (force)")


@pytest.mark.parametrize("elsewhere", ["dti_owner", "postgres"], indirect=True)
def test_on_a_server_of_ones_own_rows_are_sealed_for_its_login_too(elsewhere: Settings) -> None:
    setup.prepare(elsewhere)
    publication = publish(candidate(elsewhere, "2026-r1"), approver="A", settings=elsewhere)
    for statement in (
        "update published.unit set unit_name = 'x'",
        "delete from published.publication",
        "truncate published.publication cascade",
        "insert into published.unit select * from published.unit",
    ):
        with connect.connect(elsewhere, "owner") as connection, pytest.raises(REFUSED):
            connection.execute(statement.encode())
    with (
        pytest.raises(psycopg.Error, match="has been published"),
        connect.engine(elsewhere, "owner").begin() as connection,
    ):
        migrate.downgrade(connection, "0004")
    assert verify(publication.publication_id, settings=elsewhere) == []


@pytest.mark.parametrize("elsewhere", ["postgres"], indirect=True)
def test_where_our_login_is_the_superuser_it_is_refused_to_drop_too(elsewhere: Settings) -> None:
    setup.prepare(elsewhere)
    with connect.connect(elsewhere, "owner") as connection, pytest.raises(REFUSED):
        connection.execute("drop schema published cascade")


@pytest.mark.parametrize("elsewhere", ["dti_owner"], indirect=True)
def test_an_administrator_can_lay_the_guard_for_a_login_that_is_no_superuser(
    own: Settings, elsewhere: Settings
) -> None:
    setup.prepare(elsewhere)
    urls = embedded.ensure_running(own)
    with connect.connect_url(urls.superuser.set(database="elsewhere")) as connection:
        guard.lay(connection, "dti_owner", "dti_owner", elsewhere)
    publication = publish(candidate(elsewhere, "2026-r1"), approver="A", settings=elsewhere)
    with connect.connect(elsewhere, "owner") as connection, pytest.raises(REFUSED):
        connection.execute("drop schema published cascade")
    setup.prepare(elsewhere)
    assert verify(publication.publication_id, settings=elsewhere) == []
