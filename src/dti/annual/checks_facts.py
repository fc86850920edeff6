"""Checks of the facts that a candidate was computed from, while its connection still finds them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, TableClause, and_, column, func, select, table, text

from dti.annual.checks_result import some, told
from dti.annual.checks_sql import rows, statement
from dti.annual.model import CheckResult, Request
from dti.landing import ledger
from dti.settings import Settings

_Total = tuple[str, str, str]
"""(feed, metric, unit)."""


def every_batch_decided(connection: Connection, request: Request, settings: Settings) -> CheckResult:
    """Nothing that had landed by the cut-off waits for the gate. What a night knew is what it had loaded, so a request
    as of a night waits for nothing."""
    name = "every_batch_decided"
    if request.as_of_run_id is not None:
        return told(name, "passed", f"{request.as_of_run_id} knew what it had loaded, and so does this run")
    decided = set(connection.execute(text("select batch_id from ops.batch")).scalars())
    waiting = [
        {"feed": each.feed, "source_id": each.source_id, "batch_id": each.batch_id, "rows": each.rows}
        for each in ledger.manifests(settings, skip=decided)
        if each.outcome == "landed" and each.finished_at <= request.data_cut_off
    ]
    if not waiting:
        return told(name, "passed", "everything that had landed by the cut-off is decided")
    feeds = some(sorted({str(each["feed"]) for each in waiting}))
    message = f"{len(waiting)} batch(es) that had landed by the cut-off are not decided: judge and load {feeds}"
    return told(name, "failed", f"{message}, then ask again", waiting)


def ledger_agrees(connection: Connection, run_id: str, settings: Settings) -> CheckResult:
    """Facts rebuilt from the ledger are those of the nights, day by day and unit by unit, where both know the same."""
    name = "ledger_agrees"
    later = rows(connection, settings, "checks/later_load", run_id=run_id)
    if later:
        batches = sum(each["batches_count"] for each in later)
        message = f"not comparable with the facts of the nights: {batches} loaded batch(es) count for them only"
        return told(name, "passed", message, later)
    feeds = rows(connection, settings, "checks/fact_column")
    if not_rebuilt := [each["feed"] for each in feeds if not each["is_rebuilt"]]:
        return told(name, "failed", f"the facts of {some(not_rebuilt)} were not rebuilt from the ledger")
    different = [row for each in feeds for row in _different_days(connection, each["feed"], each["columns"])]
    if not different:
        message = f"the facts of {len(feeds)} feeds, rebuilt from the ledger, are those of the nights"
        return told(name, "passed", message)
    message = (
        f"{len(different)} day(s) of a unit rebuilt from the ledger differ from the facts of the nights: find out which"
        " of the two is wrong before anything is published"
    )
    return told(name, "failed", message, different)


def _different_days(connection: Connection, feed: str, columns: list[str]) -> list[dict[str, Any]]:
    """Days of a unit whose rows or sums differ between the facts that the search path finds and those of the nights."""
    names = ["day", "unit_id", *columns]
    rebuilt = _days(table(feed, *map(column, names)), columns).subquery("rebuilt")
    nightly = _days(table(feed, *map(column, names), schema="facts"), columns).subquery("nightly")
    same_day = and_(rebuilt.c.day == nightly.c.day, rebuilt.c.unit_id == nightly.c.unit_id)
    measures = ["rows", *columns]
    query = (
        select(
            func.coalesce(rebuilt.c.day, nightly.c.day).label("day"),
            func.coalesce(rebuilt.c.unit_id, nightly.c.unit_id).label("unit_id"),
            *(rebuilt.c[name].label(f"rebuilt_{name}") for name in measures),
            *(nightly.c[name].label(f"nightly_{name}") for name in measures),
        )
        .select_from(rebuilt.join(nightly, same_day, full=True))
        .where(
            func.row(*(rebuilt.c[name] for name in measures)).is_distinct_from(
                func.row(*(nightly.c[name] for name in measures))
            )
        )
        .order_by("day", "unit_id")
    )
    return [
        {
            "feed": feed,
            "day": row["day"],
            "unit_id": row["unit_id"],
            "columns": {
                name: [row[f"rebuilt_{name}"], row[f"nightly_{name}"]]
                for name in measures
                if row[f"rebuilt_{name}"] != row[f"nightly_{name}"]
            },
        }
        for row in connection.execute(query).mappings()
    ]


def _days(facts: TableClause, columns: list[str]) -> Select[Any]:
    sums = (func.sum(facts.c[name]).label(name) for name in columns)
    return select(facts.c.day, facts.c.unit_id, func.count().label("rows"), *sums).group_by(
        facts.c.day, facts.c.unit_id
    )


def totals_reconcile(connection: Connection, run_id: str, settings: Settings) -> CheckResult:
    """What the run measured, before corrections, is the plain sum of the facts of the same units and days."""
    name = "totals_reconcile"
    summed: dict[str, list[str]] = defaultdict(list)
    for row in rows(connection, settings, "checks/summed_column"):
        summed[row["feed"]].append(row["metric"])
    measured: dict[_Total, Decimal] = {
        (row["feed"], row["metric"], row["unit_id"]): row["value"]
        for row in rows(connection, settings, "checks/measured_total", run_id=run_id)
        if row["metric"] in summed.get(row["feed"], ())
    }
    facts = {
        total: value
        for feed, metrics in summed.items()
        for total, value in _fact_totals(connection, run_id, feed, metrics, settings).items()
    }
    different = [
        {"feed": feed, "metric": metric, "unit_id": unit_id, "measured": measured.get(total), "facts": facts.get(total)}
        for total in sorted(measured.keys() | facts.keys())
        for feed, metric, unit_id in [total]
        if measured.get(total) != facts.get(total)
    ]
    metrics_count = sum(map(len, summed.values()))
    if not different:
        message = f"{len(measured)} totals of {metrics_count} summed metrics are the sums of their facts"
        return told(name, "passed", message)
    metrics = some(sorted({str(row["metric"]) for row in different}))
    return told(name, "failed", f"{len(different)} total(s) are not the sum of their facts: {metrics}", different)


def _fact_totals(
    connection: Connection, run_id: str, feed: str, metrics: list[str], settings: Settings
) -> dict[_Total, Decimal]:
    counted = (
        statement(settings, "checks/counted_unit")
        .columns(*map(column, ["unit_id", "from_day", "to_day"]))
        .subquery("counted")
    )
    facts = table(feed, *map(column, ["unit_id", "day", *metrics]))
    query = (
        select(facts.c.unit_id, *(func.sum(facts.c[metric]).label(metric) for metric in metrics))
        .join(
            counted,
            and_(facts.c.unit_id == counted.c.unit_id, facts.c.day.between(counted.c.from_day, counted.c.to_day)),
        )
        .group_by(facts.c.unit_id)
    )
    return {
        (feed, metric, row["unit_id"]): Decimal(row[metric])
        for row in connection.execute(query, {"run_id": run_id}).mappings()
        for metric in metrics
        if row[metric] is not None
    }
