"""Reference data as it stood, laid beside that of today."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection, text

from dti.annual.model import RequestError
from dti.warehouse import inputs
from dti.warehouse.migrate import driver_connection

TABLES = {"region.csv": "region", "unit.csv": "unit", "unit_succession.csv": "unit_succession", "metrics.csv": "metric"}


def lay_reference(connection: Connection, reference_hash: str) -> None:
    """Fill temporary tables with a kept version of the reference data, and look for names there alone.

    Tables and search path go with the caller's transaction (or savepoint). Raises RequestError when the version was
    never kept.
    """
    try:
        files = inputs.content(connection, "reference", reference_hash)
    except LookupError:
        raise RequestError(
            "that version of the reference data was not kept", where=reference_hash, remedy="ask as of a later moment"
        ) from None
    driver = driver_connection(connection)
    for file, name in TABLES.items():
        target = sql.Identifier("pg_temp", name)
        driver.execute(
            sql.SQL("create temp table {} (like {} including defaults) on commit drop").format(
                sql.Identifier(name), sql.Identifier("ref", name)
            )
        )
        columns = sql.SQL(", ").join(map(sql.Identifier, files[file].split("\n", 1)[0].strip().split(",")))
        with driver.cursor().copy(
            sql.SQL("copy {} ({}) from stdin (format csv, header true)").format(target, columns)
        ) as sink:
            sink.write(files[file].encode())
    connection.execute(text("set local search_path = pg_temp"))
