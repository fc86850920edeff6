"""Manifests, verdicts and receipts for tests, valid unless told otherwise."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from dti.clock import day_end, day_start
from dti.gate.verdict import RuleResult, Verdict
from dti.landing.batch import Fault, Manifest
from dti.warehouse.load import Receipt

NIGHT = date(2026, 3, 1)
QUARANTINE = pa.schema(
    [("row_number", pa.int64())]
    + [(n, pa.string()) for n in ("source_row", "key_text", "rule", "severity", "reason", "record")]
)


def manifest(source_id: str = "sandbox-dossiers-66", night: date = NIGHT, rows: int = 3, **changes: Any) -> Manifest:
    """A landed batch of ``rows`` records."""
    started: datetime = changes.pop("started_at", day_end(night) + timedelta(hours=1))
    values: dict[str, Any] = {
        "batch_id": f"{source_id}.{night}.{started:%Y%m%dT%H%M%S%fZ}",
        "feed": "online_services",
        "source_id": source_id,
        "agency": "Tỉnh Đắk Lắk",
        "synthetic": True,
        "licence": "synthetic",
        "night": night,
        "since": day_start(night),
        "until": day_end(night),
        "outcome": "landed",
        "rows": rows,
        "started_at": started,
        "finished_at": started + timedelta(minutes=1),
        "source_hash": "s",
        "contract_hash": "c",
    }
    return Manifest.model_validate(values | changes)


def failed(source_id: str = "sandbox-dossiers-66", night: date = NIGHT, **changes: Any) -> Receipt:
    """A fetch that found nobody home."""
    fault = Fault(kind="unreachable", where=source_id, what="no answer in 30 s", remedy="ask the agency")
    return Receipt(manifest=manifest(source_id, night, 0, outcome="failed", fault=fault, **changes), verdict=None)


def receipt(
    folder: Path,
    of: Manifest | None = None,
    quarantined: int = 0,
    status: Literal["passed", "stopped"] = "passed",
    lines: list[dict[str, Any]] | None = None,
) -> Receipt:
    """A judged batch; its quarantine file is written into ``folder``, by default with the lines it should have."""
    of = of or manifest()
    held = of.rows if status == "stopped" else quarantined
    if lines is None:
        lines = [line(n) for n in ([-1] if status == "stopped" else range(quarantined))]
    path = folder / f"{of.batch_id}.parquet"
    pq.write_table(pa.Table.from_pylist(lines, QUARANTINE), path)
    verdict = Verdict(
        batch_id=of.batch_id,
        feed=of.feed,
        source_id=of.source_id,
        night=of.night,
        status=status,
        rows_landed=of.rows,
        rows_passed=of.rows - held,
        rows_quarantined=held,
        rules=[RuleResult(rule="unit", severity="warning", passed=held == 0, checked_count=of.rows, failed_count=held)],
        stopped_reason="no row has a key" if status == "stopped" else None,
        quarantine_file=str(path) if lines else None,
    )
    return Receipt(manifest=of, verdict=verdict)


def line(row_number: int, **changes: Any) -> dict[str, Any]:
    """One quarantine line."""
    values = {
        "row_number": row_number,
        "source_row": f"page 1, record {row_number}",
        "key_text": "",
        "rule": "unit",
        "severity": "warning",
        "reason": "unit 'Đắc Lắcc' is not known",
        "record": json.dumps({"unit": "Đắc Lắcc", "dossier_id": str(row_number)}, ensure_ascii=False),
    }
    return values | changes
