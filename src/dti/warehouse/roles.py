"""Roles on a server of one's own; the embedded server gets them when it is made."""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.migrate import driver_connection

GROUPS = ("dti_loader", "dti_analyst", "dti_steward")


def ensure_roles(connection: Connection, settings: Settings) -> None:
    """Make the roles that rights are granted to, and put the login of ``DTI_ANALYST_URL`` among the analysts.

    Raises WarehouseError with the statements an administrator should run when our login may not.
    """
    driver = driver_connection(connection)
    todo = [sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)) for role in GROUPS if not _exists(driver, role)]
    secrets: list[sql.Composed] = []
    if settings.analyst_url and settings.analyst_url.get_secret_value().strip():
        login = connect.url(settings, "analyst")
        user, password = str(login.username), str(login.password or "")
        name = sql.Identifier(user)
        if not _exists(driver, user) and user not in GROUPS:
            todo.append(sql.SQL("CREATE ROLE {} LOGIN").format(name))
            verifier = driver.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
            secrets.append(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(verifier)))
        if user != "dti_analyst" and not _member(driver, user):
            todo.append(sql.SQL("GRANT dti_analyst TO {}").format(name))
    try:
        for statement in [*todo, *secrets]:
            driver.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        script = "; ".join(statement.as_string(driver) for statement in todo)
        raise WarehouseError(
            "our login may not make roles", where="DTI_WAREHOUSE_URL", remedy=f"have an administrator run: {script}"
        ) from None


def _exists(driver: psycopg.Connection, role: str) -> bool:
    return driver.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def _member(driver: psycopg.Connection, user: str) -> bool:
    query = """
        SELECT FROM pg_auth_members AS m
        JOIN pg_roles AS g ON g.oid = m.roleid JOIN pg_roles AS u ON u.oid = m.member
        WHERE g.rolname = 'dti_analyst' AND u.rolname = %s
    """
    return driver.execute(query, [user]).fetchone() is not None
