"""Every benchmark at a toy size: it runs, and its contenders give the same answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from types import SimpleNamespace

import pytest

from benchmarks import extract, index, load, made_lake, measuring, merge, night_share, parse, rollup
from dti.index.framework import load_framework
from dti.warehouse import connect


def answers(contenders: measuring.Contenders, names: list[str], given: measuring.Given) -> dict[str, object]:
    return {name: contenders[name]({"check": True, "round": 0, **given})() for name in names}


@pytest.fixture
def _without_lake(warehouse):
    """The benchmark's own schema does not stay in a warehouse that other tests look at."""
    yield
    with connect.connect(warehouse, "owner") as driver:
        driver.execute("drop schema if exists bench cascade")


@pytest.mark.usefixtures("_without_lake")
def test_all_ways_to_roll_up_give_the_same_facts(warehouse, tmp_path):
    files = made_lake.write(1_200, tmp_path / "lake", warehouse)
    assert rollup.load_postgresql(files) > 0
    found = answers(
        rollup.CONTENDERS,
        ["dti.rollup", "DuckDB", "pandas", "PostgreSQL"],
        {"files": files, "home": str(warehouse.home_dir)},
    )
    measuring.agree(found)
    assert int(found["DuckDB"][0]) > 1_200  # a dossier is counted when it comes, and when it is finished


@pytest.mark.parametrize("case", ["first", "again", "changed"])
def test_all_ways_to_load_leave_the_same_table(warehouse, tmp_path, case):
    load.deliver()
    before, after = str(tmp_path / "before.parquet"), str(tmp_path / "after.parquet")
    load.make_facts(500, before)
    load.make_facts(500, after, changed=1)
    given = {"case": case, "before": before, "facts": after if case == "changed" else before}
    found = answers(load.CONTENDERS, list(load.CONTENDERS), given)
    measuring.agree(found)
    assert found["load_feed"][0] == 500


def test_a_merged_night_is_what_rewriting_the_months_gives(settings):
    merge.make_year(1_200)
    given = {"year_rows": 1_200, "night_rows": 40, "spread": "recent"}
    found = answers(merge.CONTENDERS, list(merge.CONTENDERS), given)
    measuring.agree(found)
    assert int(found["lake.merge"][0]) == 1_200 + 40 // merge.NEW


def test_extraction_lands_the_records_that_a_loop_writes(settings, monkeypatch):
    with extract.portal(300, {"DTI_HOME": str(settings.home_dir)}) as address:
        monkeypatch.setenv("DTI_BENCHMARK_URL", address)
        given = {"env": {"DTI_HOME": str(settings.home_dir)}}
        found = answers(extract.CONTENDERS, ["dti extract", extract.FLOOR], given)
    measuring.agree(found)
    assert found["dti extract"][0] == "300"


def test_the_index_run_scores_every_made_up_commune(warehouse):
    asked = SimpleNamespace(communes=96)
    label, given = index.communes(asked, warehouse.home_dir)
    indicators = len(load_framework(index.COMMUNES, settings=warehouse).indicators)
    assert label.startswith("96 communes")
    assert answers(index.CONTENDERS, ["index run"], given) == {"index run": 96 * indicators}


def test_a_parsed_dag_file_holds_a_dag(settings):
    """In a process of its own, as every round of every benchmark is: this one imports Airflow."""
    given = {"path": str(parse.DAGS / "annual_calendar.py"), "check": True}
    environment = {**os.environ, "AIRFLOW_HOME": str(settings.home_dir / "airflow")}
    command = [sys.executable, "-m", "benchmarks.parse", measuring.CHILD, "annual_calendar", json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["answer"] == 1
    assert figures["startup_seconds"] > figures["seconds"] > 0
    assert figures["peak_mib"] > 10


def test_what_a_night_spends_is_told_by_kind_of_task():
    def task(name: str, scheduled: int, start: int, end: int) -> dict[str, object]:
        moments = {"scheduled_when": scheduled, "start_date": start, "end_date": end}
        told = {key: f"2026-07-01T00:00:{second:02}+00:00" for key, second in moments.items()}
        return {"task_id": name, "dag_id": "ingest_staffing", "state": "success", **told}

    night = [task("agency.extract", 0, 2, 6), task("agency.extract", 0, 3, 5), task("gate", 6, 7, 17)]
    lines, figures = night_share.table([night], [{"extract": [1.0, 0.5], "gate staffing": [4.0]}])
    assert figures["tasks"]["extract"] == {"tasks": 2, "waits": 5, "runs": 6, "work": 1.5, "startup": 4.5}
    assert figures["tasks"]["gate staffing"] == {"tasks": 1, "waits": 1, "runs": 10, "work": 4, "startup": 6}
    assert figures["night_seconds"] == 17
    assert "| extract | 2 | 5.0 | 6.0 | 1.5 | 4.5 | 50% |" in lines


def test_answers_that_differ_end_a_benchmark():
    with pytest.raises(SystemExit, match="not the same answer"):
        measuring.agree({"a": [1, "x"], "b": [2, "x"]})


def test_the_made_up_year_has_the_columns_of_the_lake(settings):
    import duckdb

    found = duckdb.sql(made_lake.typed(made_lake.month_sql(0, 1_200), settings))
    assert found.columns == list(made_lake.columns(settings))
    assert found.count("*").fetchall() == [(100,)]
    assert found.aggregate("min(opened_on), max(opened_on)").fetchall()[0][0] == date(made_lake.YEAR, 1, 1)
