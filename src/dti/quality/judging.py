"""Asks the warehouse how each rule fares. Nothing here knows a rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dti.quality.errors import QualityError
from dti.quality.rules import FINDINGS, HISTORY, SERIES, Folder, Rule, parameters_of

TIMEOUT = "120s"
SERIES_TABLE = """
    create temp table series (
        feed text, source_id text, unit_id text, place integer, value float8, records float8
    ) on commit drop
"""


@dataclass(frozen=True)
class Finding:
    """How one thing (a source, a unit, the whole) fared under one rule. ``failed_count`` None: it was not judged."""

    feed: str | None
    source_id: str | None
    unit_id: str | None
    checked_count: int
    failed_count: int | None
    detail: str

    @property
    def status(self) -> str:
        """passed, failed or not_judged."""
        if self.failed_count is None:
            return "not_judged"
        return "failed" if self.failed_count else "passed"


def judge(connection: Connection, rule: Rule, known: Mapping[str, Any], rules: Folder) -> list[Finding]:
    """How everything fares that the rule speaks of, in the caller's transaction, in which it leaves no trace.

    A rule that speaks of nothing tonight gives one finding, not judged. Raises QualityError when the server cannot
    answer, which says nothing about the data; the transaction goes on.
    """
    values = {**known, **rule.parameters}
    query = rules.query(rule.query).read_text("utf-8")
    savepoint = connection.begin_nested()
    try:
        if rule.judge is not None:
            connection.execute(text(SERIES_TABLE))
        connection.execute(text(f"set local statement_timeout = '{TIMEOUT}'"))
        connection.execute(text("set local transaction_read_only = on"))  # a rule asks; temporary tables stay writable
        if rule.judge is None:
            found = _rows(connection, query, values)
        else:
            given = ", ".join(SERIES)
            laid = f"insert into series ({given}) select {given} from ({query}) as given"  # noqa: S608
            _execute(connection, laid, values)
            found = _rows(connection, rules.judge(rule.judge).read_text("utf-8"), {**HISTORY, **values})
    except DBAPIError as fault:
        said = getattr(getattr(fault.orig, "diag", None), "message_primary", None) or fault.orig
        raise QualityError(
            f"the warehouse could not answer: {said}", where=rule.rule, remedy=f"mend queries/{rule.query}.sql"
        ) from fault
    finally:
        savepoint.rollback()
    return [_finding(rule, row) for row in found] or [
        Finding(None, None, None, 0, None, "nothing it speaks of is there tonight")
    ]


def _rows(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in _execute(connection, statement, values).mappings()]


def _execute(connection: Connection, statement: str, values: Mapping[str, Any]) -> Any:
    """Run it with those of ``values`` that it names."""
    named = parameters_of(statement)
    return connection.execute(text(statement), {name: _plain(values[name]) for name in named if name in values})


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _finding(rule: Rule, row: dict[str, Any]) -> Finding:
    if unknown := sorted(set(row) - set(FINDINGS)):
        raise QualityError(
            f"gives columns nobody reads: {', '.join(unknown)}", where=rule.rule, remedy=f"give {', '.join(FINDINGS)}"
        )
    failed = row.get("failed_count")
    return Finding(
        feed=row.get("feed"),
        source_id=row.get("source_id"),
        unit_id=row.get("unit_id"),
        checked_count=int(row.get("checked_count") or 0),
        failed_count=None if failed is None else int(failed),
        detail=str(row.get("detail") or ""),
    )
