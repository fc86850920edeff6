"""Temporary tables in PostgreSQL of what only the lake knows: procedures, agencies, single samples."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa
from psycopg import sql
from sqlalchemy import Connection

from dti import lake
from dti.errors import ConfigError
from dti.feeds import load_contract
from dti.quality.errors import QualityError
from dti.quality.rules import LakeTable, folder, lake_tables
from dti.rollup.duckdb_engine import open_lake
from dti.settings import Settings
from dti.warehouse.copying import copy_batches
from dti.warehouse.migrate import driver_connection

LAKE_READ = "create temp table if not exists lake_read (feed text primary key, version bigint) on commit drop"


def lay(connection: Connection, name: str, night: date, *, settings: Settings) -> None:
    """Make temporary table ``name`` of ``lake/<name>.sql`` over its feed's lake, for the transaction at hand.

    Temporary table ``lake_read`` tells which version of each feed's lake was read. Raises ConfigError when the table is
    not declared, QualityError when it cannot be made.
    """
    where = folder(settings)
    path, table = where.lake(name), lake_tables(where).get(name)
    if table is None or not path.is_file():
        raise ConfigError(f"no table {name}", where=str(path), remedy="declare it in lake/tables.yml and write its SQL")
    version = lake.version(table.feed, settings=settings)
    try:
        found = _read(table, path.read_text("utf-8"), night, settings)
    except duckdb.Error as fault:
        raise QualityError(str(fault), where=str(path), remedy="mend the SQL; a lost file: check again") from fault
    driver = driver_connection(connection)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_postgres(field.type))) for field in found.schema
    )
    driver.execute(sql.SQL("create temp table {} ({}) on commit drop").format(sql.Identifier(name), columns))
    copy_batches(driver, ("pg_temp", name), found.column_names, found.to_batches())
    driver.execute(sql.SQL("analyze {}").format(sql.Identifier("pg_temp", name)))
    driver.execute(LAKE_READ)
    driver.execute("insert into lake_read values (%s, %s) on conflict do nothing", [table.feed, version])


def months_before(night: date, months: int) -> list[str]:
    """The newest ``months`` months up to that of ``night``, as partitions are named."""
    last = night.year * 12 + night.month - 1
    return [f"{each // 12}-{each % 12 + 1:02d}" for each in range(last - months + 1, last + 1)]


def _read(table: LakeTable, select: str, night: date, settings: Settings) -> pa.Table:
    contract = load_contract(table.feed, settings.include_dir / "feeds")
    months = months_before(night, table.months)
    partitions = months if contract.partition == "month" else sorted({month[:4] for month in months})
    with (
        lake.at_hand(table.feed, partitions, settings=settings) as files,
        open_lake(contract, files, settings) as db,
    ):
        db.execute(f"create macro night() as date '{night:%Y-%m-%d}'")
        return db.sql(select).to_arrow_table()


def _postgres(kind: pa.DataType) -> str:
    """The type that holds what the lake gives."""
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "bigint"
    return "numeric" if pa.types.is_decimal(kind) or pa.types.is_floating(kind) else "text"
