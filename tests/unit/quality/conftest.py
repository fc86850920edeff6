"""A warehouse in one open transaction, into which a test puts sources, batches and facts, and asks rules about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from dti.clock import day_end, day_start
from dti.quality.judging import Finding, judge
from dti.quality.rules import Folder, Rule, folder, load_rules
from dti.settings import Settings
from dti.warehouse.connect import engine

NIGHT = date(2026, 6, 30)


class World:
    """Everything is rolled back when the test ends."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self.connection, self.settings = connection, settings
        self.rules = {rule.rule: rule for rule in load_rules(settings)}
        self.folder: Folder = folder(settings)

    def source(self, source_id: str, feed: str, **changes: Any) -> None:
        """A source that is pulled."""
        plain = {"agency": "a", "owner": "o", "licence": "l", "pool": "p", "synthetic": True, "enabled": True}
        self._insert(
            "ops.source", {"source_id": source_id, "feed": feed, "freshness_limit_hours": 36, **plain, **changes}
        )

    def batch(self, source_id: str, feed: str, night: date = NIGHT, rows: int = 10, **changes: Any) -> None:
        """A batch of ``night`` that passed, of ``rows`` records."""
        started: datetime = changes.pop("started_at", day_end(night) + timedelta(hours=1))
        plain = {
            "batch_id": f"{source_id}.{night}.{started.isoformat()}", "feed": feed, "source_id": source_id,
            "night": night, "since": day_start(night), "until": day_end(night), "outcome": "landed",
            "status": "passed", "rows_landed": rows, "rows_loaded": rows, "rows_quarantined": 0, "requests_count": 1,
            "retries_count": 0, "passes_count": 1, "bytes_received": 1, "warnings": "[]", "unmapped_fields": "[]",
            "source_files": "[]", "sha256": "s", "source_hash": "s", "contract_hash": "c", "synthetic": True,
            "started_at": started, "finished_at": started,
        }  # fmt: skip
        self._insert("ops.batch", plain | changes)

    def nights(self, source_id: str, feed: str, count: int, rows: int = 10) -> None:
        """A source that delivered ``count`` nights up to the night, and was asked for all of the year."""
        self.source(source_id, feed)
        for back in range(count):
            since = {"since": day_start(date(2026, 1, 1))} if back == count - 1 else {}
            self.batch(source_id, feed, NIGHT - timedelta(days=back), rows, **since)

    def fact(self, feed: str, day: date = NIGHT, unit: str = "P34-66", source: str = "s", **values: Any) -> None:
        """One row of facts; counts that are not given are 0."""
        known = self.connection.execute(
            text(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = 'facts' and table_name = :feed and is_nullable = 'NO'"
            ),
            {"feed": feed},
        ).all()
        plain: dict[str, Any] = {name: "x" if kind == "text" else 0 for name, kind in known}
        own = {"partition_key": f"{day:%Y-%m}", "day": day, "unit_id": unit, "source_id": source}
        self._insert(f"facts.{feed}", plain | own | values)

    def lay(self, name: str, columns: str, *rows: tuple[Any, ...]) -> None:
        """A table of the lake, as the runner lays it."""
        self.connection.execute(text(f"create temp table {name} ({columns}) on commit drop"))
        for row in rows:
            names = [f"v{number}" for number in range(len(row))]
            values = ", ".join(f":{each}" for each in names)
            self.connection.execute(text(f"insert into {name} values ({values})"), dict(zip(names, row, strict=True)))

    def findings(self, rule: str, night: date = NIGHT, run_id: str | None = None, **changes: Any) -> list[Finding]:
        """What the rule says, with other parameters where ``changes`` name them."""
        asked: Rule = self.rules[rule]
        asked = asked.model_copy(update={"parameters": asked.parameters | changes})
        known = {"night": night, "night_end": day_end(night), "run_id": run_id}
        return judge(self.connection, asked, known, self.folder)

    def one(self, rule: str, **given: Any) -> Finding:
        """The one finding of a rule that speaks of one thing."""
        (found,) = self.findings(rule, **given)
        return found

    def say(self, statement: str, **known: Any) -> None:
        """Any statement."""
        self.connection.execute(text(statement), known)

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        self.connection.execute(text(f"insert into {table} ({names}) values ({values})"), row)


@pytest.fixture
def world(warehouse: Settings) -> Iterator[World]:
    """An empty warehouse."""
    with engine(warehouse, "loader").connect() as connection:
        yield World(connection, warehouse)
        connection.rollback()
