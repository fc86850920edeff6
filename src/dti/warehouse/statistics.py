"""What the planner knows of tables: told after a load and after an index run, so that it need not guess."""

from __future__ import annotations

import psycopg
from psycopg import sql

from dti.settings import Settings
from dti.warehouse import connect

SCORES = (
    "composite_index",
    "correction",
    "indicator_input",
    "indicator_score",
    "metric_part",
    "metric_value",
    "pillar_index",
    "run",
    "run_input",
)
"""Tables of schema score that an index run writes."""


def analyze_scores(settings: Settings) -> None:
    """Gather statistics of what an index run wrote. A table that another session is just at is left to it."""
    with connect.connect(settings, "loader") as driver:
        driver.autocommit = True
        tables = sql.SQL(", ").join(sql.Identifier("score", name) for name in SCORES)
        driver.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(tables))


def analyze_facts(driver: psycopg.Connection, feed: str) -> None:
    """Tell the planner what the keys of a feed's facts hold, in every partition; ``driver`` commits by itself.

    Figures are only ever summed: looking at two dozen of them would cost three times as much, and serve no plan.
    """
    query = """
        SELECT a.attname
        FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = to_regclass(%s) AND i.indisprimary ORDER BY a.attnum
    """
    keys = [sql.Identifier(name) for (name,) in driver.execute(query, [f"facts.{feed}"]).fetchall()]
    table = sql.SQL("{} ({})").format(sql.Identifier("facts", feed), sql.SQL(", ").join(keys))
    driver.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(table))
