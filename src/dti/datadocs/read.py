"""What a page tells: batches and results as the warehouse has them, rules in the words of the suite."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from dti.errors import ConfigError
from dti.gate.suite import load_suite
from dti.settings import Settings

_BATCHES = """
    select b.batch_id, b.source_id, s.agency, b.synthetic, b.status, b.rows_landed, b.rows_loaded, b.rows_quarantined,
        b.released_from, b.released_by, b.release_reason, b.fault_kind, b.finished_at,
        (select q.rules from ops.quarantine as q where q.batch_id = b.batch_id and q.row_number < 0) as stopped_by
    from ops.batch as b left join ops.source as s using (source_id)
    where b.feed = :feed and b.night = :night
    order by b.source_id, b.started_at, b.batch_id
"""
_RESULTS = """
    select batch_id, rule, severity, is_waived, passed, checked_count, failed_count, failing_since
    from marts.quality_result where feed = :feed and night = :night
    order by batch_id, passed, failed_count desc, rule
"""
_BUILT_IN = {
    "unit": ("The unit is none that is known on the row's day", "Không nhận ra đơn vị hành chính vào ngày của bản ghi"),
    "type": ("A value of this column cannot be read", "Giá trị của cột này không đọc được"),
    "required": ("This column is empty and may not be", "Cột bắt buộc này bị để trống"),
}


@dataclass(frozen=True)
class Batch:
    """One batch, its counts, and how it fared under every rule. Nothing of what its rows say."""

    row: dict[str, Any]
    results: list[dict[str, Any]]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The rules that rows of it broke, the worst first."""
        return [result for result in self.results if not result["passed"]]


def batches_of(connection: Connection, feed: str, night: date, settings: Settings) -> list[Batch]:
    """The batches of a feed and night, by source and time."""
    given, words = {"feed": feed, "night": night}, _words(feed, settings)
    results: dict[str, list[dict[str, Any]]] = {}
    for result in connection.execute(text(_RESULTS), given).mappings():
        reason, reason_vi = words.get(result["rule"]) or _BUILT_IN.get(result["rule"].split(":")[0], ("", ""))
        told = {**result, "reason": reason, "reason_vi": reason_vi}
        results.setdefault(result["batch_id"], []).append(told)
    rows = connection.execute(text(_BATCHES), given).mappings()
    return [Batch(dict(row), results.get(row["batch_id"], [])) for row in rows]


def nights_of(connection: Connection, feed: str, most: int) -> list[date]:
    """The newest nights of a feed, newest first."""
    query = "select distinct night from ops.batch where feed = :feed order by night desc limit :most"
    return list(connection.execute(text(query), {"feed": feed, "most": most}).scalars())


def _words(feed: str, settings: Settings) -> dict[str, tuple[str, str]]:
    """Rule → why it is there, in English and Vietnamese, as the suite says today."""
    try:
        return {each.rule: (each.meta.reason, each.meta.reason_vi) for each in load_suite(feed, settings).expectations}
    except ConfigError:
        return {}
