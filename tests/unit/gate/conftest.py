"""Lands batches as the landing room does: all-text Parquet parts and a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dti.clock import day_end, day_start
from dti.feeds import load_contract
from dti.gate import Verdict
from dti.landing.batch import Manifest, Part
from dti.settings import Settings

Row = dict[str, str | None]
Land = Callable[..., Manifest]

GOOD: dict[str, Row] = {
    "online_services": {
        "unit": "Đắk Lắk",
        "dossier_id": "H15-250801-{n}",
        "agency_code": "H15.14",
        "procedure_code": "1.000656.000.00.00.H15",
        "status_code": "9",
        "channel_code": "2",
        "opened_at": "2025-08-01T08:00:00+07:00",
        "received_at": "2025-08-01T09:00:00+07:00",
        "due_at": "2025-08-05T00:00:00+07:00",
        "finished_at": "2025-08-04T10:00:00+07:00",
        "fee_vnd": "15000.5",
        "online_payment_code": "1",
        "has_electronic_result": "true",
        "supplement_request_count": "0",
        "applicant_type_code": "1",
        "updated_at": "2025-08-04T10:00:00.123456+07:00",
    },
    "service_catalogue": {
        "unit": "P34-66",
        "procedure_code": "2.{n6}.H15",
        "procedure_name": "Cấp bản sao",
        "service_level_code": "4",
        "is_eligible_full_online": "true",
        "time_limit_days": "5",
        "is_active": "true",
        "snapshot_on": "2025-08-10",
    },
    "data_centre": {
        "unit": "66",
        "data_centre_id": "dc-{n}",
        "measure": "up_share",
        "sampled_at": "2025-08-10T08:05:00+00:00",
        "step_seconds": "300",
        "value": "1",
    },
    "staffing": {
        "unit": "Tỉnh Đắk Lắk",
        "agency_code": "H15.{n}",
        "agency_name": "Sở Tư pháp",
        "reported_on": "2025-06-30",
        "staff_total": "40",
        "staff_digital_transformation": "3",
        "staff_information_technology": "2",
        "staff_information_security": "1",
        "staff_trained_dx": "20",
        "staff_trained_digital_skills": "40",
        "staff_trained_data": "0",
        "has_focal_staff": "true",
    },
    "community_teams": {
        "unit": "Đắk Lắk",
        "commune_code": "{n:05d}",
        "commune_name": "Cư Pui",
        "reported_on": "2025-07-31",
        "has_team": "true",
        "villages_total": "12",
        "villages_with_team": "12",
        "team_members_total": "60",
        "team_members_trained": "45",
        "population": "9000",
    },
    "platform_inventory": {
        "unit": "Đắk Lắk",
        "item_code": "HT-{n}",
        "item_name": "Hệ thống một cửa",
        "item_kind": "system",
        "is_shared": "true",
        "hosting": "data_centre",
        "security_level": "3",
        "is_level_approved": "true",
        "assessed_on": "2025-03-01",
        "snapshot_on": "2025-08-10",
    },
    "declarations": {
        "unit": "Đắk Lắk",
        "metric": "directives_total",
        "basis": "declared",
        "period_year": "2025",
        "stated_on": "{day}",
        "value": "12",
        "evidence_ref": "155/KH-UBND - 2025-12-24: Kế hoạch",
    },
}


@pytest.fixture
def good() -> Callable[..., Row]:
    """``good(feed, **changes)``: a faultless row with a key of its own, less what ``changes`` spoil."""
    numbers = count(1)

    def make(feed: str, **changes: str | None) -> Row:
        n = next(numbers)
        day = date(2025, 1, 1) + timedelta(days=n % 200)
        row = dict.fromkeys(load_contract(feed).landed_columns)
        year = str(2025 - n // 200)  # a second key column, so that declarations never run out of days
        texts = {**GOOD[feed], **({"period_year": year} if feed == "declarations" else {})}
        row |= {k: v.format(n=n, n6=f"{n:06d}", day=day.isoformat()) if v else v for k, v in texts.items()}
        return row | {"source_row": f"page 1, record {n}"} | changes

    return make


@pytest.fixture
def land(settings: Settings) -> Land:
    """``land(feed, rows, parts=1, night=…)``: the manifest of a batch that holds these rows."""
    batches = count()

    def write(
        feed: str,
        rows: Sequence[Row],
        *,
        parts: int = 1,
        night: date = date(2025, 8, 10),
        columns: Sequence[str] | None = None,
    ) -> Manifest:
        started = datetime(2025, 8, 10, 19, tzinfo=UTC) + timedelta(minutes=next(batches))
        batch_id = f"portal.{night}.{started:%Y%m%dT%H%M%S%fZ}"
        folder = settings.landing_dir / feed / "portal" / batch_id
        folder.mkdir(parents=True)
        schema = pa.schema([(name, pa.string()) for name in columns or load_contract(feed).landed_columns])
        size = max(1, -(-len(rows) // parts))
        written = [
            _write_part(folder / f"part-{i:05d}.parquet", rows[i * size : (i + 1) * size], schema)
            for i in range(parts if rows else 0)
        ]
        manifest = Manifest(
            batch_id=batch_id,
            feed=feed,
            source_id="portal",
            agency="Sở Khoa học và Công nghệ",
            synthetic=True,
            licence="none",
            night=night,
            since=day_start(night),
            until=day_end(night),
            outcome="landed",
            rows=len(rows),
            parts=written,
            sha256=hashlib.sha256("".join(p.sha256 for p in written).encode()).hexdigest(),
            started_at=started,
            finished_at=started,
            source_hash="",
            contract_hash=load_contract(feed).content_hash,
        )
        (folder / "manifest.json").write_text(manifest.model_dump_json(), "utf-8")
        return manifest

    return write


@pytest.fixture
def lines() -> Callable[[Verdict], list[dict[str, Any]]]:
    """The quarantined lines of a verdict, the landed record read back from its JSON."""

    def read(verdict: Verdict) -> list[dict[str, Any]]:
        if verdict.quarantine_file is None:
            return []
        found = pq.read_table(verdict.quarantine_file).to_pylist()
        return [line | {"record": json.loads(line["record"])} for line in found]

    return read


@pytest.fixture
def passed() -> Callable[[Verdict], pa.Table | None]:
    """What a verdict lets through, of all its files."""

    def read(verdict: Verdict) -> pa.Table | None:
        tables = [pq.read_table(file) for file in verdict.passed_files]
        return pa.concat_tables(tables) if tables else None

    return read


def _write_part(path: Path, rows: Sequence[Row], schema: pa.Schema) -> Part:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
    content = path.read_bytes()
    return Part(file=path.name, rows=len(rows), bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
