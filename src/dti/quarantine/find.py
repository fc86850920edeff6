"""Held-back rows, as the loader sees them: with their records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import class_row

from dti.settings import Settings
from dti.warehouse import connect

OPEN = ("held",)
"""What waits for somebody: neither released, nor sent again in good order, nor held back again since."""
EVERY = ("held", "repeated", "resubmitted", "released")
_COLUMNS = (
    "night", "feed", "source_id", "agency", "batch_id", "row_number", "rows_count", "source_row", "key_text", "rule",
    "rules", "severity", "reason", "record", "status", "status_batch_id",
)  # fmt: skip
_FAILED = """
    coalesce(
        (
            SELECT json_object_agg(q.rule, q.failed_count ORDER BY q.failed_count DESC, q.rule)
            FROM marts.quality_result AS q
            WHERE r.row_number < 0 AND q.batch_id = r.batch_id AND q.severity = 'warning' AND NOT q.passed
        ),
        '{}'
    ) AS failed_counts
"""


@dataclass(frozen=True)
class HeldRow:
    """One record that was held back (``row_number`` -1: a whole batch), and what became of it."""

    night: date
    feed: str
    source_id: str
    agency: str
    batch_id: str
    row_number: int
    rows_count: int
    source_row: str
    key_text: str
    rule: str
    rules: list[str]
    severity: str
    reason: str
    record: dict[str, str | None]
    status: str
    status_batch_id: str | None
    failed_counts: dict[str, int] = field(default_factory=dict)
    """Of a batch that was stopped: rule → how many of its rows broke it, most first."""

    @property
    def is_batch(self) -> bool:
        """Whether it stands for every row of a batch that was stopped."""
        return self.row_number < 0


@dataclass(frozen=True)
class Wanted:
    """Which held rows; what is None does not narrow it."""

    source_id: str | None = None
    feed: str | None = None
    since: date | None = None
    rule: str | None = None
    batch_id: str | None = None
    statuses: tuple[str, ...] = OPEN


def held_rows(wanted: Wanted, *, settings: Settings) -> Iterator[HeldRow]:
    """These rows as a stream, by feed, source, night, batch and place in it. Raises WarehouseError."""
    conditions = {
        "source_id = %(source_id)s": wanted.source_id,
        "feed = %(feed)s": wanted.feed,
        "night >= %(since)s": wanted.since,
        "%(rule)s = ANY (rules)": wanted.rule,
        "batch_id = %(batch_id)s": wanted.batch_id,
    }
    where = " AND ".join(["status = ANY (%(statuses)s)", *(c for c, value in conditions.items() if value is not None)])
    given: dict[str, Any] = {**wanted.__dict__, "statuses": list(wanted.statuses)}
    query = (
        f"SELECT {', '.join(_COLUMNS)}, {_FAILED} FROM marts.quarantine_record AS r WHERE {where}"  # noqa: S608 - of names written here
        " ORDER BY feed, source_id, night, batch_id, row_number"
    )
    with closing(connect.connect(settings, "loader")) as connection:
        cursor: psycopg.ServerCursor[HeldRow] = connection.cursor("held", row_factory=class_row(HeldRow))
        cursor.execute(query.encode(), given)
        yield from cursor
