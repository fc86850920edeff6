"""The views and functions of schema marts, from ``include/sql/marts/*.sql``: what analysts read."""

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


STEWARDS_ONLY = ("marts.quarantine_record",)
"""Views that show records; analysts read them only where they have been granted the role dti_steward."""

FUNCTIONS_QUERY = """
    SELECT p.proname, p.oid::regprocedure::text FROM pg_proc AS p
    WHERE p.pronamespace = to_regnamespace('marts') ORDER BY p.proname
"""


def marts_files() -> list[Path]:
    """One file a view or function, by name."""
    return sorted((get_settings().include_dir / "sql" / "marts").glob("*.sql"))


def apply_marts(connection: Connection) -> None:
    """Drop all views and functions of schema marts and create them from their files, in the caller's transaction.

    A file that needs what another file makes waits for it, whatever their names. Raises ConfigError when a file does
    not run, makes something else than its name says, or leaves it or a column without a comment.
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
        connection.execute(text(f"REVOKE ALL ON {', '.join(STEWARDS_ONLY)} FROM dti_analyst"))
        connection.execute(text("GRANT USAGE ON SCHEMA marts TO dti_steward"))
        connection.execute(text(f"GRANT SELECT ON {', '.join(STEWARDS_ONLY)} TO dti_steward"))
        connection.execute(text("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA marts FROM public"))
        connection.execute(text("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA marts TO dti_analyst, dti_loader"))


def drop_marts(connection: Connection) -> None:
    """Drop all of schema marts. Raises WarehouseError when something outside the project stands on it."""
    views = [f'marts."{name}"' for name in _views(connection)]
    functions = [signature for _, signature in _functions(connection)]
    try:
        for kind, names in (("VIEW", views), ("FUNCTION", functions)):
            if names:
                connection.execute(text(f"DROP {kind} " + ", ".join(names)))
    except DBAPIError as fault:
        if isinstance(origin := fault.orig, psycopg.errors.DependentObjectsStillExist):
            raise WarehouseError(
                f"cannot be replaced: {origin.diag.message_detail}",
                where="schema marts",
                remedy="drop what depends on it first",
            ) from None
        raise


def _create(connection: Connection, path: Path) -> psycopg.Error | None:
    """Run one file; the fault when it names a view or function of marts that is not there yet."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"not a psycopg connection: {type(driver).__name__}")
    try:
        with driver.transaction():
            driver.execute(path.read_text("utf-8").encode())
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction) as fault:
        missing = re.search(r"\bmarts\.(\w+)", str(fault.diag.message_primary))
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
    wanted = {path.stem for path in marts_files()}
    made = {*_views(connection), *(name for name, _ in _functions(connection))}
    if wanted != made:
        raise ConfigError(
            f"files and what they make differ: {', '.join(sorted(wanted ^ made))}",
            where="include/sql/marts",
            remedy="a file makes exactly one view or function, named like the file",
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
            UNION ALL
            SELECT p.oid::regprocedure::text FROM pg_proc AS p
            WHERE p.pronamespace = 'marts'::regnamespace
              AND coalesce(trim(obj_description(p.oid, 'pg_proc')), '') = ''
            ORDER BY 1
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


def _functions(connection: Connection) -> list[tuple[str, str]]:
    """Name, and name with types of arguments, of every function."""
    return [(str(name), str(signature)) for name, signature in connection.execute(text(FUNCTIONS_QUERY))]
