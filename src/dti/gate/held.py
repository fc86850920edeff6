"""What batch-scope rules need of every row of a batch, held beside the parts as they pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from dti.gate.casts import identifier, literal
from dti.gate.engine import Outcome, check
from dti.gate.schema import ROW_NUMBER
from dti.gate.suite import Expectation

MEMORY_LIMIT = "1GB"  # beyond it DuckDB spills to disk

UNIQUENESS = frozenset({"expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"})


class Held:
    """Row numbers of a whole batch, with the columns its batch-scope rules look at, and no others."""

    def __init__(self, schema: pa.Schema, spill: Path) -> None:
        self._db = duckdb.connect()
        self._db.execute(f"SET memory_limit = {literal(MEMORY_LIMIT)}")
        self._db.execute(f"SET temp_directory = {literal(str(spill))}")
        self._db.execute("SET enable_progress_bar = false")
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.from_arrow(schema.empty_table()).create("held")

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, rows: pa.Table) -> None:
        """Hold the rows of one part."""
        self._db.from_arrow(rows).insert_into("held")

    def check(self, rules: Sequence[Expectation], parameters: dict[str, Any]) -> list[Outcome]:
        """As ``engine.check``, over every row held; failing rows come in ascending order."""
        others = [rule for rule in rules if rule.type not in UNIQUENESS]
        found = {outcome.rule: outcome for outcome in self._check(others, parameters)}
        return [found.get(rule.rule) or self._check_keys(rule, parameters) for rule in rules]

    def _check(self, rules: Sequence[Expectation], parameters: dict[str, Any]) -> list[Outcome]:
        if not rules:
            return []
        columns = dict.fromkeys(column for rule in rules for column in rule.columns)
        listed = ", ".join([ROW_NUMBER, *map(identifier, columns)])
        rows = self._db.sql(f"SELECT {listed} FROM held ORDER BY {ROW_NUMBER}").to_arrow_table()
        return check(rows, rules, parameters)

    def _check_keys(self, rule: Expectation, parameters: dict[str, Any]) -> Outcome:
        """A key that stands alone cannot be a duplicate, so GX is shown the others only: if there are any."""
        columns = ", ".join([ROW_NUMBER, *map(identifier, rule.columns)])
        key = ", ".join(map(identifier, rule.columns))
        whole = " AND ".join(f"{identifier(c)} IS NOT NULL" for c in rule.columns)
        rows = self._db.sql(f"""
            WITH repeated AS (SELECT {key} FROM held WHERE {whole} GROUP BY {key} HAVING count(*) > 1)
            SELECT {columns} FROM held SEMI JOIN repeated USING ({key}) ORDER BY {ROW_NUMBER}
        """).to_arrow_table()
        judged = int(self._db.sql(f"SELECT count(*) FROM held WHERE {whole}").fetchall()[0][0])
        if not rows.num_rows:
            return Outcome(rule.rule, True, judged, [], "")
        return replace(check(rows, [rule], parameters)[0], checked_count=judged)
