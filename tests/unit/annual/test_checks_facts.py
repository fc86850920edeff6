"""Checks of rebuilt facts: totals of the run against plain sums, and rebuilt facts against those of the nights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from dti.annual.checks import facts_checks
from dti.annual.model import CheckResult, Request
from dti.annual.reference import lay_reference
from dti.clock import ZONE
from dti.index.geography import MergeMethod
from dti.index.identity import Run
from dti.index.run import compute
from dti.settings import Settings
from dti.warehouse import inputs
from dti.warehouse.connect import engine
from tests.builders.receipts import manifest

LATER = datetime(2027, 6, 1, tzinfo=ZONE)
Day = tuple[str, str, int, int]
"""(day, unit, dossiers received, of these on time) of one procedure."""


@dataclass(frozen=True)
class Rebuilt:
    """A run over facts of the nights, and a connection that finds facts rebuilt from the ledger: the same."""

    connection: Connection
    settings: Settings
    run: Run

    def do(self, statement: str, **known: object) -> None:
        self.connection.execute(text(statement), known)

    def check(self, name: str, **changes: Any) -> CheckResult:
        request = Request.model_validate(
            {
                "request_id": "r", "request_key": "r", "year": self.run.year, "framework_id": self.run.framework_id,
                "framework_hash": self.run.framework_hash, "family": "dti", "geography": self.run.geography,
                "merge_method": self.run.merge_method, "as_of_asked": "", "as_of_run_id": None,
                "as_of_date": self.run.as_of_date, "data_cut_off": LATER, "corrections_hash": None,
                "reference_hash": "x", "reason": "x", "requester": "x", "door": "form", "accepted_checks": (),
                "requested_at": LATER, "status": "requested", "status_at": LATER, "status_reason": "", "run_id": None,
                "publication_id": None, **changes,
            }
        )  # fmt: skip
        found = {each.check_name: each for each in facts_checks(self.connection, request, self.run, self.settings)}
        return found[name]


def rebuild(settings: Settings, days: list[Day], as_of: str, merge: MergeMethod | None = None,
            geography: str | None = None) -> Iterator[Rebuilt]:  # fmt: skip
    with engine(settings, "loader").begin() as connection:
        files = sorted((settings.include_dir / "reference").glob("*.csv"))
        reference = inputs.keep(connection, "reference", inputs.content_of_files(files))
        for day, unit, received, on_time in days:
            connection.execute(
                text(
                    "insert into facts.online_services (partition_key, day, unit_id, source_id, procedure_code,"
                    " dossiers_received, dossiers_online, dossiers_with_fee, dossiers_paid_online, dossiers_digitised,"
                    " dossiers_reusing_data, dossiers_population_data, dossiers_synchronised, dossiers_finished,"
                    " dossiers_on_time, dossiers_early, dossiers_electronic_result, dossiers_satisfied)"
                    " values ('2025-01', cast(:day as date), :unit, 's', 'p', :received, 0, 0, 0, 0, 0, 0, 0,"
                    " :received, :on_time, 0, 0, 0)"
                ),
                {"day": day, "unit": unit, "received": received, "on_time": on_time},
            )
    run = compute(date.fromisoformat(as_of), "922-2022", merge_method=merge, geography=geography, settings=settings)
    with engine(settings, "loader").connect() as connection:
        tables = connection.execute(text("select tablename from pg_tables where schemaname = 'facts'")).scalars().all()
        for name in tables:
            connection.execute(text(f"create temp table {name} on commit drop as select * from facts.{name}"))
        lay_reference(connection, reference)
        yield Rebuilt(connection, settings, run)
        connection.rollback()


@pytest.fixture
def plain(warehouse: Settings) -> Iterator[Rebuilt]:
    """The year 2026 to the end of March: two provinces, and a day that does not count."""
    days = [("2026-01-05", "P34-66", 5, 4), ("2026-03-31", "P34-66", 2, 1), ("2026-02-01", "P34-01", 9, 9),
            ("2025-12-31", "P34-01", 100, 100)]  # fmt: skip
    yield from rebuild(warehouse, days, "2026-03-31")


@pytest.fixture
def merged(warehouse: Settings) -> Iterator[Rebuilt]:
    """2025: Phú Yên and Đắk Lắk before the first of July, the new Đắk Lắk after it; none beyond its own part."""
    days = [("2025-05-01", "P63-66", 10, 8), ("2025-06-30", "P63-54", 4, 3), ("2025-08-01", "P34-66", 7, 7),
            ("2025-08-02", "P63-54", 50, 50), ("2025-06-01", "P34-66", 60, 60)]  # fmt: skip
    yield from rebuild(warehouse, days, "2025-12-31")


def test_totals_are_the_sums_of_their_facts(plain: Rebuilt) -> None:
    result = plain.check("totals_reconcile")
    assert (result.status, result.detail) == ("passed", [])
    summed = plain.connection.execute(
        text("select count(*) from score.metric_value where feed = 'online_services' and metric like 'dossiers%'")
    ).scalar_one()
    assert f"{summed - 6} totals" in result.message, "three metrics of each unit are no plain sums of a column"


def test_a_total_that_is_not_the_sum_of_its_facts_is_named(plain: Rebuilt) -> None:
    plain.do("update score.metric_value set value = 8 where metric = 'dossiers_received' and unit_id = 'P34-66'")
    plain.do("delete from score.metric_value where metric = 'dossiers_on_time' and unit_id = 'P34-01'")
    result = plain.check("totals_reconcile")
    assert result.status == "failed"
    assert result.detail == [
        {"feed": "online_services", "metric": "dossiers_on_time", "unit_id": "P34-01", "measured": None, "facts": "9"},
        {"feed": "online_services", "metric": "dossiers_received", "unit_id": "P34-66", "measured": "8", "facts": "7"},
    ]


def test_what_a_correction_changed_is_held_against_the_facts_as_it_was(plain: Rebuilt) -> None:
    correction = (
        "insert into score.correction (run_id, correction_id, unit_id, target_kind, target, feed, basis, position,"
        " action, status, given_value, original_value, corrected_value, first_day, last_day, reason, document) values"
        " (:run, :id, 'P34-66', 'metric', :metric, 'online_services', 'measured', :position, 'override', :status, 1,"
        " :original, 1, '2026-01-01', '2026-03-31', 'x', 'x')"
    )
    received = {"run": plain.run.run_id, "metric": "dossiers_received"}
    plain.do(correction, **received, id="a", position=2, status="applied", original=3)
    plain.do(correction, **received, id="b", position=1, status="applied", original=7)
    plain.do(correction, **received | {"metric": "dossiers_on_time"}, id="c", position=1, status="expired", original=99)
    plain.do("delete from score.metric_value where metric = 'dossiers_received' and unit_id = 'P34-66'")
    assert plain.check("totals_reconcile").status == "passed"
    plain.do("update score.correction set original_value = 6 where correction_id = 'b'")
    assert plain.check("totals_reconcile").detail[0]["measured"] == "6"


def test_merged_units_are_summed_over_their_own_part_of_the_year(merged: Rebuilt) -> None:
    assert merged.run.merge_method == "recomputed"
    assert merged.check("totals_reconcile").status == "passed"
    merged.do("delete from score.metric_part where metric = 'dossiers_received' and part_unit_id = 'P63-54'")
    (row,) = merged.check("totals_reconcile").detail
    assert (row["unit_id"], row["measured"], row["facts"]) == ("P63-54", None, "4")


def test_an_averaged_run_is_checked_by_the_run_that_it_averages(warehouse: Settings) -> None:
    days: list[Day] = [("2024-05-01", "P63-66", 10, 8), ("2024-06-01", "P63-54", 4, 3)]
    for rebuilt in rebuild(warehouse, days, "2024-12-31", "average", "34"):
        assert rebuilt.check("totals_reconcile").status == "passed"
        rebuilt.do("update score.metric_value set value = 11 where value = 10")
        assert {row["unit_id"] for row in rebuilt.check("totals_reconcile").detail} == {"P63-66"}


def test_rebuilt_facts_are_those_of_the_nights(plain: Rebuilt) -> None:
    result = plain.check("ledger_agrees")
    assert (result.status, result.detail) == ("passed", [])
    assert "7 feeds" in result.message


def test_a_day_that_was_rebuilt_differently_is_named(plain: Rebuilt) -> None:
    plain.do("update pg_temp.online_services set dossiers_online = 1 where day = '2026-01-05'")
    plain.do("delete from pg_temp.online_services where day = '2026-02-01'")
    result = plain.check("ledger_agrees")
    assert result.status == "failed"
    assert [(row["day"], row["unit_id"]) for row in result.detail] == [
        ("2026-01-05", "P34-66"),
        ("2026-02-01", "P34-01"),
    ]
    assert result.detail[0]["columns"] == {"dossiers_online": ["1", "0"]}


def test_facts_that_were_not_rebuilt_are_never_held_against_themselves(plain: Rebuilt) -> None:
    plain.do("drop table pg_temp.staffing")
    result = plain.check("ledger_agrees")
    assert (result.status, "staffing" in result.message) == ("failed", True)


def test_what_was_loaded_later_makes_them_incomparable(plain: Rebuilt) -> None:
    plain.do("update pg_temp.online_services set dossiers_online = 1")
    plain.do("insert into ops.source values ('s', 'online_services', 'a', 'o', 'l', true, 'p', true, 48)")
    plain.do(
        "insert into ops.batch (batch_id, feed, source_id, night, since, until, outcome, status, rows_landed,"
        " rows_loaded, rows_quarantined, requests_count, retries_count, passes_count, bytes_received, warnings,"
        " unmapped_fields, source_files, sha256, source_hash, contract_hash, synthetic, started_at, finished_at,"
        " load_number) values ('b', 'online_services', 's', '2026-03-31', now(), now(), 'landed', 'passed', 1, 1, 0, 0,"
        " 0, 0, 0, '[]', '[]', '[]', 'x', 'x', 'x', true, now(), '2026-05-01', 3)"
    )
    plain.do("insert into score.run_input (run_id, feed, load_number) values (:run, 'online_services', 2)",
             run=plain.run.run_id)  # fmt: skip
    assert "1 loaded batch(es)" in plain.check("ledger_agrees").message
    plain.do("update score.run_input set load_number = null, landed_by = '2026-06-01'")
    assert plain.check("ledger_agrees").status == "failed", "the run knew it, so the two are compared"
    plain.do("update score.run_input set landed_by = '2026-04-30'")
    assert plain.check("ledger_agrees").status == "passed"


def test_a_batch_that_landed_in_time_and_waits_for_the_gate_is_named(plain: Rebuilt) -> None:
    waiting = manifest(source_id="s", night=date(2026, 3, 30))
    after = manifest(source_id="s", night=date(2026, 3, 31), finished_at=LATER + timedelta(hours=1))
    for each in (waiting, after):
        folder = plain.settings.landing_dir / each.feed / each.source_id / each.batch_id
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(each.model_dump_json())
    result = plain.check("every_batch_decided")
    assert (result.status, [row["batch_id"] for row in result.detail]) == ("failed", [waiting.batch_id])
    assert "online_services" in result.message
    assert plain.check("every_batch_decided", as_of_run_id="night-2026-03-31").status == "passed"
    assert plain.check("every_batch_decided", data_cut_off=datetime(2026, 3, 1, tzinfo=ZONE)).status == "passed"
