"""All rules over the warehouse for one night, in one process and one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from dti.clock import day_end
from dti.errors import DtiError
from dti.quality.errors import QualityError
from dti.quality.judging import Finding, judge
from dti.quality.lake_tables import lay
from dti.quality.rules import Rule, folder, load_rules
from dti.quality.store import Checked, NightResult, write
from dti.settings import Settings
from dti.warehouse import connect


def check_night(night: date, *, settings: Settings) -> NightResult:
    """Judge every rule for ``night`` and put the results in the place of what an earlier check of it found.

    All rules see the warehouse at one moment. Raises ConfigError for a rule that is written wrongly, and, once what
    could be judged is written, QualityError naming the rules that could not: they stand as not judged.
    """
    rules = load_rules(settings)
    with _alone(night, settings), connect.engine(settings, "loader").begin() as connection:
        connection.execute(text("set transaction isolation level repeatable read"))
        checked, faults = judge_rules(connection, rules, night, settings=settings)
        run_id = _run_id(connection, night)
        write(connection, night, run_id, checked)
    if faults:
        raise QualityError(
            "; ".join(str(fault) for fault in faults),
            where=f"night {night}",
            remedy="every other rule was judged and its result is written",
        ) from faults[0]
    return NightResult(night, run_id, checked)


def judge_rules(
    connection: Connection, rules: Sequence[Rule], night: date, *, settings: Settings
) -> tuple[list[Checked], list[DtiError]]:
    """How each rule fares, without writing it down, and what kept rules from being judged."""
    known = {"night": night, "night_end": day_end(night), "run_id": _run_id(connection, night)}
    checked: list[Checked] = []
    faults: list[DtiError] = []
    laid: dict[str, DtiError | None] = {}
    for rule in rules:
        try:
            for name in rule.lake:
                _lay_once(connection, name, night, laid, settings)
            checked.append(Checked(rule, judge(connection, rule, known, folder(settings))))
        except DtiError as fault:
            faults.append(fault)
            checked.append(Checked(rule, [Finding(None, None, None, 0, None, f"could not be judged: {fault}")]))
    return checked, faults


def _lay_once(
    connection: Connection, name: str, night: date, laid: dict[str, DtiError | None], settings: Settings
) -> None:
    """The table from the lake, made by the first rule that reads it; its fault is that of every rule that does."""
    if name not in laid:
        laid[name] = None
        try:
            with connection.begin_nested():
                lay(connection, name, night, settings=settings)
        except DtiError as fault:
            laid[name] = fault
    if (known := laid[name]) is not None:
        raise known


@contextmanager
def _alone(night: date, settings: Settings) -> Iterator[None]:
    """Two checks of one night at once: the second waits, and sees what the first wrote."""
    with connect.connect(settings, "loader") as guard:
        guard.autocommit = True
        guard.execute("set lock_timeout = '15min'")
        try:
            guard.execute("select pg_advisory_lock(hashtextextended('dti.check.' || %s, 0))", [night.isoformat()])
        except psycopg.errors.LockNotAvailable:
            what, remedy = "another process has been checking it for 15 minutes", "wait for it to end, then repeat"
            raise QualityError(what, where=f"night {night}", remedy=remedy) from None
        yield


def _run_id(connection: Connection, night: date) -> str | None:
    """The newest complete nightly run of the night."""
    found: Any = connection.execute(
        text(
            "select run_id from score.run where kind = 'night' and as_of_date = :night and status = 'complete'"
            " order by finished_at desc, run_id asc limit 1"
        ),
        {"night": night},
    ).scalar()
    return None if found is None else str(found)
