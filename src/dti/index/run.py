"""The index run: facts and a framework in, one complete run in schema ``score`` out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, Engine, column, delete, func, insert, literal, select, table, text
from sqlalchemy.exc import DBAPIError

from dti.errors import MethodError, WarehouseError
from dti.index.framework import known_metrics, load_framework, method_error
from dti.index.lint import lint
from dti.index.model import Framework
from dti.index.store import store_framework
from dti.settings import Settings
from dti.warehouse.connect import engine

METRIC_COLUMNS = ("unit_id", "metric", "basis", "value", "first_day", "last_day", "source_ids")
"""What every file of ``include/sql/metrics`` selects."""

_METRIC_VALUE = table("metric_value", *map(column, ["run_id", "feed", *METRIC_COLUMNS]), schema="score")


@dataclass(frozen=True)
class Run:
    """The identity of a run. Days are days in Asia/Ho_Chi_Minh; the period includes both of its ends."""

    run_id: str
    kind: str
    as_of_date: date
    year: int
    framework_id: str
    framework_hash: str
    geography: str
    period_from: date
    period_to: date
    framework_in_force: bool


def compute(
    as_of: date, framework_id: str, *, geography: str | None = None, kind: str = "night", settings: Settings
) -> Run:
    """Compute the year to date of ``as_of`` with a framework, and write it as one run in one transaction.

    ``framework_id`` is an id or a folder; ``geography`` defaults to the one in force on ``as_of``. A run of the same
    kind, day, framework and geography is replaced; when anything fails, the old one stays as it was. Facts are seen
    as of one moment, also while feeds are being loaded. Raises MethodError when the framework would make a wrong
    index, WarehouseError when PostgreSQL refuses.
    """
    framework = load_framework(framework_id, settings=settings)
    if findings := lint(framework, known_metrics(settings)):
        raise method_error(findings)
    database = engine(settings, "loader")
    try:
        with database.begin() as connection:
            store_framework(connection, framework)
            run = _identify(as_of, framework, geography or _geography_in_force(connection, as_of, framework), kind)
        with _only_one(database, run.run_id), _snapshot(database) as connection:
            open_run(connection, run)
            measure(connection, run, settings)
            score(connection, run, settings)
    except DBAPIError as fault:
        raise WarehouseError(
            f"the index run failed: {fault.orig}",
            where=f"{kind} run of {as_of}",
            remedy="the run of before stands; mend and compute again",
        ) from fault.orig
    return run


def open_run(connection: Connection, run: Run) -> None:
    """Remove what a run of this id left, and begin it anew with status ``running``."""
    values = asdict(run)
    table_run = table("run", *map(column, [*values, "started_at"]), schema="score")
    connection.execute(delete(table_run).where(table_run.c.run_id == run.run_id))
    connection.execute(insert(table_run).values(**values, started_at=func.clock_timestamp()))


def measure(connection: Connection, run: Run, settings: Settings) -> None:
    """Write the metric values of the run: each file of ``include/sql/metrics`` gives those of the feed in its name."""
    known = {
        "geography": run.geography,
        "year": run.year,
        "from_day": run.period_from,
        "to_day": run.period_to,
        "as_of": run.as_of_date,
    }
    for path in _sql_files(settings, "metrics"):
        measured = text(path.read_text("utf-8")).columns(*map(column, METRIC_COLUMNS)).subquery("measured")
        rows = select(literal(run.run_id), literal(path.stem), *measured.c)
        connection.execute(insert(_METRIC_VALUE).from_select(["run_id", "feed", *METRIC_COLUMNS], rows), known)


def score(connection: Connection, run: Run, settings: Settings) -> None:
    """From metric values to a complete run: the files of ``include/sql/index``, in the order of their numbers.

    The rows were written a moment ago, so no statistics know them and the planner guesses one row where there are
    thousands. A hash join is right for every size a run can have, a nested loop over that guess is not. Before
    PostgreSQL 18 the ban makes plans look dear enough to compile, which would take longer than running them.
    """
    connection.execute(text("set local enable_nestloop = off"))
    connection.execute(text("set local jit = off"))
    for path in _sql_files(settings, "index"):
        connection.execute(text(path.read_text("utf-8")), {"run_id": run.run_id})


def _identify(as_of: date, framework: Framework, geography: str, kind: str) -> Run:
    """The run of ``as_of``'s year to date."""
    return Run(
        run_id=f"{kind}-{as_of.isoformat()}.{framework.framework_id}.{geography}",
        kind=kind,
        as_of_date=as_of,
        year=as_of.year,
        framework_id=framework.framework_id,
        framework_hash=framework.content_hash,
        geography=geography,
        period_from=date(as_of.year, 1, 1),
        period_to=as_of,
        framework_in_force=framework.in_force.covers(as_of.year),
    )


def _geography_in_force(connection: Connection, day: date, framework: Framework) -> str:
    """The geography whose units of the framework's level are valid on ``day``."""
    found = connection.execute(
        text(
            "select distinct geography from ref.unit where unit_level = :level and :day >= valid_from"
            " and (valid_to is null or :day < valid_to) order by geography"
        ),
        {"level": framework.unit_level, "day": day},
    ).scalars()
    geographies = list(found)
    if len(geographies) != 1:
        raise MethodError(
            f"units of level {framework.unit_level} on {day} belong to {' and '.join(geographies) or 'no geography'}",
            where="include/reference/unit.csv",
            remedy="ask for one geography, or correct valid_from and valid_to",
        )
    return str(geographies[0])


@contextmanager
def _only_one(database: Engine, run_id: str) -> Iterator[None]:
    """Let no second process compute the same run meanwhile; PostgreSQL lets go when this process dies.

    The lock has a connection of its own: taken inside the run's transaction it would be waited for with the snapshot
    already fixed, and the winner's rows would stay unseen.
    """
    with database.begin() as guard:
        guard.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"score.run {run_id}"})
        yield


@contextmanager
def _snapshot(database: Engine) -> Iterator[Connection]:
    """One transaction that sees the warehouse as of its first statement, however long it takes."""
    with database.execution_options(isolation_level="REPEATABLE READ").begin() as connection:
        connection.execute(text("set local work_mem = '64MB'"))
        yield connection


def _sql_files(settings: Settings, folder: str) -> list[Path]:
    return sorted((settings.include_dir / "sql" / folder).glob("*.sql"))
