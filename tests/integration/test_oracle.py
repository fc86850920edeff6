"""The marts against an independent calculation from the agencies' raw records, over two nights of changing dossiers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from dti import flow
from dti.errors import SourceError
from dti.settings import Settings
from dti.sources.spec import load_sources
from dti.warehouse.query import run_select
from tests.builders.agencies import Agencies
from tests.oracle import method, raw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EARLIER, NIGHT = date(2026, 6, 11), date(2026, 6, 30)
EXACT = Fraction(1, 10**9)


def run_night(night: date, agencies: Agencies, settings: Settings) -> list[str]:
    """One night of the library's own steps; the sources that failed."""
    agencies.after(night, settings.home_dir)
    failed = []
    flow.prepare(settings)
    for feed in flow.feeds():
        for source in load_sources(feed):
            try:
                flow.extract(source.source, night, settings=settings)
            except SourceError:
                failed.append(source.source)
        flow.gate(feed, night, settings=settings)
        flow.load(feed, night, settings=settings)
    flow.compute(night, settings=settings)
    return failed


def select(sql: str, settings: Settings) -> Iterator[dict[str, Any]]:
    columns, rows = run_select(sql, settings)
    return (dict(zip(columns, row, strict=True)) for row in rows)


def latest_metrics(settings: Settings) -> method.Metrics:
    """Every metric of the newest run that the method asks for, keyed as the oracle keys them."""
    asked = {row[side] for row in method.indicators() for side in ("numerator_metric", "denominator_metric")}
    sql = "select * from marts.metric_value where run_id = (select run_id from marts.latest_run)"
    return {
        (r["unit_id"], r["metric"], r["feed"], "measured" if r["basis"] == "calendar" else r["basis"]): Fraction(
            r["value"]
        )
        for r in select(sql, settings)
        if r["metric"] in asked
    }


def differences(found: method.Metrics, expected: method.Metrics) -> set[tuple[str, str, str, str]]:
    """Keys that one side lacks or whose values differ."""
    shared = found.keys() & expected.keys()
    return (found.keys() ^ expected.keys()) | {k for k in shared if abs(found[k] - expected[k]) > EXACT}


def test_two_nights_against_the_raw_records(
    agencies: Agencies, warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in agencies.environment.items():
        monkeypatch.setenv(name, value)
    assert run_night(EARLIER, agencies, warehouse) == ["dvc-ca-mau"]
    earlier = latest_metrics(warehouse)
    assert differences(earlier, raw.metrics(EARLIER)) == set()

    assert run_night(NIGHT, agencies, warehouse) == ["dvc-ca-mau"]
    metrics = raw.metrics(NIGHT, earlier=[EARLIER])
    assert len(differences(metrics, earlier)) > 400, "dossiers changed state between the nights"
    assert differences(latest_metrics(warehouse), metrics) == set()
    check_scores_and_ranks(metrics, warehouse)
    check_accounting(warehouse)


def check_scores_and_ranks(metrics: method.Metrics, settings: Settings) -> None:
    """Every score, index, rank and coverage of the newest run against the oracle's."""
    scores, pillars, composites = method.index(metrics)
    rows = list(select("select * from marts.latest_indicator_score", settings))
    assert len(rows) == len(scores) == 34 * 98
    for row in rows:
        expected = scores[row["unit_id"], row["indicator_code"]]
        assert (row["status"], row["basis"]) == (expected.status, expected.basis), row
        assert abs(Fraction(row["points"]) - expected.points) <= EXACT, row
        assert Fraction(row["max_points"]) == expected.max_points
    assert {row["status"] for row in rows} == {"scored", "missing", "undefined"}, "all three occur in the sandbox"

    for mart, key, oracle, count in (
        ("latest_pillar_index", "pillar_code", pillars, 34 * 8),
        ("latest_composite_index", "composite_code", composites, 34 * 4),
    ):
        rows = list(select(f"select * from marts.{mart}", settings))
        assert len(rows) == count
        for row in rows:
            expected = oracle[row[key]][row["unit_id"]]
            assert Fraction(row["index_value"]) == expected.value, row
            assert (row["rank_national"], row["rank_region"]) == (expected.rank_national, expected.rank_region), row
            assert abs(Fraction(row["index_unrounded"]) - expected.unrounded) <= EXACT, row
            assert abs(Fraction(row["coverage"]) - expected.coverage) <= EXACT, row


def check_accounting(settings: Settings) -> None:
    """Nothing is lost, and the dead agency and the stopped batch are shown as such."""
    fresh = {row["source_id"]: row for row in select("select * from marts.feed_freshness", settings)}
    assert fresh["dvc-ca-mau"]["status"] == "failed"
    assert "503" in fresh["dvc-ca-mau"]["detail"]
    assert fresh["kiem-ke-lam-dong"]["status"] == "stopped"
    assert {s for s, row in fresh.items() if row["status"] != "fresh"} == {"dvc-ca-mau", "kiem-ke-lam-dong"}
    for row in fresh.values():
        if row["rows_landed"] is not None:
            assert row["rows_landed"] == row["rows_loaded"] + row["rows_quarantined"], row
    assert all(row["synthetic"] for row in fresh.values())
