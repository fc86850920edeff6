"""Verdicts as the gate hands them on, over passed files written here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dti import lake
from dti.feeds import load_contract
from dti.gate import Verdict
from dti.gate.schema import passed_schema
from dti.settings import Settings

Row = dict[str, Any]


@pytest.fixture
def passed(settings: Settings) -> Callable[..., Verdict]:
    """``passed(rows, feed=…, files=1)``: a verdict that lets these rows through; later calls landed later."""
    batches = count()

    def write(rows: Sequence[Row], feed: str = "online_services", files: int = 1) -> Verdict:
        number = next(batches)
        batch_id = f"portal.2025-08-10.{number:03d}"
        landed_at = datetime(2025, 8, 10, 19, tzinfo=UTC) + timedelta(minutes=number)
        folder = settings.staging_dir / batch_id
        folder.mkdir(parents=True)
        schema = passed_schema(load_contract(feed))
        paths = []
        for i in range(files if rows else 0):
            own = {"_source_id": "portal", "_batch_id": batch_id, "_landed_at": landed_at}
            path = folder / f"passed-{i:05d}.parquet"
            pq.write_table(pa.Table.from_pylist([row | own for row in rows[i::files]], schema=schema), path)
            paths.append(str(path))
        return Verdict(
            batch_id=batch_id,
            feed=feed,
            source_id="portal",
            night=date(2025, 8, 10),
            status="passed",
            rows_landed=len(rows),
            rows_passed=len(rows),
            rows_quarantined=0,
            rules=[],
            passed_files=paths,
        )

    return write


@pytest.fixture
def dossier() -> Callable[..., Row]:
    """``dossier(id, status, updated day, opened day)``."""

    def make(dossier_id: str, status: int = 2, updated: int = 1, opened: date = date(2025, 8, 1), **more: Any) -> Row:
        opened_at = datetime(opened.year, opened.month, opened.day, 2, tzinfo=UTC)
        return {
            "unit_id": "P34-66",
            "dossier_id": dossier_id,
            "procedure_code": "1.000656",
            "status_code": status,
            "opened_at": opened_at,
            "opened_on": opened,
            "updated_at": datetime(2025, 9, updated, 2, tzinfo=UTC),
            "fee_vnd": Decimal("15000.5"),
            "partition_key": f"{opened:%Y-%m}",
            **more,
        }

    return make


@pytest.fixture
def content(settings: Settings) -> Callable[..., list[tuple[Any, ...]]]:
    """``content("dossier_id, status_code", feed=…)``: what the lake's own files hold, sorted."""

    def read(columns: str, feed: str = "online_services") -> list[tuple[Any, ...]]:
        partitions = lake.changed_partitions(feed, None, settings=settings)
        files = lake.files(feed, partitions, settings=settings)
        if not files:
            return []
        hive = "hive_partitioning = true, hive_types = {'partition_key': VARCHAR}"
        return duckdb.sql(f"SELECT {columns} FROM read_parquet({files}, {hive}) ORDER BY ALL").fetchall()

    return read
