"""Checks the rules over the warehouse before a night depends on them, without a warehouse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import sqlglot
from sqlglot import expressions as sqlglot_expressions
from sqlglot.errors import SqlglotError

from dti.errors import ConfigError
from dti.feeds import feed_names
from dti.quality.rules import (
    FINDINGS,
    GIVEN,
    HISTORY,
    SERIES,
    Folder,
    Rule,
    folder,
    lake_tables,
    parameters_of,
    read_topic,
)
from dti.settings import Settings


def lint_rules(settings: Settings) -> list[str]:
    """What is wrong with the rules, one line a fault, each naming file, rule and remedy; empty: nothing."""
    where = folder(settings)
    try:
        rules = [rule for path in where.topics() for rule in read_topic(path)]
        tables = lake_tables(where)
    except ConfigError as fault:
        return [str(fault)]
    faults = [f"{where.path}: {fault}" for fault in _between(rules)]
    for rule in rules:
        faults += [f"{where.path / rule.topic}.yml: {rule.rule}: {fault}" for fault in _of_rule(rule, where)]
        faults += [
            f"{where.path / rule.topic}.yml: {rule.rule}: lake table {name} is not in lake/tables.yml — declare it"
            for name in rule.lake
            if name not in tables
        ]
    feeds = set(feed_names(settings.include_dir / "feeds"))
    for name, table in tables.items():
        if table.feed not in feeds:
            faults.append(f"{where.lake(name)}: no feed {table.feed} — one of {', '.join(sorted(feeds))}")
        faults += [f"{where.lake(name)}: {fault}" for fault in _statement(where.lake(name), "duckdb")]
    return faults + [f"{path}: no rule uses it — remove it" for path in _unused(rules, where)]


def _between(rules: list[Rule]) -> Iterator[str]:
    for what, values in (
        ("id", [rule.rule for rule in rules]),
        ("reason", [rule.reason for rule in rules]),
        ("reason_vi", [rule.reason_vi for rule in rules]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                yield f"{value}: {count} rules have this {what} — make them tell apart"


def _of_rule(rule: Rule, where: Folder) -> Iterator[str]:
    path = where.query(rule.query)
    if found := list(_statement(path, "postgres")):
        yield from (f"queries/{path.name}: {fault}" for fault in found)
        return
    statement = path.read_text("utf-8")
    judged = set(HISTORY) if rule.judge else set()
    asked, known = parameters_of(statement), {*GIVEN, *judged, *rule.parameters}
    if missing := sorted(asked - known):
        yield f"queries/{path.name} needs {', '.join(missing)} — set it in parameters"
    if idle := sorted(set(rule.parameters) - asked - judged):
        yield f"nobody reads {', '.join(idle)} — drop it from parameters, or mend the query"
    if names := sorted(set(rule.parameters) & set(GIVEN)):
        yield f"{', '.join(names)} is given to every query — drop it from parameters"
    given, wanted = set(_output(statement)), set(SERIES if rule.judge else FINDINGS)
    needed = set(SERIES) if rule.judge else {"checked_count", "failed_count"}
    if unknown := sorted(given - wanted):
        yield f"queries/{path.name} gives {', '.join(unknown)}, which nobody reads — give {', '.join(sorted(wanted))}"
    if missing := sorted(needed - given):
        yield f"queries/{path.name} does not give {', '.join(missing)} — add it to the SELECT"
    if rule.judge and rule.parameters.get("scale", "plain") not in ("plain", "count", "share"):
        yield f"no scale {rule.parameters['scale']} — plain, count or share"


def _statement(path: Path, dialect: str) -> Iterator[str]:
    """What keeps a file from being one SELECT."""
    if not path.is_file():
        yield "no such file — write it, or name one that is there"
        return
    try:
        found = [each for each in sqlglot.parse(path.read_text("utf-8"), read=dialect) if each is not None]
    except SqlglotError as fault:
        yield f"not SQL: {str(fault).splitlines()[0]} — mend it"
        return
    if len(found) != 1 or not isinstance(found[0], sqlglot_expressions.Query) or _changes(found[0]):
        yield "not one SELECT — a rule asks and changes nothing"


def _changes(statement: sqlglot_expressions.Query) -> bool:
    """Whether any part of a SELECT writes: PostgreSQL allows that in WITH."""
    parts = statement.find_all(sqlglot_expressions.DML, sqlglot_expressions.DDL)
    return any(not isinstance(part, sqlglot_expressions.Query) for part in parts)


def _output(statement: str) -> list[str]:
    """Names of the columns a SELECT gives."""
    found: sqlglot_expressions.Query = sqlglot.parse_one(statement, read="postgres")  # type: ignore[assignment]
    return list(found.named_selects)


def _unused(rules: list[Rule], where: Folder) -> Iterator[Path]:
    used = {where.query(rule.query) for rule in rules} | {where.lake(name) for rule in rules for name in rule.lake}
    used |= {where.judge(rule.judge) for rule in rules if rule.judge}
    yield from sorted(path for path in where.path.rglob("*.sql") if path not in used)
