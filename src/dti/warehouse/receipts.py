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
from dti.settings import Settings
from dti.warehouse.copying import copy_batches

LINE_COLUMNS = ["row_number", "source_row", "key_text", "rule", "severity", "reason", "record"]
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


def write_receipts(driver: psycopg.Connection, receipts: list[Receipt], settings: Settings) -> None:
    """Record decided batches in the caller's transaction; a batch decided again replaces its own lines."""
    for receipt in receipts:
        _know_source(driver, receipt.manifest)
        _upsert(driver, "batch", ("batch_id",), _batch_row(receipt))
        for table in ("quarantine", "quality_result"):
            driver.execute(
                sql.SQL("DELETE FROM {} WHERE batch_id = %s").format(sql.Identifier("ops", table)),
                [receipt.manifest.batch_id],
            )
        if receipt.verdict is not None:
            _write_lines(driver, receipt.verdict, settings)
            _write_results(driver, receipt.verdict)


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
        "stopped_reason": verdict.stopped_reason if verdict else None,
    }


def _upsert(driver: psycopg.Connection, table: str, key: tuple[str, ...], row: dict[str, Any]) -> None:
    names = [sql.Identifier(name) for name in row]
    driver.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}").format(
            sql.Identifier("ops", table),
            sql.SQL(", ").join(names),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
            sql.SQL(", ").join(map(sql.Identifier, key)),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names),
        ),
        list(row.values()),
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
    for batch in file.iter_batches(columns=LINE_COLUMNS):
        record = pc.replace_substring_regex(batch.column("record"), _ESCAPED_NUL, _UNWRITABLE)
        columns = [batch.column(name) for name in LINE_COLUMNS[:-1]]
        ids = pa.repeat(pa.scalar(batch_id), batch.num_rows)
        yield pa.RecordBatch.from_arrays([ids, *columns, record], names=["batch_id", *LINE_COLUMNS])


def _write_results(driver: psycopg.Connection, verdict: Verdict) -> None:
    with driver.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.quality_result VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (verdict.batch_id, position, r.rule, r.severity, r.passed, r.checked_count, r.failed_count, r.detail)
                for position, r in enumerate(verdict.rules, start=1)
            ],
        )
