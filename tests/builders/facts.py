"""Arrow readers of facts for tests."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

COUNTS = [
    "dossiers_received",
    "dossiers_online",
    "dossiers_with_fee",
    "dossiers_paid_online",
    "dossiers_digitised",
    "dossiers_reusing_data",
    "dossiers_population_data",
    "dossiers_synchronised",
    "dossiers_finished",
    "dossiers_on_time",
    "dossiers_early",
    "dossiers_electronic_result",
    "dossiers_satisfied",
    "dossiers_direct",
    "dossiers_by_post",
    "dossiers_fee_zero",
    "dossiers_payment_online",
    "dossiers_payment_on_portal",
    "dossiers_online_with_result",
    "dossiers_from_citizens",
    "dossiers_citizens_population_data",
    "dossiers_punctual",
    "dossiers_unpunctual",
    "dossiers_disliked",
    "dossiers_digitised_with_result",
]


def online_services(*rows: dict[str, Any]) -> pa.RecordBatchReader:
    """Facts of online_services: each row says what differs from one dossier received in Đắk Lắk on 1 March 2026."""
    plain: dict[str, Any] = {
        "partition_key": "2026-03",
        "day": date(2026, 3, 1),
        "unit_id": "P34-66",
        "source_id": "sandbox-dossiers-66",
        "procedure_code": "1.000656",
        **dict.fromkeys(COUNTS, 0),
        "dossiers_received": 1,
    }
    table = pa.Table.from_pylist([plain | row for row in rows], pa.Table.from_pylist([plain]).schema)
    return table.to_reader(max_chunksize=2)
