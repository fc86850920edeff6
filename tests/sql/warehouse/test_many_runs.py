"""On a warehouse with many runs, marts that are asked for the newest night or one run read that run alone."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest
from psycopg import sql

from dti.index.run import compute
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.statistics import SCORES, analyze_scores

RUNS = 24
"""So many that no plan would rather read a whole table to find the two newest."""
BIG = [table for table in SCORES if table not in ("run", "run_input", "correction")]
READ = """
    SELECT relname, seq_scan FROM pg_stat_xact_user_tables
    WHERE schemaname = 'score' AND relname = ANY (%s) AND seq_tup_read > 0
"""
"""Tables read from end to end in this transaction, also inside functions."""


def repeat(driver: psycopg.Connection, run_id: str) -> None:
    """The run once more for each of RUNS nights before it, with all its rows."""
    for table in sorted(SCORES, key=lambda name: name != "run"):
        columns = [
            name
            for (name,) in driver.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum",
                [f"score.{table}"],
            )
        ]
        changed = {"run_id": "run_id || '.' || n", "as_of_date": "as_of_date - n", "period_to": "period_to - n"}
        given = sql.SQL(", ").join(sql.SQL(changed.get(name, name)) for name in columns)  # type: ignore[arg-type]
        driver.execute(
            sql.SQL("INSERT INTO score.{0} SELECT {1} FROM score.{0}, generate_series(1, {2}) AS n WHERE run_id = {3}")
            .format(sql.Identifier(table), given, sql.Literal(RUNS), sql.Literal(run_id))
        )  # fmt: skip


@pytest.fixture
def many_runs(warehouse: Settings) -> tuple[Settings, str]:
    run = compute(date(2026, 3, 31), "922-2022", settings=warehouse)
    with connect.connect(warehouse, "owner") as driver:
        repeat(driver, run.run_id)
    analyze_scores(warehouse)
    return warehouse, run.run_id


def test_no_mart_reads_all_runs_to_show_one(many_runs: tuple[Settings, str]) -> None:
    settings, run_id = many_runs
    asked: dict[str, int] = {}
    with connect.connect(settings, "owner") as driver:
        driver.execute("SET max_parallel_workers_per_gather = 0")  # what workers read is counted elsewhere
        marts = driver.execute(
            """
            SELECT c.relname, bool_or(a.attname = 'run_id') FROM pg_class AS c
            JOIN pg_attribute AS a ON a.attrelid = c.oid
            WHERE c.relnamespace = 'marts'::regnamespace AND c.relkind = 'v' GROUP BY c.relname
            """
        ).fetchall()
        for mart, by_run in marts:
            driver.commit()
            where = sql.SQL("WHERE run_id = {}").format(run_id) if by_run and "latest" not in mart else sql.SQL("")
            query = sql.SQL("SELECT count(*) FROM (SELECT * FROM {} {} OFFSET 0) AS it")
            (asked[mart],) = driver.execute(query.format(sql.Identifier("marts", mart), where)).fetchone() or (0,)
            assert driver.execute(READ, [BIG]).fetchall() == [], f"{mart} reads every run"
            (scans,) = driver.execute(
                "SELECT max(seq_scan) FROM pg_stat_xact_user_tables WHERE relid = 'score.run'::regclass"
            ).fetchone() or (0,)
            assert (scans or 0) < 100, f"{mart} looks for its run again and again"
    assert asked["latest_indicator_score"] == asked["indicator_score"] == 98 * 34
    assert asked["latest_rank_contribution"] > asked["latest_rank_change"] > 0


def test_the_planner_knows_what_a_run_wrote(warehouse: Settings) -> None:
    compute(date(2026, 3, 31), "922-2022", settings=warehouse)
    with connect.connect(warehouse, "owner") as driver:
        (known,) = driver.execute("SELECT reltuples FROM pg_class WHERE oid = 'score.indicator_score'::regclass")
    assert known == (98 * 34,)
