"""The candidate of a request: its year, from what was known at its cut-off, beside all that the nights have."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from dti.annual.checks import facts_checks, write_checks
from dti.annual.known import CutOff, known_batches
from dti.annual.ledger import KnownBatch, batches_known, write_held_rows
from dti.annual.model import Request, RequestError
from dti.annual.rebuild import rebuild
from dti.annual.reference import lay_reference
from dti.annual.request import move, read_request
from dti.errors import WarehouseError
from dti.feeds import feed_names
from dti.gate.units import UnitDirectory, load_units, units_of
from dti.index.corrections import CorrectionSet, correction_set_of
from dti.index.geography import choose
from dti.index.identity import Run, period, runs_of
from dti.index.run import only_one, snapshot, write_runs
from dti.index.standing import Known, Standing
from dti.index.store import Method, stored_method
from dti.rollup import rollup
from dti.settings import Settings
from dti.warehouse import connect, inputs
from dti.warehouse.copying import copy_batches
from dti.warehouse.facts import checked, known_units, require_columns
from dti.warehouse.migrate import driver_connection
from dti.warehouse.statistics import analyze_scores

KIND = "annual"


def compute_candidate(request_id: str, *, settings: Settings) -> Run:
    """Compute the candidate run of a request and move the request on to ``candidate``; asked again, computed anew.

    Lakes are rebuilt from the ledger into files that go afterwards, their facts into temporary tables: the facts of the
    nights are neither read nor touched. Run, checks against the rebuilt facts and the new status are written in one
    transaction. Raises RequestError when the request has ended or waits for a decision, LandingError when the ledger
    is not whole, WarehouseError when PostgreSQL refuses.
    """
    database = connect.engine(settings, "loader")
    work = settings.local_dir / "tmp" / "annual" / request_id
    with _told(request_id), only_one(database, f"annual {request_id}"):
        with database.connect() as connection:
            request = read_request(connection, request_id)
            _require_computable(request)
            known = _known(connection, request, settings)
            batches = {feed: batches_known(connection, feed, which) for feed, which in known.items()}
            standing, method = _standing(connection, request, known)
        shutil.rmtree(work, ignore_errors=True)
        try:
            lakes = {feed: lake_of(feed, found, work, settings) for feed, found in batches.items()}
            return _compute(database, request, method, standing, lakes, settings)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _compute(
    database: Engine,
    request: Request,
    method: Method,
    standing: Standing,
    lakes: dict[str, list[str]],
    settings: Settings,
) -> Run:
    first_day, last_day = period(request.as_of_date, request.year)
    with snapshot(database) as connection:
        for feed, files in lakes.items():
            lay_facts(connection, feed, files, settings)
        lay_reference(connection, request.reference_hash)
        units = choose(connection, method.unit_level, first_day, last_day, request.geography, request.merge_method)
        label = f"{KIND}-{request.request_id}"
        runs = runs_of(
            label, request.as_of_date, method, units, KIND, first_day, last_day, request_id=request.request_id
        )
        write_runs(connection, runs, units, standing, settings)
        write_checks(connection, request.request_id, facts_checks(connection, request, runs[-1], settings))
        move(connection, request.request_id, "candidate", run_id=runs[-1].run_id)
    analyze_scores(settings)
    return runs[-1]


def lay_facts(connection: Connection, feed: str, files: list[str], settings: Settings) -> None:
    """Roll up a feed's files into temporary table ``<feed>``, shaped like its facts; it goes with the transaction."""
    driver = driver_connection(connection)
    driver.execute(
        sql.SQL("create temp table {} (like {} including defaults including constraints) on commit drop").format(
            sql.Identifier(feed), sql.Identifier("facts", feed)
        )
    )
    reader = rollup(feed, files, settings=settings)
    require_columns(driver, feed, reader.schema.names)
    batches = checked(reader, None, known_units(driver), feed)
    copy_batches(driver, ("pg_temp", feed), reader.schema.names, batches)
    driver.execute(sql.SQL("analyze {}").format(sql.Identifier("pg_temp", feed)))


def lake_of(feed: str, batches: list[KnownBatch], work: Path, settings: Settings) -> list[str]:
    """The files of a feed's lake as it was known."""
    if not batches:
        return []
    folder = work / feed
    folder.mkdir(parents=True)
    with connect.connect(settings, "loader") as driver:
        write_held_rows(driver, batches, folder / "held.csv")
    with connect.engine(settings, "loader").connect() as connection:
        versions = {batch.units_hash for batch in batches}
        directories = {version: _directory(connection, version, settings) for version in versions}
    return rebuild(feed, batches, folder / "held.csv", directories, folder / "lake", settings=settings)


def _directory(connection: Connection, version: str | None, settings: Settings) -> UnitDirectory:
    """How units were written when a batch was judged; today's ways for batches of before they were kept."""
    if version is None:
        return load_units(settings)
    return units_of(inputs.content(connection, "aliases", version)["unit_alias.csv"], f"unit aliases {version}")


def _known(connection: Connection, request: Request, settings: Settings) -> dict[str, Known]:
    cut = CutOff(
        at=request.data_cut_off,
        as_of_date=request.as_of_date,
        run_id=request.as_of_run_id,
        framework_hash=request.framework_hash,
        corrections_hash=request.corrections_hash,
        reference_hash=request.reference_hash,
    )
    return known_batches(connection, cut, feed_names(settings.include_dir / "feeds"))


def _standing(connection: Connection, request: Request, known: dict[str, Known]) -> tuple[Standing, Method]:
    corrections = CorrectionSet(corrections=())
    if request.corrections_hash:
        corrections = correction_set_of(inputs.content(connection, "corrections", request.corrections_hash))
    standing = Standing(
        corrections=corrections,
        corrections_hash=request.corrections_hash,
        reference_hash=request.reference_hash,
        data_cut_off=request.data_cut_off,
        known=known,
    )
    return standing, stored_method(connection, request.framework_id, request.framework_hash)


def _require_computable(request: Request) -> None:
    if request.status not in ("requested", "candidate"):
        raise RequestError(
            f"it is {request.status} already" + (f": {request.status_reason}" if request.status_reason else ""),
            where=request.request_id,
            remedy="decide on it as it is, or ask anew",
        )


@contextmanager
def _told(request_id: str) -> Iterator[None]:
    """A refusal of the server, as an error that says what stands."""
    try:
        yield
    except DBAPIError as fault:
        raise WarehouseError(
            f"the candidate could not be computed: {fault.orig}",
            where=request_id,
            remedy="nothing of it was written; mend and compute again",
        ) from fault.orig
