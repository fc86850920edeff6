"""Facts of one feed, replaced by partition of the lake.

Two partitions are spoken of. ``partition_key`` is that of the lake rows behind a fact: what a load replaces. The tables
themselves are partitioned by the year of ``day``: what the metrics of a period read.
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


def replace_facts(
    driver: psycopg.Connection, feed: str, facts: pa.RecordBatchReader | None, partitions: list[str]
) -> int:
    """Delete the facts of ``partitions`` and copy ``facts`` in their place, in the caller's transaction.

    Returns the rows copied. Raises WarehouseError when the columns are not the table's, or a row belongs to another
    partition or to no known unit: such a row would be doubled by the next load, or be seen by nobody.
    """
    where = f"facts.{feed}"
    columns = table_columns(driver, feed)
    if not columns:
        raise WarehouseError("no such table", where=where, remedy="add it in a migration")
    if facts is not None and (different := sorted(set(facts.schema.names) ^ set(columns))):
        raise WarehouseError(
            f"rollup and table differ: {', '.join(different)}",
            where=where,
            remedy=f"mend include/sql/rollup/{feed}.sql",
        )
    lay_partitions(driver, feed, partitions)
    driver.execute(
        sql.SQL("DELETE FROM {} WHERE partition_key = ANY(%s)").format(sql.Identifier("facts", feed)), [partitions]
    )
    if facts is None:
        return 0
    units = {unit for (unit,) in driver.execute("SELECT unit_id FROM ref.unit").fetchall()}
    return copy_batches(driver, ("facts", feed), facts.schema.names, checked(facts, set(partitions), units, where))


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


def checked(
    facts: pa.RecordBatchReader, partitions: set[str] | None, units: set[str], where: str
) -> Iterator[pa.RecordBatch]:
    """The same batches. Raises WarehouseError at a row of no known unit, or of none of ``partitions`` (None: any)."""
    for batch in facts:
        for column, known, remedy in (
            ("partition_key", partitions, "load every partition that the rollup read"),
            ("unit_id", units, "add the unit to include/reference/unit.csv, or mend the gate"),
        ):
            if known is not None and (strange := set(pc.unique(batch.column(column)).to_pylist()) - known):
                some = ", ".join(sorted(map(str, strange))[:5])
                raise WarehouseError(f"{column} not expected: {some}", where=where, remedy=remedy)
        yield batch
