"""``dti explain`` over a whole night of the sandbox: every number of a province, back to the landed record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from dti import flow
from dti.cli import app
from dti.errors import SourceError
from dti.explain import explain
from dti.settings import Settings
from dti.sources.spec import load_sources
from dti.warehouse.query import run_select
from tests.builders.agencies import Agencies

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NIGHT = date(2026, 6, 30)
FEEDS_ADDED_UP = ("online_services",)
"""Whose records each count one in a sum of days."""


def select(sql: str, settings: Settings) -> Iterator[dict[str, Any]]:
    columns, rows = run_select(sql, settings)
    return (dict(zip(columns, row, strict=True)) for row in rows)


def ask(*words: str) -> tuple[int, str, str]:
    """Exit code and both outputs of ``dti explain``."""
    done = CliRunner().invoke(app, ["explain", *words], env={"COLUMNS": "150"})
    return done.exit_code, done.stdout, done.stderr


def test_every_number_of_a_night(agencies: Agencies, warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in agencies.environment.items():
        monkeypatch.setenv(name, value)
    agencies.after(NIGHT, warehouse.home_dir)
    flow.prepare(warehouse)
    for feed in flow.feeds():
        for source in load_sources(feed):
            try:
                flow.extract(source.source, NIGHT, settings=warehouse)
            except SourceError:
                assert source.source == "dvc-ca-mau"
        flow.gate(feed, NIGHT, settings=warehouse)
        flow.load(feed, NIGHT, settings=warehouse)
    flow.compute(NIGHT, settings=warehouse)

    check_indicators(warehouse)
    check_pillars_and_composites(warehouse)
    check_what_a_person_sees()
    check_what_a_program_reads()
    check_what_is_not_there()


def check_indicators(settings: Settings) -> None:
    """All 98 of Đắk Lắk: figures of the marts, records that add up, samples that can be opened."""
    rows = list(select("select * from marts.latest_indicator_score where unit_id = 'P34-66'", settings))
    assert len(rows) == 98
    (landed,) = (settings.landing_dir / "online_services" / "dvc-dak-lak").glob("*/part-00000.parquet")
    people = set(pq.read_table(landed, columns=["applicant_ref"])["applicant_ref"].drop_null().to_pylist())
    assert len(people) > 100
    opened = 0
    for row in rows:
        told: Any = explain("Đắk Lắk", row["indicator_code"], settings=settings)
        code = row["indicator_code"]
        assert (told.result.status, told.basis) == (row["status"], row["basis"]), code
        assert (told.result.numerator, told.result.denominator) == (row["numerator"], row["denominator"]), code
        assert abs(told.result.points - row["points"]) < Decimal("1e-11"), code
        if told.result.status == "scored":
            assert told.evidence, code
            assert told.calculation.en.endswith(f"of {row['max_points']:g} points"), code
        for part in told.parts:
            if part.aggregation == "sum" and part.feed in FEEDS_ADDED_UP:
                records = sum(getattr(b, f"{part.part}_records") for e in told.evidence for b in e.batches)
                assert records == part.value, f"{code}: one record, one dossier"
            if part.value is not None and part.source_ids:
                assert part.facts_rows > 0, code
        for evidence in told.evidence:
            assert evidence.synthetic
            if evidence.records:
                assert evidence.batches, code
            for sample in evidence.samples:
                record = pq.read_table(settings.home_dir / sample.file).slice(sample.row, 1).to_pylist()[0]
                for name in sample.key.keys() & record.keys() - {"sampled_at"}:
                    assert record[name] == sample.key[name], (code, name)
                assert record["source_row"] == sample.source_row
                opened += 1
        assert not [person for person in people if person in told.model_dump_json()], code
    assert opened > 98
    fulfilled = {row["status"] for row in rows}
    assert fulfilled == {"scored", "missing"}, "the sandbox leaves some of Đắk Lắk unknown"


def check_pillars_and_composites(settings: Settings) -> None:
    with localcontext(prec=100):
        for unit in ("Đắk Lắk", "Cà Mau", "Hà Nội"):
            for row in select(f"select * from marts.latest_pillar_index where unit_name = '{unit}'", settings):
                pillar: Any = explain(unit, row["pillar_code"], settings=settings)
                assert pillar.sums.agrees
                assert pillar.result.index_value == row["index_value"]
                assert pillar.sums.points + pillar.sums.lost == pillar.result.max_points == pillar.sums.max_points
            for row in select(f"select * from marts.latest_composite_index where unit_name = '{unit}'", settings):
                composite: Any = explain(unit, row["composite_code"], settings=settings)
                assert composite.sums.agrees
                assert (composite.result.index_value, composite.result.rank_national) == (
                    row["index_value"],
                    row["rank_national"],
                )


def check_what_a_person_sees() -> None:
    code, shown, _ = ask("đắk lắk", "7.3")
    assert code == 0
    for words in (
        "Tỷ lệ hồ sơ nộp trực tuyến", "Dossiers filed online", "922/QĐ-BTTTT", "PROVISIONAL", "TẠM THỜI",
        "of 15 points", "trên 15 điểm", "target 50 %", "measured", "appraised", "declared", "dvc-dak-lak",
        "include/sql/metrics/online_services.sql", "Quarantined records", "part-00000.parquet", "SYNTHETIC",
        "another basis", "Estimate",
    ):  # fmt: skip
        assert words in shown, words

    code, shown, _ = ask("Cà Mau", "7.7")
    assert code == 0
    for words in ("missing", "thiếu", "dvc-ca-mau", "503", "Ask for", "Đề nghị cung cấp"):
        assert words in shown, words

    code, shown, _ = ask("P34-66", "CQS")
    assert code == 0
    for words in ("of 200 points", "most lost first", "tổng · sum", "✓", "7.19", "hạng / rank"):
        assert words in shown, words

    code, shown, _ = ask("Dak Lak", "pdti")
    assert code == 0
    for words in ("+0.001", "contribution", "trên / above", "✓", "SYNTHETIC"):
        assert words in shown, words


def check_what_a_program_reads() -> None:
    for asked in ("7.3", "CQS", "PDTI", "DTTM"):
        code, shown, _ = ask("Đắk Lắk", asked, "--json")
        assert code == 0
        told = json.loads(shown)
        assert told["unit"]["unit_id"] == "P34-66"
        assert told["run"]["synthetic"] is True


def check_what_is_not_there() -> None:
    for words, said in (
        (("Dak Lac", "7.3"), "nearest: Đắk Lắk"),
        (("Đắk Lắk", "7.33"), "nearest: 7.3"),
        (("Đắk Lắk", "7.3", "--run", "night-2026-06-29.922-2022.34"), "nearest: night-2026-06-30.922-2022.34"),
    ):
        code, shown, problem = ask(*words)
        assert (code, shown) == (1, "")
        assert said in problem
