"""From a figure back to the landed record: batches, quarantine and samples, of batches that passed the gate."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow.parquet as pq
import pytest

FIRST, SECOND = date(2026, 3, 30), date(2026, 3, 31)


def dossier(number: int, **changes: str | None) -> dict[str, str | None]:
    """A dossier of Đắk Lắk, filed online and received on 2 March."""
    return {
        "unit": "Đắk Lắk",
        "dossier_id": f"H-{number:04}",
        "procedure_code": "1.000656",
        "status_code": "4",
        "channel_code": "2",
        "opened_at": "2026-03-01T08:00:00+07:00",
        "received_at": "2026-03-02T08:00:00+07:00",
        "updated_at": "2026-03-03T08:00:00+07:00",
        "applicant_ref": "pseudonym-of-somebody",
        **changes,
    }


@pytest.fixture
def nights(house: Any) -> Any:
    """Two nights of one source for several provinces; some records are held back, one of them comes again."""
    house.source("dvc", "online_services")
    good = [dossier(n) for n in range(1, 31)]
    desk = [dossier(n, channel_code="1") for n in range(31, 41)]
    house.land(
        "online_services",
        "dvc",
        [
            *good,
            *desk,
            dossier(41, procedure_code="TTHC"),
            dossier(42, procedure_code="TTHC", channel_code="1"),
            dossier(43, procedure_code="TTHC", received_at=None),
            dossier(44, procedure_code="TTHC"),
            dossier(45, received_at="hôm qua"),
            dossier(46, unit="Đắc Lắcc"),
            dossier(47, unit="Cà Mau", procedure_code="TTHC"),
            dossier(48, unit="Cà Mau"),
        ],
        FIRST,
    )
    house.take_in("online_services", FIRST)
    later = {"updated_at": "2026-03-31T08:00:00+07:00"}
    others = [dossier(n, unit="Huế") for n in range(70, 80)]  # a batch with too many bad rows would be stopped
    again = [dossier(1, **later), dossier(44, **later), dossier(41, procedure_code="TTHC")]
    house.land("online_services", "dvc", [*again, *others], SECOND)
    house.execute("update ops.batch set loaded_at = loaded_at - interval '1 day'")
    house.take_in("online_services", SECOND)
    house.run()
    return house


def test_batches_are_those_that_brought_the_records_as_they_are_now(nights: Any) -> None:
    told = nights.ask("1.1")
    assert (told.result.numerator, told.result.denominator) == (31, 41)
    (evidence,) = told.evidence
    assert [(b.night, b.numerator_records, b.denominator_records) for b in evidence.batches] == [
        (FIRST, 29, 39),
        (SECOND, 2, 2),
    ]
    assert evidence.records == 41
    stored = {row["batch_id"]: row for row in nights.execute("select * from ops.batch")}
    for batch in evidence.batches:
        assert batch.sha256 == stored[batch.batch_id]["sha256"]
        assert batch.landed_at == stored[batch.batch_id]["finished_at"]
        counts = (batch.rows_landed, batch.rows_loaded, batch.rows_quarantined)
        assert counts == tuple(stored[batch.batch_id][f"rows_{name}"] for name in ("landed", "loaded", "quarantined"))
    assert (evidence.feed, evidence.rollup_sql) == ("online_services", "include/sql/rollup/online_services.sql")
    assert evidence.partitions == ["2026-03"]
    assert not evidence.changed_since_run


def test_quarantined_records_are_told_by_what_they_would_have_changed(nights: Any) -> None:
    (evidence,) = nights.ask("1.1").evidence
    held = {rule.rule: rule for rule in evidence.held.rules}
    assert set(held) == {"procedure_code_format", "type:received_at", "unit"}
    formatted = held["procedure_code_format"]
    assert formatted.records == 2, "held on two nights, counted once; one came later, one was not received"
    assert (formatted.numerator_records, formatted.denominator_records) == (1, 2)
    assert "TTHC" in formatted.example_reason
    assert (held["type:received_at"].undecided_records, held["type:received_at"].numerator_records) == (1, 0)
    unknown = held["unit"]
    assert (unknown.records, unknown.unit_unknown_records, unknown.numerator_records) == (1, 1, 1)
    assert formatted.unit_unknown_records == 0
    assert evidence.held.came_later_records == 1
    assert evidence.held.outside_records == 1
    assert evidence.held.other_unit_records == 1
    assert evidence.held.stopped_batches == []


def test_a_sample_can_be_opened_and_names_nobody(nights: Any) -> None:
    told = nights.ask("1.1")
    (evidence,) = told.evidence
    assert len(evidence.samples) == 3
    for sample in evidence.samples:
        assert sample.counts_in == ["numerator", "denominator"]
        record = pq.read_table(nights.settings.home_dir / sample.file).slice(sample.row, 1).to_pylist()[0]
        assert record["dossier_id"] == sample.key["dossier_id"]
        assert record["source_row"] == sample.source_row
        assert sample.key["unit_id"] == "P34-66"
        assert sample.batch_id in sample.file
    first = evidence.samples[0]
    assert (first.key["dossier_id"], first.batch_id) == ("H-0001", evidence.batches[1].batch_id)
    assert "pseudonym" not in told.model_dump_json()


def test_a_record_whose_landing_is_gone_says_so(nights: Any) -> None:
    (evidence,) = nights.ask("1.1").evidence
    (nights.settings.landing_dir / "online_services" / "dvc" / evidence.samples[0].batch_id / "manifest.json").unlink()
    again = nights.ask("1.1").evidence[0].samples[0]
    assert (again.key, again.file, again.row) == (evidence.samples[0].key, None, None)


def test_a_batch_loaded_after_the_run_is_noted(nights: Any) -> None:
    nights.land("online_services", "dvc", [dossier(60)], date(2026, 4, 1))
    nights.take_in("online_services", date(2026, 4, 1))
    told = nights.ask("1.1")
    assert told.evidence[0].changed_since_run
    assert any("Data was loaded after this run (dvc)" in note.en for note in told.notes)
    assert told.result.numerator == 31


def test_a_stopped_batch_is_told_whole(house: Any) -> None:
    house.source("dvc", "online_services")
    house.land("online_services", "dvc", [dossier(n) for n in range(1, 5)], FIRST)
    house.take_in("online_services", FIRST)
    house.land("online_services", "dvc", [dossier(n, procedure_code="TTHC") for n in range(5, 12)])
    house.take_in("online_services", SECOND)
    house.run()
    (evidence,) = house.ask("1.1").evidence
    assert (len(evidence.held.stopped_batches), evidence.held.stopped_records) == (1, 7)
    assert [b.night for b in evidence.batches] == [FIRST]


def test_another_province_sees_its_own_records_only(nights: Any) -> None:
    told = nights.ask("1.1", "Cà Mau")
    (evidence,) = told.evidence
    assert (told.result.denominator, evidence.records) == (1, 1)
    assert {sample.key["unit_id"] for sample in evidence.samples} == {"P34-96"}
    held = {rule.rule: rule.records for rule in evidence.held.rules}
    assert held["procedure_code_format"] == 1
    assert held["unit"] == 1, "a unit nobody knows may be anybody's"


def test_a_stated_figure_leads_to_its_one_record(house: Any) -> None:
    house.source("khai-bao", "declarations")
    figures = [("portal_has_dx_section", "declared", "0"), ("security_drills", "declared", "3")]
    house.land(
        "declarations",
        "khai-bao",
        [
            {
                "unit": "Đắk Lắk", "metric": metric, "basis": basis, "period_year": "2026", "stated_on": "2026-02-01",
                "value": value, "evidence_ref": "12/QĐ - 01/02/2026: Quyết định",
            }
            for metric, basis, value in figures
        ],
    )  # fmt: skip
    house.take_in("declarations")
    house.run()
    told = house.ask("2.1")
    (evidence,) = told.evidence
    assert (told.result.status, told.result.points) == ("scored", 0)
    assert [sample.key["metric"] for sample in evidence.samples] == ["portal_has_dx_section"]
    assert (evidence.facts_rows, evidence.records) == (1, 1), "a stated zero is a record, too"
    assert [batch.numerator_records for batch in evidence.batches] == [1]


def test_figures_held_back_explain_what_is_missing(house: Any) -> None:
    stated = {"unit": "Đắk Lắk", "basis": "declared", "period_year": "2026", "stated_on": "2026-02-01"}
    good = [
        {**stated, "metric": "security_drills", "value": str(n), "stated_on": f"2026-02-{n:02}"} for n in range(1, 9)
    ]
    house.land("declarations", "khai-bao", [*good, {**stated, "metric": "portal_has_dx_section", "value": "có"}])
    house.take_in("declarations")
    house.source("khai-bao", "declarations")
    house.run()
    told = house.ask("2.1")
    assert told.result.status == "missing"
    assert [p.source_id for p in told.providers if p.reported_before] == ["khai-bao"]
    (evidence,) = [each for each in told.evidence if each.source_id == "khai-bao"]
    assert [(rule.rule, rule.records, rule.undecided_records) for rule in evidence.held.rules] == [("type:value", 1, 1)]
    assert evidence.held.outside_records == 0
