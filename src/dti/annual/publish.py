"""Publishing: an approved candidate becomes a publication, whole or not at all, and then a bundle of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dti.annual.bundle import write_bundle
from dti.annual.canonical import checksum, publication_csv
from dti.annual.decision import approve, reject
from dti.annual.model import Request, RequestError
from dti.annual.publication import Publication, next_version, read_publication
from dti.annual.reference import lay_reference
from dti.annual.request import move, read_request
from dti.annual.tables import HEAD
from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse.connect import engine
from dti.warehouse.migrate import driver_connection

__all__ = ["publish", "reject"]

_HEAD_COLUMNS = ", ".join(HEAD.columns)
_ASKED = {
    "request_id", "year", "framework_id", "framework_hash", "geography", "merge_method", "data_cut_off",
    "corrections_hash", "reference_hash",
}  # fmt: skip
"""What a candidate must have in common with its request."""


def publish(request_id: str, *, approver: str, note: str = "", settings: Settings) -> Publication:
    """Record that ``approver`` approved the candidate of a request, publish it for good, and write its bundle.

    Decision, publication and the request's new status are one transaction; the bundle is written after it. Called
    again, also after a kill at any moment, it finishes what is missing and returns the same publication. Raises
    RequestError when the request does not wait for a decision, its checks failed or its candidate is not what was asked
    for, WarehouseError when PostgreSQL refuses.
    """
    with _told(request_id), engine(settings, "loader").begin() as connection:
        publication = _publish(connection, request_id, approver, note, settings)
    write_bundle(publication.publication_id, settings=settings)
    return publication


def _publish(connection: Connection, request_id: str, approver: str, note: str, settings: Settings) -> Publication:
    year = read_request(connection, request_id).year
    key = {"key": f"annual.publish {year}"}
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)
    request = read_request(connection, request_id, lock=True)
    if request.status == "published":
        return read_publication(connection, str(request.publication_id))
    approve(connection, request, approver, note)
    run = _candidate(connection, request)
    version = next_version(connection, request.year, request.family, request.geography)
    publication_id = f"{request.year}.{request.family}.{request.geography}.v{version}"
    lay_reference(connection, request.reference_hash)
    _lay_head(connection)
    known = {
        "publication_id": publication_id,
        "version": version,
        "run_id": run["run_id"],
        "parts_run_id": run["parts_run_id"],
        "request_id": request_id,
        "sql_hash": run["sql_hash"],
    }
    for path in sorted((settings.include_dir / "sql" / "publication").glob("*.sql")):
        _copy(connection, path.read_text("utf-8"), known)
    files = publication_csv(driver_connection(connection), publication_id, head="head")
    _insert_head(connection, checksum(files))
    move(connection, request_id, "published", publication_id=publication_id)
    return read_publication(connection, publication_id)


def _candidate(connection: Connection, request: Request) -> dict[str, Any]:
    """The candidate run. Raises RequestError when it is not complete, not what was asked for, or failed a check."""
    run = (
        connection.execute(text("select * from score.run where run_id = :run_id"), {"run_id": request.run_id})
        .mappings()
        .one_or_none()
    )
    asked = request.model_dump(include=_ASKED)
    same = run is not None and run["status"] == "complete" and all(run[name] == value for name, value in asked.items())
    if run is None or not same:
        raise RequestError(
            f"its candidate {request.run_id or ''} is not there, or is not what was asked for".replace("  ", " "),
            where=request.request_id,
            remedy="withdraw it and ask anew",
        )
    failed = connection.execute(
        text(
            "select check_name from annual.check_result where request_id = :id and status = 'failed' order by position"
        ),
        {"id": request.request_id},
    ).scalars()
    if names := ", ".join(failed):
        raise RequestError(
            f"its checks failed: {names}",
            where=request.request_id,
            remedy="withdraw it, mend what they say, and ask anew; or ask anew and accept those checks by name",
        )
    return dict(run)


def _lay_head(connection: Connection) -> None:
    """A temporary table for the publication's own row, until its checksum is known."""
    connection.execute(
        text(
            f"create temp table head on commit drop as select {_HEAD_COLUMNS}"  # noqa: S608 - our own column names
            " from published.publication with no data"
        )
    )


def _copy(connection: Connection, statement: str, known: dict[str, Any]) -> None:
    """Copy the candidate's rows into one table of the publication."""
    connection.execute(text(statement), known)


def _insert_head(connection: Connection, digest: str) -> None:
    """The publication itself, last: from now on nothing can be added to it."""
    connection.execute(
        text(
            f"insert into published.publication ({_HEAD_COLUMNS}, checksum)"  # noqa: S608 - our own column names
            f" select {_HEAD_COLUMNS}, :checksum from pg_temp.head"
        ),
        {"checksum": digest},
    )


@contextmanager
def _told(request_id: str) -> Iterator[None]:
    """A refusal of the server, or its end, as an error that says what to do: whether it committed may be unknown."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as fault:
        said = fault.orig if isinstance(fault, DBAPIError) else fault
        raise WarehouseError(
            f"publishing broke off: {' '.join(str(said).split())}",
            where=request_id,
            remedy="mend what the server says, then repeat: it is published whole or not at all, and only once",
        ) from fault
