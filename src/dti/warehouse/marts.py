"""The views of schema marts, from ``include/sql/marts/*.sql``: what analysts read."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dti.errors import ConfigError, WarehouseError
from dti.settings import get_settings

MARTS_QUERY = """
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('marts') AND relkind = 'v' ORDER BY relname
"""


def marts_files() -> list[Path]:
    """One file a view, by name."""
    return sorted((get_settings().include_dir / "sql" / "marts").glob("*.sql"))


def apply_marts(connection: Connection) -> None:
    """Drop all views of schema marts and create them from their files, in the caller's transaction.

    A file that needs a view of another file waits for it, whatever their names. Raises ConfigError when a file does
    not run, makes another view than its name says, or leaves the view or a column without a comment.
    """
    drop_marts(connection)
    waiting = marts_files()
    while waiting:
        held = {path: fault for path in waiting if (fault := _create(connection, path)) is not None}
        if len(held) == len(waiting):
            path, fault = next(iter(held.items()))
            raise ConfigError(
                str(fault.diag.message_primary),
                where=str(path),
                remedy="views may need one another, but not in a circle",
            )
        waiting = list(held)
    _check_names(connection)
    _check_comments(connection)
    if marts_files():
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA marts TO dti_analyst, dti_loader"))


def drop_marts(connection: Connection) -> None:
    """Drop every view of schema marts. Raises WarehouseError when something outside the project stands on one."""
    names = _views(connection)
    if not names:
        return
    try:
        connection.execute(text("DROP VIEW " + ", ".join(f'marts."{name}"' for name in names)))
    except DBAPIError as fault:
        if isinstance(origin := fault.orig, psycopg.errors.DependentObjectsStillExist):
            raise WarehouseError(
                f"cannot be replaced: {origin.diag.message_detail}",
                where="schema marts",
                remedy="drop what depends on it first",
            ) from None
        raise


def _create(connection: Connection, path: Path) -> psycopg.errors.UndefinedTable | None:
    """Run one file; the fault when it names a view of marts that is not there yet."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"not a psycopg connection: {type(driver).__name__}")
    try:
        with driver.transaction():
            driver.execute(path.read_text("utf-8").encode())
    except psycopg.errors.UndefinedTable as fault:
        missing = re.search(r'"marts\.(\w+)"', str(fault.diag.message_primary))
        if missing and missing[1] in {p.stem for p in marts_files()}:
            return fault
        raise _broken(path, fault) from None
    except psycopg.Error as fault:
        raise _broken(path, fault) from None
    return None


def _broken(path: Path, fault: psycopg.Error) -> ConfigError:
    script = path.read_text("utf-8")
    line = script[: int(fault.diag.statement_position)].count("\n") + 1 if fault.diag.statement_position else None
    where = f"{path}:{line}" if line else str(path)
    return ConfigError(
        fault.diag.message_primary or str(fault), where=where, remedy=fault.diag.message_hint or "mend the file"
    )


def _check_names(connection: Connection) -> None:
    wanted, made = {path.stem for path in marts_files()}, set(_views(connection))
    if wanted != made:
        raise ConfigError(
            f"files and views differ: {', '.join(sorted(wanted ^ made))}",
            where="include/sql/marts",
            remedy="a file makes exactly one view, named like the file",
        )


def _check_comments(connection: Connection) -> None:
    bare = connection.execute(
        text(
            """
            SELECT c.relname || coalesce('.' || a.attname, '') FROM pg_class AS c
            CROSS JOIN LATERAL (
                SELECT 0 AS attnum, NULL AS attname
                UNION ALL SELECT attnum, attname FROM pg_attribute
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            ) AS a
            WHERE c.relnamespace = 'marts'::regnamespace AND c.relkind IN ('v', 'm', 'r')
              AND NOT EXISTS (
                  SELECT FROM pg_description AS d
                  WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = a.attnum
                    AND trim(d.description) <> ''
              )
            ORDER BY c.relname, a.attnum
            """
        )
    ).scalars()
    if names := list(bare):
        raise ConfigError(
            f"no comment on {', '.join(names)}",
            where="include/sql/marts",
            remedy="say with COMMENT ON what a reader will see",
        )


def _views(connection: Connection) -> list[str]:
    return list(connection.execute(text(MARTS_QUERY)).scalars())
