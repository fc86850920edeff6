"""Which batches of the ledger count at a cut-off, and what the gate held back of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from sqlalchemy import Connection, text

from dti.index.standing import Known


@dataclass(frozen=True)
class KnownBatch:
    """A batch that passed the gate: where it came from, when it landed, and how many of its rows count."""

    batch_id: str
    feed: str
    source_id: str
    landed_at: datetime
    rows_loaded: int
    units_hash: str | None


def batches_known(connection: Connection, feed: str, known: Known) -> list[KnownBatch]:
    """Batches of a feed with rows that count, oldest first."""
    rows = connection.execute(
        text(
            """
            select batch_id, feed, source_id, coalesce(delivered_at, finished_at) as landed_at, rows_loaded, units_hash
            from ops.batch
            where
                feed = :feed and status = 'passed' and rows_loaded > 0
                and case when :by_load then load_number <= :load_number else finished_at <= :landed_by end
            order by coalesce(delivered_at, finished_at), batch_id
            """
        ),
        {
            "feed": feed,
            "by_load": known.load_number is not None,
            "load_number": known.load_number,
            "landed_by": known.landed_by,
        },
    )
    return [KnownBatch(**row) for row in rows.mappings()]


def write_held_rows(driver: psycopg.Connection, batches: list[KnownBatch], path: Path) -> None:
    """Write batch_id and row_number of every quarantined row of these batches to a CSV file, without a header."""
    select = """
        copy (
            select q.batch_id, q.row_number from ops.quarantine as q
            inner join pg_temp.wanted_batch as w using (batch_id) where q.row_number >= 0
        ) to stdout (format csv)
    """
    with driver.transaction(force_rollback=True), path.open("wb") as file:
        driver.execute("create temp table wanted_batch (batch_id text primary key)")
        with driver.cursor().copy("copy pg_temp.wanted_batch from stdin") as sink:
            for batch in batches:
                sink.write_row([batch.batch_id])
        driver.execute("analyze pg_temp.wanted_batch")
        with driver.cursor().copy(select) as source:
            for block in source:
                file.write(block)
