"""What a new embedded server needs before anyone works in it: logins, databases, and doors closed."""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy import URL

ROLES = ("dti_owner", "dti_loader", "dti_analyst", "airflow")
DATABASES = {"dti": ("dti_owner", "dti_loader", "dti_analyst"), "airflow": ("airflow",)}
"""Database → who may connect; the first of them owns it."""


def bootstrap(superuser: URL, passwords: dict[str, str]) -> None:
    """Make roles (with ``passwords``) and databases; repeating it changes nothing but the passwords."""
    with _connect(superuser, "postgres") as connection:
        for role in ROLES:
            _make_role(connection, role, passwords[role])
        for database, members in DATABASES.items():
            _make_database(connection, database, members)
    with _connect(superuser, "dti") as connection:
        _close_side_doors(connection)


def _connect(superuser: URL, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(superuser.query["host"]),
        user=superuser.username,
        password=str(superuser.password),
        dbname=database,
        autocommit=True,
    )


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """The server only ever receives the hash, so that no log can show the password."""
    name = sql.Identifier(role)
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(verifier)))


def _make_database(connection: psycopg.Connection, database: str, members: tuple[str, ...]) -> None:
    name, owner = sql.Identifier(database), sql.Identifier(members[0])
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.SQL(", ").join(map(sql.Identifier, members)))
    )


def _close_side_doors(connection: psycopg.Connection) -> None:
    """Large objects and advisory locks are open to every login; an analyst could do harm with both."""
    connection.execute(
        """
        DO $$
        DECLARE
            door regprocedure;
        BEGIN
            FOR door IN
                SELECT p.oid::regprocedure FROM pg_proc AS p
                WHERE p.pronamespace = 'pg_catalog'::regnamespace
                  AND (p.proname ~ '^(lo_|loread$|lowrite$)' OR p.proname ~ '^pg_(try_)?advisory_')
            LOOP
                EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', door);
                EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO dti_owner, dti_loader', door);
            END LOOP;
        END
        $$
        """
    )
