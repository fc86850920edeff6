"""Alembic on a given connection: all pending revisions in the caller's transaction."""

from __future__ import annotations

import logging
from pathlib import Path

import psycopg
from sqlalchemy import Connection

from dti.settings import get_settings
from dti.warehouse.marts import drop_marts


def run_script(connection: Connection, script: str) -> None:
    """Run SQL text as it stands, any number of statements, in the connection's transaction."""
    driver_connection(connection).execute(script.encode())


def run_folder(connection: Connection, revision: str) -> None:
    """Run the SQL files of a revision's folder in ``migrations/sql``, in name order."""
    for path in sorted((_migrations() / "sql" / revision).glob("*.sql")):
        run_script(connection, path.read_text("utf-8"))


def driver_connection(connection: Connection) -> psycopg.Connection:
    """The psycopg connection under a SQLAlchemy one; what is done on it belongs to the same transaction."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"not a psycopg connection: {type(driver).__name__}")
    return driver


def upgrade(connection: Connection, target: str = "head") -> None:
    """Bring the schema to ``target``; the views of marts are dropped first and must be made again."""
    _alembic("upgrade", connection, target)


def downgrade(connection: Connection, target: str) -> None:
    """Take the schema back to ``target`` (``base``: nothing is left); the views of marts are dropped first."""
    _alembic("downgrade", connection, target)


def _alembic(command_name: str, connection: Connection, target: str) -> None:
    from alembic import command
    from alembic.config import Config

    drop_marts(connection)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    connection.exec_driver_sql("SELECT 1")  # Alembic leaves a transaction alone only when it has begun.
    getattr(command, command_name)(config, target)


def _migrations() -> Path:
    return get_settings().project / "migrations"
