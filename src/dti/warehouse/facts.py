"""Facts of one feed, replaced by partition of the lake: of those partitions, the days that say something else.

Two partitions are spoken of. ``partition_key`` is that of the lake rows behind a fact: what a load replaces. The tables
themselves are partitioned by the year of ``day``: what the metrics of a period read.

A load of an empty table copies into it. Any other copies into a temporary table, finds there the days (of one unit and
source) that differ from what the table holds, in any row or figure, and replaces those: most days of a month that is
rolled up again are what they were, and cost no write, no index entry and no dead row.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from dti import clock
from dti.errors import WarehouseError
from dti.warehouse.copying import copy_batches

STAGED, CHANGED = sql.Identifier("pg_temp", "staged"), sql.Identifier("pg_temp", "changed_day")
"""The facts of a load, and the days that differ; both go with the transaction."""


def copy_facts(driver: psycopg.Connection, feed: str, facts: pa.RecordBatchReader, partitions: list[str]) -> int:
    """Copy ``facts`` into a table that holds none of ``partitions``; the rows. Raises what :func:`stage_facts` does."""
    units = _expect(driver, feed, facts, partitions)
    return copy_batches(driver, ("facts", feed), facts.schema.names, checked(facts, set(partitions), units, feed))


def stage_facts(
    driver: psycopg.Connection, feed: str, facts: pa.RecordBatchReader | None, partitions: list[str]
) -> int:
    """Copy ``facts`` (None: none) beside the table, for the rest of the caller's transaction; returns the rows.

    Raises WarehouseError when the columns are not the table's, or a row belongs to another partition or to no known
    unit: such a row would be doubled by the next load, or be seen by nobody.
    """
    units = _expect(driver, feed, facts, partitions)
    like = sql.SQL("CREATE TEMP TABLE staged (LIKE {} INCLUDING CONSTRAINTS) ON COMMIT DROP")
    driver.execute(like.format(sql.Identifier("facts", feed)))
    if facts is None:
        return 0
    batches = checked(facts, set(partitions), units, feed)
    rows = copy_batches(driver, ("pg_temp", "staged"), facts.schema.names, batches)
    driver.execute(sql.SQL("ANALYZE {} (partition_key, source_id, unit_id, day)").format(STAGED))
    return rows


def find_changed_days(driver: psycopg.Connection, feed: str, partitions: list[str]) -> int:
    """Set aside the days on which the staged facts are not the table's, row for row; returns how many there are."""
    keys = _key(driver, feed)
    figures = [name for name in table_columns(driver, feed) if name not in keys]
    query = """
        CREATE TEMP TABLE changed_day ON COMMIT DROP AS
        SELECT DISTINCT source_id, unit_id, day
        FROM (SELECT * FROM {facts} WHERE partition_key = ANY ({partitions})) AS f
        FULL JOIN {staged} AS s USING ({keys})
        WHERE f.day IS NULL OR s.day IS NULL OR ({ours}) IS DISTINCT FROM ({theirs})
    """
    found = driver.execute(
        sql.SQL(query).format(
            facts=sql.Identifier("facts", feed),
            staged=STAGED,
            partitions=partitions,
            keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
            ours=_row("f", figures),
            theirs=_row("s", figures),
        )
    )
    driver.execute(sql.SQL("ANALYZE {}").format(CHANGED))
    return found.rowcount


def replace_changed_days(driver: psycopg.Connection, feed: str, partitions: list[str]) -> None:
    """Replace, of ``partitions``, the changed days by what is staged of them."""
    facts, columns = sql.Identifier("facts", feed), _list(table_columns(driver, feed))
    days = sql.SQL("(source_id, unit_id, day) IN (SELECT source_id, unit_id, day FROM {})").format(CHANGED)
    replaced = sql.SQL("partition_key = ANY ({})").format(partitions)
    driver.execute(sql.SQL("DELETE FROM {} WHERE {} AND {}").format(facts, replaced, days))
    insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} WHERE {}")
    driver.execute(insert.format(facts, columns, columns, STAGED, days))


def require_all(driver: psycopg.Connection, feed: str, partitions: list[str], rows: int) -> None:
    """See to it that of ``partitions`` the table holds as many facts as were staged.

    Raises psycopg's UniqueViolation when two staged facts have one key, on a day that differs in nothing else.
    """
    query = sql.SQL("SELECT count(*) FROM {} WHERE partition_key = ANY ({})")
    (held,) = driver.execute(query.format(sql.Identifier("facts", feed), partitions)).fetchone() or (0,)
    if held != rows:
        driver.execute(sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(STAGED, _list(_key(driver, feed))))
        raise WarehouseError(f"holds {held} facts and not {rows}", where=f"facts.{feed}", remedy="report this fault")


def is_empty(driver: psycopg.Connection, feed: str) -> bool:
    """Whether the feed has no facts at all. A feed without a table is left for the load to refuse."""
    if not table_columns(driver, feed):
        return True
    found = driver.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier("facts", feed))).fetchone()
    return found == (False,)


def lay_partitions(driver: psycopg.Connection, feed: str, partitions: list[str]) -> None:
    """See to it that there are partitions for the years that facts of these lake partitions can count in.

    A record counts no earlier than the month that decides its lake partition, and no later than today. Facts of any
    other year are taken too, by the table's default partition.
    """
    if partitions:
        this_year = clock.local_day(clock.now()).year
        years = [int(key[:4]) for key in partitions]
        driver.execute("SELECT facts.lay_partitions(%s, %s, %s)", [feed, min(years), max(*years, this_year)])


def table_columns(driver: psycopg.Connection, feed: str) -> list[str]:
    """The columns of a feed's fact table, in order; empty when there is no such table."""
    query = """
        SELECT attname FROM pg_attribute
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
    """
    return [name for (name,) in driver.execute(query, [f"facts.{feed}"]).fetchall()]


def require_columns(driver: psycopg.Connection, feed: str, names: list[str] | None) -> None:
    """Raise WarehouseError unless there is a table for the feed and ``names`` (None: any) are its columns."""
    columns = table_columns(driver, feed)
    if not columns:
        raise WarehouseError("no such table", where=f"facts.{feed}", remedy="add it in a migration")
    if names is not None and (different := sorted(set(names) ^ set(columns))):
        raise WarehouseError(
            f"rollup and table differ: {', '.join(different)}",
            where=f"facts.{feed}",
            remedy=f"mend include/sql/rollup/{feed}.sql",
        )


def known_units(driver: psycopg.Connection) -> set[str]:
    """Every unit_id that facts may speak of."""
    return {unit for (unit,) in driver.execute("SELECT unit_id FROM ref.unit").fetchall()}


def checked(
    facts: pa.RecordBatchReader, partitions: set[str] | None, units: set[str], feed: str
) -> Iterator[pa.RecordBatch]:
    """The same batches. Raises WarehouseError at a row of no known unit, or of none of ``partitions`` (None: any)."""
    for batch in facts:
        for column, known, remedy in (
            ("partition_key", partitions, "load every partition that the rollup read"),
            ("unit_id", units, "add the unit to include/reference/unit.csv, or mend the gate"),
        ):
            if known is not None and (strange := set(pc.unique(batch.column(column)).to_pylist()) - known):
                some = ", ".join(sorted(map(str, strange))[:5])
                raise WarehouseError(f"{column} not expected: {some}", where=f"facts.{feed}", remedy=remedy)
        yield batch


def _expect(
    driver: psycopg.Connection, feed: str, facts: pa.RecordBatchReader | None, partitions: list[str]
) -> set[str]:
    """Lay the partitions that facts of these columns need; the units that are known."""
    require_columns(driver, feed, None if facts is None else facts.schema.names)
    lay_partitions(driver, feed, partitions)
    return known_units(driver)


def _key(driver: psycopg.Connection, feed: str) -> list[str]:
    query = """
        SELECT a.attname FROM pg_constraint AS k
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        WHERE k.conrelid = to_regclass(%s) AND k.contype = 'p' ORDER BY a.attnum
    """
    return [name for (name,) in driver.execute(query, [f"facts.{feed}"]).fetchall()]


def _list(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _row(table: str, names: list[str]) -> sql.Composed:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(sql.Identifier(table, name) for name in names))
