"""Held-back records that the agency has sent again since, in good order: noted by the load that brings them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql

from dti.feeds import Contract, load_contract
from dti.gate.casts import identifier, literal
from dti.gate.typed import typed_rows, unit_texts
from dti.gate.units import load_units
from dti.settings import Settings
from dti.warehouse.receipts import Receipt

_PLACE = ("batch_id", "held_number", "source_id", "delivered_at")


def note_resubmitted(driver: psycopg.Connection, feed: str, receipts: list[Receipt], settings: Settings) -> int:
    """Note, in the caller's transaction, which held records of ``feed`` these batches bring in good order; how many.

    A batch that was stopped is made up for by a later delivery that passes and reaches back as far; in a feed of
    snapshots by any later one. A record is another's successor when the same source gave it later and it has the same
    key. A unit that nobody knew may be any; a key that could not be read is nobody's.
    """
    contract = load_contract(feed, settings.include_dir / "feeds")
    _note_batches(driver, contract, receipts)
    passed = [r.verdict for r in receipts if r.verdict is not None and r.verdict.passed_files]
    files = [path for verdict in passed for path in verdict.passed_files if Path(path).is_file()]
    if not files:
        return 0
    held = _held(driver, contract, sorted({verdict.source_id for verdict in passed}))
    if not held.num_rows:
        return 0
    found = _successors(contract, held, files, settings)
    with driver.cursor() as cursor:
        cursor.executemany("INSERT INTO ops.resubmitted_row VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", found)
    return len(found)


def _note_batches(driver: psycopg.Connection, contract: Contract, receipts: list[Receipt]) -> None:
    delivered = [r.manifest for r in receipts if r.verdict is not None and r.verdict.status == "passed"]
    with driver.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO ops.resubmitted_row (batch_id, row_number, resubmitted_in)
            SELECT b.batch_id, -1, %(batch)s FROM ops.batch AS b
            WHERE b.source_id = %(source)s AND b.status = 'stopped' AND b.released_from IS NULL
                AND b.finished_at < %(landed)s AND (%(snapshot)s OR b.since >= %(since)s)
            ON CONFLICT DO NOTHING
            """,
            [
                {
                    "batch": manifest.batch_id,
                    "source": manifest.source_id,
                    "landed": manifest.finished_at,
                    "snapshot": contract.pull == "snapshot",
                    "since": manifest.since,
                }
                for manifest in delivered
                if manifest.release is None
            ],
        )


def _held(driver: psycopg.Connection, contract: Contract, sources: list[str]) -> pa.Table:
    """Records of these sources that are still held: where they are, and their text as landed."""
    texts = [sql.SQL("q.record ->> {}").format(sql.Literal(name)) for name in contract.landed_columns]
    rows = driver.execute(
        sql.SQL(
            """
            SELECT q.batch_id, q.row_number, b.source_id, coalesce(b.delivered_at, b.finished_at), {}
            FROM ops.quarantine AS q JOIN ops.batch AS b USING (batch_id)
            WHERE b.source_id = ANY (%s) AND q.row_number >= 0
                AND (q.batch_id, q.row_number) NOT IN (SELECT batch_id, row_number FROM ops.resubmitted_row)
                AND (q.batch_id, q.row_number) NOT IN (SELECT batch_id, row_number FROM ops.released_row)
            """
        ).format(sql.SQL(", ").join(texts)),
        [sources],
    ).fetchall()
    kinds = [pa.string(), pa.int64(), pa.string(), pa.timestamp("us", tz="UTC")]
    kinds += [pa.string()] * len(contract.landed_columns)
    columns = [*zip(*rows, strict=True)] or [()] * len(kinds)
    return pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)],
        names=[*_PLACE, *contract.landed_columns],
    )


def _successors(contract: Contract, held: pa.Table, files: list[str], settings: Settings) -> list[tuple[str, int, str]]:
    """Batch and number of each held record that came again, and the first batch that brought it."""
    names = ", ".join(identifier(name) for name in contract.landed_columns)
    keys = [identifier(name) for name in contract.key if name != "unit_id"]
    same = [f"held.{key} = passed.{key}" for key in keys]
    if "unit_id" in contract.key:
        same.append("coalesce(held.unit_id, passed.unit_id) = passed.unit_id")
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("given", held)
        db.execute(f"""
            CREATE TEMP TABLE landed AS
            SELECT row_number() OVER () AS row_number, batch_id, held_number, {names},
                source_id AS _source_id, batch_id AS _batch_id, delivered_at AS _landed_at
            FROM given
        """)  # noqa: S608 - of a contract's column names, whose pattern allows no quote
        directory = load_units(settings)
        units = [(t, g, directory.resolve(t, g)) for t, g in db.sql(unit_texts(contract, "landed")).fetchall()]
        columns = [*zip(*units, strict=True)] or [(), (), ()]
        named = zip(("unit", "geography", "unit_id"), columns, strict=True)
        db.register("units", pa.table({name: pa.array(values, pa.string()) for name, values in named}))
        paths = ", ".join(map(literal, files))
        found = db.sql(f"""
            WITH held AS ({typed_rows(contract, "landed", "units")})
            SELECT landed.batch_id, landed.held_number, arg_min(passed._batch_id, passed._landed_at)
            FROM held INNER JOIN landed USING (row_number)
            INNER JOIN read_parquet([{paths}], union_by_name = true) AS passed
                ON passed._source_id = held._source_id AND passed._landed_at > held._landed_at
                AND {" AND ".join(same)}
            GROUP BY ALL ORDER BY ALL
        """).fetchall()  # noqa: S608 - as above
    return [(str(batch), int(number), str(brought)) for batch, number, brought in found]
