"""The index run: facts and a framework in, one complete run in schema ``score`` out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from sqlalchemy import (
    Connection,
    Engine,
    FromClause,
    Subquery,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError

from dti.errors import WarehouseError
from dti.index.correct import correct_metrics
from dti.index.framework import known_metrics, load_framework, method_error
from dti.index.geography import MergeMethod, Succession, Units, choose
from dti.index.identity import Run, period, runs_of
from dti.index.lint import lint
from dti.index.standing import Standing, note_inputs, sql_hash, standing_now
from dti.index.store import method_of, store_framework
from dti.settings import Settings
from dti.warehouse.connect import engine
from dti.warehouse.statistics import analyze_scores

METRIC_COLUMNS = ("unit_id", "metric", "basis", "value", "first_day", "last_day", "source_ids")
"""What every file of ``include/sql/metrics`` selects."""

_METRIC_VALUE = table("metric_value", *map(column, ["run_id", "feed", *METRIC_COLUMNS]), schema="score")
_METRIC_PART = table("metric_part", *map(column, ["run_id", "feed", "part_unit_id", *METRIC_COLUMNS]), schema="score")
_SUCCESSION = table("unit_succession", column("unit_id_63"), column("unit_id_34"))


def compute(
    as_of: date,
    framework_id: str,
    *,
    year: int | None = None,
    geography: str | None = None,
    merge_method: MergeMethod | None = None,
    kind: str = "night",
    settings: Settings,
) -> Run:
    """Compute a year with a framework from what was known on ``as_of``, and write it as one run in one transaction.

    ``framework_id`` is an id or a folder. ``year`` defaults to that of ``as_of``: the running year counts to that
    day, a closed one whole. ``geography`` defaults to the one in force at the end of the period; see ``choose`` for
    how units are merged. An averaged run computes the run of the former provinces too, as kind ``<kind>_parts``. A
    run of the same kind, day, framework, geography, year and merge method is replaced; when anything fails, the old
    one stays as it was. Facts are seen as of one moment, also while feeds are being loaded. Raises MethodError when
    the framework would make a wrong index or the units cannot be had, WarehouseError when PostgreSQL refuses.
    """
    framework = load_framework(framework_id, settings=settings)
    if findings := lint(framework, known_metrics(settings)):
        raise method_error(findings)
    first_day, last_day = period(as_of, as_of.year if year is None else year)
    database = engine(settings, "loader")
    with _told(f"{kind} run of {as_of}"):
        with database.begin() as connection:
            store_framework(connection, framework)
            standing = standing_now(connection, settings)
            method, wanted = method_of(framework), geography or framework.geography
            units = choose(connection, framework.unit_level, first_day, last_day, wanted, merge_method)
        runs = runs_of(f"{kind}-{as_of.isoformat()}", as_of, method, units, kind, first_day, last_day)
        with only_one(database, runs[-1].run_id), snapshot(database) as connection:
            write_runs(connection, runs, units, standing, settings)
        analyze_scores(settings)
    return runs[-1]


def write_runs(connection: Connection, runs: list[Run], units: Units, standing: Standing, settings: Settings) -> None:
    """Write every run of ``runs`` whole, in the caller's transaction: metrics, corrections, scores.

    Facts and reference data are those that the connection's search path finds; ``standing`` tells what they are.
    """
    for identity in runs:
        run = replace(
            identity,
            data_cut_off=standing.data_cut_off or connection.execute(select(func.clock_timestamp())).scalar_one(),
            corrections_hash=standing.corrections_hash,
            reference_hash=standing.reference_hash,
            sql_hash=sql_hash(settings),
        )
        open_run(connection, run)
        note_inputs(connection, run.run_id, standing)
        measure(connection, run, settings, standing, units.former)
        score(connection, run, settings)


def open_run(connection: Connection, run: Run) -> None:
    """Remove what a run of this id left, and begin it anew with status ``running``."""
    values = asdict(run)
    table_run = table("run", *map(column, [*values, "started_at"]), schema="score")
    connection.execute(delete(table_run).where(table_run.c.run_id == run.run_id))
    connection.execute(insert(table_run).values(**values, started_at=func.clock_timestamp()))


def measure(
    connection: Connection, run: Run, settings: Settings, standing: Standing, former: Succession | None = None
) -> None:
    """Write the metrics of the run, corrected: a file of ``include/sql/metrics`` gives those of the feed in its name.

    Where ``former`` units are merged, theirs and the units' own are written as parts, each over its own part of the
    period; an averaged run has no metrics at all, its parts run has them.
    """
    own = {
        "geography": run.geography,
        "year": run.year,
        "from_day": run.period_from,
        "to_day": run.period_to,
        "as_of": run.as_of_date,
    }
    if run.merge_method == "average":
        correct_metrics(connection, run, standing.corrections, own, settings)
        return
    files = _sql_files(settings, "metrics")
    if run.merge_method == "none" or former is None:
        for path in files:
            rows = select(literal(run.run_id), literal(path.stem), *_metrics(path).c)
            connection.execute(insert(_METRIC_VALUE).from_select(["run_id", "feed", *METRIC_COLUMNS], rows), own)
        correct_metrics(connection, run, standing.corrections, own, settings)
        return
    theirs = {"geography": former.former, "to_day": min(run.period_to, former.last_day)}
    for known in (own | theirs, own | {"from_day": max(run.period_from, former.first_day)}):
        for path in files:
            insert_parts(connection, run.run_id, path.stem, _metrics(path), known)
        correct_metrics(connection, run, standing.corrections, known, settings)


def insert_parts(connection: Connection, run_id: str, feed: str, metrics: FromClause, known: dict[str, object]) -> None:
    """Write ``metrics`` (with METRIC_COLUMNS) as what each unit gives to the unit it is part of now, or to itself."""
    rows = select(
        literal(run_id),
        literal(feed),
        func.coalesce(_SUCCESSION.c.unit_id_34, metrics.c.unit_id),
        *metrics.c,
    ).select_from(metrics.outerjoin(_SUCCESSION, metrics.c.unit_id == _SUCCESSION.c.unit_id_63))
    columns = ["run_id", "feed", "unit_id", "part_unit_id", *METRIC_COLUMNS[1:]]
    connection.execute(insert(_METRIC_PART).from_select(columns, rows), known)


def score(connection: Connection, run: Run, settings: Settings) -> None:
    """From metrics to a complete run: the files of ``include/sql/index``, in the order of their numbers.

    The rows were written a moment ago, so no statistics know them and the planner guesses one row where there are
    thousands. A hash join is right for every size a run can have, a nested loop over that guess is not. Before
    PostgreSQL 18 the ban makes plans look dear enough to compile, which would take longer than running them.
    """
    connection.execute(text("set local enable_nestloop = off"))
    connection.execute(text("set local jit = off"))
    for path in _sql_files(settings, "index"):
        connection.execute(text(path.read_text("utf-8")), {"run_id": run.run_id})


def _metrics(path: Path) -> Subquery:
    """The rows of one metric file."""
    return text(path.read_text("utf-8")).columns(*map(column, METRIC_COLUMNS)).subquery("measured")


@contextmanager
def _told(where: str) -> Iterator[None]:
    """A refusal of the server, as an error that says what stands."""
    try:
        yield
    except DBAPIError as fault:
        raise WarehouseError(
            f"the index run failed: {fault.orig}",
            where=where,
            remedy="the run of before stands; mend and compute again",
        ) from fault.orig


@contextmanager
def only_one(database: Engine, run_id: str) -> Iterator[None]:
    """Let no second process compute the same run meanwhile; PostgreSQL lets go when this process dies.

    The lock has a connection of its own: taken inside the run's transaction it would be waited for with the snapshot
    already fixed, and the winner's rows would stay unseen.
    """
    with database.begin() as guard:
        guard.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"score.run {run_id}"})
        yield


@contextmanager
def snapshot(database: Engine) -> Iterator[Connection]:
    """One transaction that sees the warehouse as of its first statement, however long it takes."""
    with database.execution_options(isolation_level="REPEATABLE READ").begin() as connection:
        connection.execute(text("set local work_mem = '64MB'"))
        yield connection


def _sql_files(settings: Settings, folder: str) -> list[Path]:
    return sorted((settings.include_dir / "sql" / folder).glob("*.sql"))
