"""What a new server needs before anyone works in it: logins, databases, and doors closed."""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy import URL

ROLES = ("dti_owner", "dti_loader", "dti_analyst", "airflow")
GROUPS = ("dti_steward",)
"""Roles without a login, granted to people who may see more: quarantined records."""
DATABASES = {"dti": ("dti_owner", "dti_loader", "dti_analyst"), "airflow": ("airflow",)}
"""Database → who may connect; the first of them owns it."""
FURNISHED = "3"
"""What a server is marked with once all of this is done. Raised when something is added: older servers then get it."""
_OWN_DATABASES = ("postgres", "template1")


def bootstrap(superuser: URL, passwords: dict[str, str]) -> None:
    """Make roles and databases; repeating it changes nothing but the passwords. No password: a role without a login."""
    with _connect(superuser, "postgres") as connection:
        for role, password in passwords.items():
            _make_role(connection, role, password)
        for group in (*(role for role in ROLES if role not in passwords), *GROUPS):
            _make_group(connection, group)
        for database, members in DATABASES.items():
            _make_database(connection, database, members)
        for database in _OWN_DATABASES:
            # Open to every login by default, with large objects and temporary tables that fill the disk.
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
        connection.execute("SELECT pg_reload_conf()")
    close_doors(superuser)


def close_doors(superuser: URL) -> None:
    """Close, in a warehouse that was restored, what a new database leaves open; repeating it changes nothing."""
    with _connect(superuser, "dti") as connection:
        _close_side_doors(connection)


def _connect(superuser: URL, database: str) -> psycopg.Connection:
    login = superuser.set(drivername="postgresql", database=database)
    return psycopg.connect(login.render_as_string(False), autocommit=True, connect_timeout=10)


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """The server only ever receives the hash, so that no log can show the password."""
    name = sql.Identifier(role)
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(verifier)))


def _make_group(connection: psycopg.Connection, group: str) -> None:
    """The owner may put people into it."""
    name = sql.Identifier(group)
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [group]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    connection.execute(sql.SQL("GRANT {} TO dti_owner WITH ADMIN OPTION").format(name))


def _make_database(connection: psycopg.Connection, database: str, members: tuple[str, ...]) -> None:
    name, owner = sql.Identifier(database), sql.Identifier(members[0])
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.SQL(", ").join(map(sql.Identifier, members)))
    )


def _close_side_doors(connection: psycopg.Connection) -> None:
    """Close what is open to every login: large objects, advisory locks, messages in the WAL; an analyst could do harm.

    Nobody here needs large objects; two of their functions, lo_import and lo_export, would even read and write the
    server's own files. Owner and loader need advisory locks.
    """
    connection.execute(
        """
        DO $$
        DECLARE
            door regprocedure;
            is_lock boolean;
        BEGIN
            FOR door, is_lock IN
                SELECT p.oid::regprocedure, p.proname ~ 'advisory' FROM pg_proc AS p
                WHERE p.pronamespace = 'pg_catalog'::regnamespace
                  AND (p.proname ~ '^(lo_|loread$|lowrite$)' OR p.proname ~ '^pg_(try_)?advisory_'
                    OR p.proname = 'pg_logical_emit_message')
            LOOP
                EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, dti_owner, dti_loader', door);
                IF is_lock THEN
                    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO dti_owner, dti_loader', door);
                END IF;
            END LOOP;
        END
        $$
        """
    )
