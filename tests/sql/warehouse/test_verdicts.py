"""Which agency sends bad rows, by which rule, and since when; and what became of each row."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dti.gate.verdict import RuleResult
from dti.settings import Settings
from dti.warehouse.load import Receipt, load_feed
from dti.warehouse.query import run_select
from tests.builders.receipts import failed, line, manifest, receipt

FIRST = date(2026, 6, 1)
SINCE = (
    "SELECT night - date '2026-06-01', failing_since - date '2026-06-01', is_newest FROM marts.quality_result WHERE "
)


def selected(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    return list(run_select(query, settings)[1])


def judged(folder: Path, number: int, *failing: str, rows: int = 5, source: str = "sandbox-dossiers-66") -> Receipt:
    """A night's batch in which these rules fail, of which built-in ones are told only then."""
    made = receipt(folder, manifest(source, FIRST + timedelta(days=number), rows))
    always = [RuleResult(rule="fee_not_negative", severity="warning", passed="fee_not_negative" not in failing,
                         checked_count=rows, failed_count=int("fee_not_negative" in failing))]  # fmt: skip
    told = [RuleResult(rule=rule, severity="warning", passed=False, checked_count=rows, failed_count=1)
            for rule in failing if rule != "fee_not_negative"]  # fmt: skip
    return made.model_copy(update={"verdict": made.verdict.model_copy(update={"rules": told + always})})


def test_since_when_a_rule_fails_is_told_with_every_failure(warehouse: Settings, tmp_path: Path) -> None:
    nights = [
        judged(tmp_path, 0, "unit", "fee_not_negative"),
        judged(tmp_path, 1, "fee_not_negative"),
        judged(tmp_path, 2, "unit", "fee_not_negative"),
        failed(night=FIRST + timedelta(days=3)),  # nobody home, and no rows: neither says that it is mended
        judged(tmp_path, 4, rows=0),
        judged(tmp_path, 5, "unit"),
        judged(tmp_path, 6, "unit"),
        judged(tmp_path, 6, "unit", source="sandbox-dossiers-79"),
    ]
    load_feed("online_services", None, [], nights, None, settings=warehouse)
    of_66 = "source_id = 'sandbox-dossiers-66' AND NOT passed AND rule = "
    assert selected(warehouse, f"{SINCE} {of_66} 'unit' ORDER BY night") == [
        (0, 0, False), (2, 2, False), (5, 2, False), (6, 2, True)
    ]  # fmt: skip
    assert selected(warehouse, f"{SINCE} {of_66} 'fee_not_negative' ORDER BY night") == [
        (0, 0, False), (1, 0, False), (2, 0, False)
    ]  # fmt: skip
    newest = "SELECT source_id, rule, failing_since FROM marts.quality_result WHERE is_newest AND NOT passed ORDER BY 1"
    assert selected(warehouse, newest) == [
        ("sandbox-dossiers-66", "unit", FIRST + timedelta(days=2)),
        ("sandbox-dossiers-79", "unit", FIRST + timedelta(days=6)),
    ]


def test_a_key_that_is_held_back_again_is_told_once(warehouse: Settings, tmp_path: Path) -> None:
    keys = ["unit_id = Đắk Lắk, dossier_id = D1", "unit_id = Đắk Lắk, dossier_id = nothing"]
    lines = [line(number, key_text=key) for number, key in enumerate(keys)]
    nights = [
        receipt(tmp_path, manifest(night=FIRST + timedelta(days=number)), quarantined=2, lines=lines)
        for number in range(2)
    ]
    load_feed("online_services", None, [], nights, None, settings=warehouse)
    statuses = "SELECT night, row_number, status, status_batch_id FROM marts.quarantine ORDER BY night, row_number"
    second = nights[1].manifest.batch_id
    assert selected(warehouse, statuses) == [
        (FIRST, 0, "repeated", second),
        (FIRST, 1, "held", None),
        (FIRST + timedelta(days=1), 0, "held", None),
        (FIRST + timedelta(days=1), 1, "held", None),
    ]


@pytest.mark.parametrize(
    ("rule", "category", "column"),
    [("type:fee_vnd", "type", "fee_vnd"), ("required:status_code", "missing", "status_code"), ("unit", "unit", ""),
     ("due_after_received", "rule", "")],
)  # fmt: skip
def test_rows_are_counted_by_what_is_wrong(
    warehouse: Settings, tmp_path: Path, rule: str, category: str, column: str
) -> None:
    made = receipt(tmp_path, quarantined=1, lines=[line(0, rule=rule)])
    load_feed("online_services", None, [], [made], None, settings=warehouse)
    query = "SELECT category, column_name, rules, sum(rows_count)::int FROM marts.quarantine GROUP BY 1, 2, 3"
    assert selected(warehouse, query) == [(category, column, [rule], 1)]
