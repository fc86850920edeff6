"""What is written down of each decided batch: its counts, its quarantine lines, its quality results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, model_validator

from dti.errors import WarehouseError
from dti.feeds import load_contract
from dti.gate.verdict import Verdict
from dti.landing.batch import Manifest
from dti.landing.ranges import numbers_of
from dti.landing.release import ALL
from dti.settings import Settings
from dti.warehouse.copying import copy_batches

LINE_COLUMNS = ["row_number", "source_row", "key_text", "rule", "rules", "severity", "reason", "record"]
# An escaped U+0000, which jsonb refuses, behind an even number of backslashes.
_ESCAPED_NUL, _UNWRITABLE = r"(^|[^\\])((?:\\\\)*)\\u0000", r"\1\2\\ufffd"


class Receipt(BaseModel):
    """One extraction and what the gate made of it; a failed fetch has no verdict."""

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    verdict: Verdict | None

    @model_validator(mode="after")
    def _belong_together(self) -> Receipt:
        manifest, verdict = self.manifest, self.verdict
        if (verdict is None) != (manifest.outcome == "failed"):
            raise ValueError(f"{manifest.batch_id}: a landed batch has a verdict, a failed one has none")
        if verdict is not None and (verdict.batch_id, verdict.rows_landed) != (manifest.batch_id, manifest.rows):
            raise ValueError(f"{manifest.batch_id}: verdict is over {verdict.batch_id} with {verdict.rows_landed} rows")
        return self


def write_receipts(driver: psycopg.Connection, receipts: list[Receipt], settings: Settings, load_number: int) -> None:
    """Record batches as decided by load ``load_number`` of their feed, in the caller's transaction.

    A batch decided again replaces its own lines, and stays known since the load that first decided it: runs before
    this one knew it, runs before that one did not.
    """
    units_hash = _units_hash(driver) if receipts else None
    for receipt in receipts:
        _know_source(driver, receipt.manifest)
        _upsert_batch(driver, _batch_row(receipt), {"load_number": load_number, "units_hash": units_hash})
        for table in ("quarantine", "quality_result"):
            driver.execute(
                sql.SQL("DELETE FROM {} WHERE batch_id = %s").format(sql.Identifier("ops", table)),
                [receipt.manifest.batch_id],
            )
        if receipt.verdict is not None:
            _write_lines(driver, receipt.verdict, settings)
            _write_results(driver, receipt.verdict)
        _write_released(driver, receipt.manifest)


def _write_released(driver: psycopg.Connection, manifest: Manifest) -> None:
    """Which held-back rows this batch released; a row that another batch released is refused by the table."""
    if manifest.release is None:
        return
    rows = [-1] if manifest.release.rows == ALL else sorted(numbers_of(manifest.release.rows))
    driver.execute(
        """
        INSERT INTO ops.released_row (batch_id, row_number, released_in)
        SELECT %(original)s, n, %(batch)s FROM unnest(%(rows)s::bigint[]) AS n
        EXCEPT SELECT batch_id, row_number, released_in FROM ops.released_row WHERE released_in = %(batch)s
        """,
        {"original": manifest.release.released_from, "batch": manifest.batch_id, "rows": rows},
    )


def _know_source(driver: psycopg.Connection, manifest: Manifest) -> None:
    """A batch may be of a source whose description is gone: what its manifest says of it is kept."""
    driver.execute(
        """
        INSERT INTO ops.source
        (source_id, feed, agency, owner, licence, synthetic, pool, enabled, freshness_limit_hours)
        VALUES (%s, %s, %s, '', %s, %s, '', false, %s) ON CONFLICT (source_id) DO NOTHING
        """,
        [
            manifest.source_id,
            manifest.feed,
            manifest.agency,
            manifest.licence,
            manifest.synthetic,
            load_contract(manifest.feed).freshness_limit_hours,
        ],
    )


def _batch_row(receipt: Receipt) -> dict[str, Any]:
    manifest, verdict, fault = receipt.manifest, receipt.verdict, receipt.manifest.fault
    if manifest.outcome == "failed" and fault is None:
        raise WarehouseError("failed without a fault", where=manifest.batch_id, remedy="mend the manifest: it says why")
    same = "batch_id feed source_id night since until outcome synthetic started_at finished_at"
    hashes = "sha256 source_hash contract_hash"
    counts = "requests_count retries_count passes_count bytes_received"
    return {
        **{name: getattr(manifest, name) for name in f"{same} {hashes} {counts}".split()},
        **{name: Jsonb(getattr(manifest, name)) for name in ("warnings", "unmapped_fields", "source_files")},
        **{f"fault_{name}": getattr(fault, name, None) for name in ("kind", "where", "what", "remedy")},
        "status": verdict.status if verdict else "failed",
        "rows_landed": manifest.rows,
        "rows_loaded": verdict.rows_passed if verdict else 0,
        "rows_quarantined": verdict.rows_quarantined if verdict else 0,
        **_release_columns(manifest),
        "stopped_reason": verdict.stopped_reason if verdict else None,
    }


def _release_columns(manifest: Manifest) -> dict[str, Any]:
    release = manifest.release
    return {
        "delivered_at": release.landed_at if release else None,
        "released_from": release.released_from if release else None,
        "released_rows": release.rows if release else None,
        "released_by": release.released_by if release else None,
        "release_reason": release.reason if release else None,
        "waived_rules": release.waived_rules if release else None,
    }


def _units_hash(driver: psycopg.Connection) -> str | None:
    """Version of the unit aliases that stands now: the gate keeps it before it judges. None: never kept."""
    found = driver.execute(
        "SELECT content_hash FROM ops.input_seen WHERE kind = 'aliases' ORDER BY seen_number DESC LIMIT 1"
    ).fetchone()
    return None if found is None else str(found[0])


def _upsert_batch(driver: psycopg.Connection, row: dict[str, Any], first: dict[str, Any]) -> None:
    """Write a batch's row; what is in ``first`` stays what it was when the batch is there already."""
    every = row | first
    driver.execute(
        sql.SQL("INSERT INTO ops.batch ({}) VALUES ({}) ON CONFLICT (batch_id) DO UPDATE SET {}").format(
            sql.SQL(", ").join(map(sql.Identifier, every)),
            sql.SQL(", ").join(sql.Placeholder() * len(every)),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in row),
        ),
        list(every.values()),
    )


def _write_lines(driver: psycopg.Connection, verdict: Verdict, settings: Settings) -> None:
    if verdict.quarantine_file is None:
        return
    path = Path(verdict.quarantine_file)
    path = path if path.is_absolute() else settings.staging_dir / verdict.batch_id / path
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as fault:
        raise WarehouseError(
            f"quarantine cannot be read: {type(fault).__name__}",
            where=str(path),
            remedy="remove that folder and judge the batch again",
        ) from fault
    with file:
        copy_batches(driver, ("ops", "quarantine"), ["batch_id", *LINE_COLUMNS], _lines(file, verdict.batch_id))


def _lines(file: pyarrow.parquet.ParquetFile, batch_id: str) -> Iterator[pa.RecordBatch]:
    broken = "rules" if "rules" in file.schema_arrow.names else "rule"
    for batch in file.iter_batches():
        lines = {name: batch.column(name) for name in LINE_COLUMNS if name != "rules"}
        lines["record"] = pc.replace_substring_regex(lines["record"], _ESCAPED_NUL, _UNWRITABLE)
        rules = pc.replace_substring(batch.column(broken), " ", ",")
        lines["rules"] = pc.binary_join_element_wise("{", rules, "}", "")  # as PostgreSQL writes a list
        ids = pa.repeat(pa.scalar(batch_id), batch.num_rows)
        columns = [ids, *(lines[name] for name in LINE_COLUMNS)]
        yield pa.RecordBatch.from_arrays(columns, names=["batch_id", *LINE_COLUMNS])


def _write_results(driver: psycopg.Connection, verdict: Verdict) -> None:
    with driver.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.quality_result VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (verdict.batch_id, position, r.rule, r.severity, r.passed, r.checked_count, r.failed_count, r.detail)
                for position, r in enumerate(verdict.rules, start=1)
            ],
        )
