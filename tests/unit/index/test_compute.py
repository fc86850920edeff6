"""The index run as a whole: which facts count, when it is replaced, what it leaves when it fails."""

from __future__ import annotations

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dti.errors import MethodError, WarehouseError
from dti.index.run import compute
from dti.settings import Settings
from dti.warehouse.connect import engine

MARCH = date(2026, 3, 31)
TABLES = ("metric_value", "indicator_input", "indicator_score", "pillar_index", "composite_index")


def do(statement: str, settings: Settings, **bound: object) -> None:
    with engine(settings, "loader").begin() as connection:
        connection.execute(text(statement), bound)


def ask(query: str, settings: Settings, **bound: object) -> list[dict[str, Any]]:
    with engine(settings, "loader").connect() as connection:
        return [dict(row) for row in connection.execute(text(query), bound).mappings()]


def finish_dossiers(settings: Settings, day: str, unit: str = "P34-66", finished: int = 10, on_time: int = 5) -> None:
    do(
        "insert into facts.online_services values ('2026-01', cast(:day as date), :unit, 's1', 'p1',"
        " 0, 0, 0, 0, 0, 0, 0, 0, :finished, :on_time, 0, 0, 0)",
        settings, day=day, unit=unit, finished=finished, on_time=on_time,
    )  # fmt: skip


def state(settings: Settings, day: str, metric: str, value: object, year: int = 2026, unit: str = "P34-66") -> None:
    do(
        "insert into facts.declarations values ('2026-01', cast(:day as date), :unit, 's2', :year, :metric,"
        " 'declared', cast(:value as numeric), null)",
        settings, day=day, unit=unit, year=year, metric=metric, value=value,
    )  # fmt: skip


def indicator(settings: Settings, run_id: str, code: str, unit: str = "P34-66") -> dict[str, Any]:
    (row,) = ask(
        "select * from marts.indicator_score where run_id = :run and unit_id = :unit and indicator_code = :code",
        settings, run=run_id, unit=unit, code=code,
    )  # fmt: skip
    return row


def contents(settings: Settings) -> dict[str, list[str]]:
    """Every row of every score table, and the runs without their times."""
    runs = "select run_id, framework_hash, synthetic, status, period_to from score.run order by 1"
    found = {table: ask(f"select t::text as row from score.{table} as t order by 1", settings) for table in TABLES}
    return {name: [str(row) for row in rows] for name, rows in found.items()} | {
        "run": [str(r) for r in ask(runs, settings)]
    }


@pytest.fixture
def project(warehouse: Settings, tmp_path: Path) -> Settings:
    """Settings whose include folder is a copy that a test may break."""
    shutil.copytree(warehouse.include_dir, tmp_path / "project" / "include", ignore=shutil.ignore_patterns("sandbox"))
    return warehouse.model_copy(update={"project": tmp_path / "project"})


def test_a_run_knows_what_it_is(warehouse: Settings) -> None:
    run = compute(MARCH, "922-2022", settings=warehouse)
    assert run.run_id == "night-2026-03-31.922-2022.34"
    (row,) = ask("select * from marts.run", warehouse)
    assert (row["run_id"], row["kind"], row["as_of_date"], row["year"]) == (run.run_id, "night", MARCH, 2026)
    assert (row["period_from"], row["period_to"], row["geography"]) == (date(2026, 1, 1), MARCH, "34")
    assert (row["framework_id"], row["framework_hash"]) == ("922-2022", run.framework_hash)
    assert (row["framework_in_force"], row["units_count"]) == (False, 34)
    assert row["started_at"] <= row["finished_at"]


def test_units_without_a_single_fact_are_there_with_nothing_known(warehouse: Settings) -> None:
    compute(MARCH, "922-2022", settings=warehouse)
    pillars = ask("select * from marts.latest_pillar_index", warehouse)
    wholes = ask("select * from marts.latest_composite_index", warehouse)
    assert (len(pillars), len(wholes)) == (34 * 8, 34 * 4)
    assert {(row["index_value"], row["coverage"], row["rank_national"]) for row in pillars + wholes} == {(0, 0, 1)}
    assert {row["pillar_code"] for row in pillars} == {"NT", "TC", "HT", "NL", "AT", "CQS", "KTS", "XHS"}
    scores = ask("select status, basis, count(*) from marts.latest_indicator_score group by 1, 2", warehouse)
    assert scores == [{"status": "missing", "basis": None, "count": 34 * 98}]


@pytest.mark.parametrize(
    ("as_of", "geography", "units"), [("2022-12-31", "63", 63), ("2025-06-30", "63", 63), ("2025-07-01", "34", 34)]
)
def test_the_geography_is_the_one_in_force_on_the_day(
    warehouse: Settings, as_of: str, geography: str, units: int
) -> None:
    run = compute(date.fromisoformat(as_of), "922-2022", settings=warehouse)
    assert run.geography == geography
    assert run.framework_in_force == (as_of[:4] == "2022")
    assert ask("select distinct geography, units_count from marts.run", warehouse) == [
        {"geography": geography, "units_count": units}
    ]


def test_either_geography_may_be_asked_for_and_counts_only_its_own_units(warehouse: Settings) -> None:
    finish_dossiers(warehouse, "2025-05-01", unit="P63-66", finished=10, on_time=10)
    finish_dossiers(warehouse, "2025-08-01", unit="P34-66", finished=10, on_time=5)
    new = compute(date(2025, 12, 31), "922-2022", geography="34", merge_method="none", settings=warehouse)
    old = compute(date(2025, 6, 30), "922-2022", geography="63", settings=warehouse)
    assert indicator(warehouse, new.run_id, "7.5")["value"] == Decimal("0.5")
    assert indicator(warehouse, old.run_id, "7.5", unit="P63-66")["value"] == 1
    assert ask("select distinct left(unit_id, 3) as g, run_id from score.indicator_score order by 1", warehouse) == [
        {"g": "P34", "run_id": new.run_id},
        {"g": "P63", "run_id": old.run_id},
    ]


def test_nothing_after_the_day_counts_and_nothing_of_last_year(warehouse: Settings) -> None:
    finish_dossiers(warehouse, "2025-12-31", finished=1000, on_time=1000)
    finish_dossiers(warehouse, "2026-01-01", finished=6, on_time=3)
    finish_dossiers(warehouse, "2026-03-31", finished=4, on_time=1)
    finish_dossiers(warehouse, "2026-04-01", finished=1000, on_time=1000)
    state(warehouse, "2026-03-31", "security_drills", 1)
    state(warehouse, "2026-04-01", "security_drills", 2)
    run = compute(MARCH, "922-2022", settings=warehouse)
    row = indicator(warehouse, run.run_id, "7.5")
    assert (row["numerator"], row["denominator"], row["points"]) == (4, 10, 6)
    assert indicator(warehouse, run.run_id, "5.8")["points"] == Decimal("2.5")
    april = compute(date(2026, 4, 1), "922-2022", settings=warehouse)
    assert indicator(warehouse, april.run_id, "7.5")["denominator"] == 1010
    again = compute(MARCH, "922-2022", settings=warehouse)
    assert indicator(warehouse, again.run_id, "7.5") == row, "a past night gives the same also when more is known"


def test_a_whole_component_from_facts_to_mart(warehouse: Settings) -> None:
    state(warehouse, "2026-03-01", "dx_broadcasts", 6)
    run = compute(date(2026, 2, 28), "922-2022", settings=warehouse)
    assert indicator(warehouse, run.run_id, "1.5")["status"] == "missing"
    run = compute(MARCH, "922-2022", settings=warehouse)
    row = indicator(warehouse, run.run_id, "1.5")
    shown = ("basis", "numerator", "denominator_basis", "denominator", "value", "target", "points", "provenance")
    assert [row[name] for name in shown] == ["declared", 6, "calendar", 3, 2, 4, 5, "provisional"]
    (pillar,) = ask(
        "select * from marts.latest_pillar_index where unit_id = 'P34-66' and pillar_code = 'NT'", warehouse
    )
    assert (pillar["points"], pillar["max_points"]) == (5, 100)
    assert (str(pillar["index_value"]), pillar["coverage"], pillar["rank_national"]) == ("0.0500", Decimal("0.1"), 1)
    (whole,) = ask(
        "select * from marts.latest_composite_index where unit_id = 'P34-66' and composite_code = 'KINH_TE_SO'",
        warehouse,
    )
    assert str(whole["index_value"]) == "0.0077", "5 of 650 points"
    (value,) = ask("select * from marts.metric_value where unit_id = 'P34-66' and metric = 'dx_broadcasts'", warehouse)
    assert (value["value"], value["source_ids"], value["last_day"]) == (6, ["s2"], date(2026, 3, 1))


def test_declared_figures_stand_in_only_where_nothing_was_measured(warehouse: Settings) -> None:
    state(warehouse, "2026-03-01", "dossiers_on_time", 90)
    state(warehouse, "2026-03-01", "dossiers_finished", 100)
    run = compute(MARCH, "922-2022", settings=warehouse)
    assert indicator(warehouse, run.run_id, "7.5")["basis"] == "declared"
    finish_dossiers(warehouse, "2026-03-01", finished=10, on_time=0)
    compute(MARCH, "922-2022", settings=warehouse)
    row = indicator(warehouse, run.run_id, "7.5")
    assert (row["basis"], row["denominator_basis"], row["points"], row["status"]) == (
        "measured",
        "measured",
        0,
        "scored",
    )


def test_computing_again_replaces_the_run_and_gives_the_same(warehouse: Settings) -> None:
    finish_dossiers(warehouse, "2026-03-01")
    state(warehouse, "2026-03-01", "security_drills", 1)
    compute(MARCH, "922-2022", settings=warehouse)
    first = contents(warehouse)
    assert all(first.values())
    compute(MARCH, "922-2022", settings=warehouse)
    assert contents(warehouse) == first
    do("delete from facts.online_services", warehouse)
    run = compute(MARCH, "922-2022", settings=warehouse)
    assert indicator(warehouse, run.run_id, "7.5")["status"] == "missing", "nothing of the old run is left"


def test_a_failing_run_leaves_the_old_one_whole(warehouse: Settings, project: Settings) -> None:
    finish_dossiers(warehouse, "2026-03-01")
    compute(MARCH, "922-2022", settings=project)
    before = contents(warehouse)
    times = ask("select started_at, finished_at from score.run", warehouse)
    finish_dossiers(warehouse, "2026-03-02", on_time=10)
    last = project.include_dir / "sql" / "index" / "50_run.sql"
    last.write_text("select 1 / (select 0 from score.composite_index limit 1)", "utf-8")
    with pytest.raises(WarehouseError, match="division by zero") as caught:
        compute(MARCH, "922-2022", settings=project)
    assert caught.value.where == "night run of 2026-03-31"
    assert contents(warehouse) == before
    assert ask("select started_at, finished_at from score.run", warehouse) == times


def test_a_framework_that_would_make_a_wrong_index_is_refused(warehouse: Settings, project: Settings) -> None:
    file = project.include_dir / "frameworks" / "922-2022" / "indicators.csv"
    file.write_text(file.read_text("utf-8").replace(",directives_total,", ",,", 1), "utf-8")
    with pytest.raises(MethodError, match="rule ratio needs a denominator") as caught:
        compute(MARCH, "922-2022", settings=project)
    assert caught.value.where.endswith("indicators.csv:4")
    assert ask("select count(*) from method.framework", warehouse) == [{"count": 0}]


def test_an_edited_framework_replaces_the_run_and_is_told_apart_by_its_hash(
    warehouse: Settings, project: Settings
) -> None:
    old = compute(MARCH, "922-2022", settings=project)
    file = project.include_dir / "frameworks" / "922-2022" / "framework.yml"
    file.write_text(file.read_text("utf-8").replace("decimals: 4", "decimals: 3", 1), "utf-8")
    new = compute(MARCH, "922-2022", settings=project)
    assert new.run_id == old.run_id
    assert new.framework_hash != old.framework_hash
    assert ask("select framework_hash from marts.run", warehouse) == [{"framework_hash": new.framework_hash}]
    assert ask("select count(*) from method.framework", warehouse) == [{"count": 2}]


def test_the_same_run_twice_at_once_is_one_run(warehouse: Settings) -> None:
    finish_dossiers(warehouse, "2026-03-01")
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: compute(MARCH, "922-2022", settings=warehouse), range(3)))
    assert len({run.run_id for run in runs}) == 1
    assert len(ask("select 1 from marts.run", warehouse)) == 1
    assert len(ask("select 1 from marts.latest_composite_index", warehouse)) == 34 * 4


def test_a_feed_that_is_loaded_meanwhile_is_seen_whole_or_not_at_all(warehouse: Settings, project: Settings) -> None:
    """The calendar, first of the metric files, is held up until dossiers have been loaded behind its back."""
    calendar = project.include_dir / "sql" / "metrics" / "calendar.sql"
    slow = calendar.read_text("utf-8").replace("from unit", "from (select pg_sleep(1)) as held_up, unit")
    assert "held_up" in slow
    calendar.write_text(slow, "utf-8")
    thread = threading.Thread(target=compute, args=(MARCH, "922-2022"), kwargs={"settings": project})
    thread.start()
    holding = "select 1 from pg_stat_activity where query like '%pg_sleep(1)%' and pid <> pg_backend_pid()"
    while thread.is_alive() and not ask(holding, warehouse):
        time.sleep(0.02)
    finish_dossiers(warehouse, "2026-03-01")
    thread.join()
    assert indicator(warehouse, "night-2026-03-31.922-2022.34", "7.5")["status"] == "missing"


def test_the_latest_run_is_that_of_the_newest_night(warehouse: Settings) -> None:
    compute(date(2026, 3, 30), "922-2022", settings=warehouse)
    newest = compute(MARCH, "922-2022", settings=warehouse)
    compute(date(2026, 4, 15), "922-2022", kind="trial", settings=warehouse)
    compute(date(2026, 3, 30), "922-2022", settings=warehouse)
    assert [row["run_id"] for row in ask("select run_id from marts.latest_run", warehouse)] == [newest.run_id]
    for view in ("latest_pillar_index", "latest_composite_index", "latest_indicator_score"):
        assert ask(f"select distinct run_id from marts.{view}", warehouse) == [{"run_id": newest.run_id}]


def test_synthetic_sources_are_told_on_every_row(warehouse: Settings) -> None:
    finish_dossiers(warehouse, "2026-03-01")
    do("insert into ops.source values ('s1', 'online_services', 'a', 'o', 'l', false, 'p', true, 1)", warehouse)
    views = ("run", "latest_pillar_index", "latest_composite_index", "latest_indicator_score")
    for synthetic in (False, True):
        do("update ops.source set synthetic = :synthetic", warehouse, synthetic=synthetic)
        compute(MARCH, "922-2022", settings=warehouse)
        for view in views:
            assert ask(f"select distinct synthetic from marts.{view}", warehouse) == [{"synthetic": synthetic}], view


CONTRACT = {
    "pillar_index": "run_id as_of_date year framework_id geography unit_id unit_name region_code pillar_code points"
    " max_points index_value coverage rank_national rank_region",
    "composite_index": "run_id as_of_date year framework_id geography unit_id unit_name region_code composite_code"
    " index_value rank_national rank_region coverage",
    "indicator_score": "run_id unit_id indicator_code pillar_code basis numerator denominator value points max_points"
    " status provenance",
    "run": "run_id kind as_of_date year framework_id framework_hash geography framework_in_force synthetic started_at"
    " finished_at units_count",
}


def test_the_analyst_reads_the_marts_with_the_columns_of_the_contract(warehouse: Settings) -> None:
    compute(MARCH, "922-2022", settings=warehouse)
    with engine(warehouse, "analyst").connect() as connection:
        for view, columns in CONTRACT.items():
            row = connection.execute(text(f"select {', '.join(columns.split())} from marts.{view} limit 1")).one()
            assert len(row) == len(columns.split())
        for view in ("latest_pillar_index", "latest_composite_index", "latest_indicator_score", "metric_value"):
            assert connection.execute(text(f"select * from marts.{view} limit 1")).first() is not None
