"""Asking for a recomputation: everything is checked before anything runs, and a year has one open request."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, column, select, table, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from dti import clock
from dti.annual.choice import choose_framework, current_framework
from dti.annual.known import CutOff, cut_off, known_batches
from dti.annual.ledger import batches_known
from dti.annual.model import OPEN, Asked, Request, RequestError, Status
from dti.annual.reference import lay_reference
from dti.errors import MethodError
from dti.feeds import feed_names
from dti.index.geography import Units, choose
from dti.index.identity import period
from dti.index.standing import standing_now
from dti.index.store import Method, stored_method
from dti.settings import Settings
from dti.warehouse.connect import engine

_TYPES = {"compared_with": JSONB()}
_REQUEST = table("request", *(column(name, _TYPES.get(name)) for name in Request.model_fields), schema="annual")


def open_request(asked: Asked, *, settings: Settings) -> Request:
    """Check what is asked, write it down, and return it as it was understood.

    Asked again with the same key, the same request comes back, whatever has become of it. Raises RequestError with a
    remedy for anything that cannot be computed, and for a year that has an open request already.
    """
    database = engine(settings, "loader")
    with database.begin() as connection:
        connection.execute(
            text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"annual.request {asked.year}"}
        )
        if known := _find(connection, _REQUEST.c.request_key == asked.key):
            return known
        _check_words(asked)
        method, cut = _method(connection, asked, settings)
        understood = _understood(connection, asked, method, cut, settings)
        _refuse_second(connection, asked.year)
        return _write(connection, understood)


def get_request(request_id: str, *, settings: Settings) -> Request:
    """The request of that id. Raises RequestError naming those there are."""
    with engine(settings, "loader").connect() as connection:
        return read_request(connection, request_id)


def read_request(connection: Connection, request_id: str, *, lock: bool = False) -> Request:
    """The request of that id, in the caller's transaction; with ``lock`` nobody else moves it until its end."""
    if found := _find(connection, _REQUEST.c.request_id == request_id, lock=lock):
        return found
    known = connection.execute(text("select request_id from annual.request order by requested_at desc limit 5"))
    names = ", ".join(known.scalars())
    raise RequestError("no such request", where=request_id, remedy=f"newest: {names}" if names else "none was made yet")


def list_requests(settings: Settings, year: int | None = None) -> list[Request]:
    """All requests, or those of one year; newest first."""
    query = select(*_REQUEST.c).order_by(_REQUEST.c.requested_at.desc())
    if year is not None:
        query = query.where(_REQUEST.c.year == year)
    with engine(settings, "loader").connect() as connection:
        return [Request.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def move(connection: Connection, request_id: str, status: Status, *, reason: str = "", **columns: Any) -> Request:
    """Give a request its next status, and whatever else became known of it, in the caller's transaction."""
    values = {"status": status, "status_at": text("clock_timestamp()"), "status_reason": reason, **columns}
    connection.execute(update(_REQUEST).where(_REQUEST.c.request_id == request_id).values(**values))
    return read_request(connection, request_id)


def end_request(request_id: str, status: Literal["failed", "withdrawn"], reason: str, *, settings: Settings) -> Request:
    """End an open request as failed or withdrawn, so that its year can be asked for again; its candidate is kept.

    A request that has ended already stays as it ended. Raises RequestError when there is no such request.
    """
    with engine(settings, "loader").begin() as connection:
        request = read_request(connection, request_id, lock=True)
        return move(connection, request_id, status, reason=reason) if request.is_open else request


def _find(connection: Connection, which: Any, *, lock: bool = False) -> Request | None:
    query = select(*_REQUEST.c).where(which)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Request.model_validate(dict(row))


def _check_words(asked: Asked) -> None:
    from dti.annual.checks import CHECK_NAMES

    where = f"year {asked.year}"
    if not asked.reason.strip():
        raise RequestError("no reason is given", where=where, remedy="say why the year is recomputed; it is published")
    if not asked.requester.strip():
        raise RequestError("nobody asks", where=where, remedy="give the name of who asks")
    if unknown := sorted(set(asked.accepted_checks) - set(CHECK_NAMES)):
        raise RequestError(
            f"no such check: {', '.join(unknown)}", where=where, remedy=f"known: {', '.join(sorted(CHECK_NAMES))}"
        )


def _method(connection: Connection, asked: Asked, settings: Settings) -> tuple[Method, CutOff]:
    """The framework's version that stood at the cut-off, and the cut-off."""
    framework_id = asked.framework_id or choose_framework(asked.year, settings)
    if not (asked.as_of or "").strip():
        method = current_framework(connection, framework_id, settings)
        standing_now(connection, settings)
        return method, cut_off(connection, asked.as_of, framework_id, clock.now())
    cut = cut_off(connection, asked.as_of, framework_id, clock.now())
    if cut.framework_hash is None:
        # The folder is read all the same: a name that never was one is told apart from one that came later.
        current_framework(connection, framework_id, settings)
        raise RequestError(
            f"framework {framework_id} was not used before that moment",
            where=f"as of {asked.as_of}",
            remedy="ask as of a later moment, or leave the as-of out",
        )
    return stored_method(connection, framework_id, cut.framework_hash), cut


def _understood(
    connection: Connection, asked: Asked, method: Method, cut: CutOff, settings: Settings
) -> dict[str, Any]:
    units = _units(connection, asked, method, cut)
    feeds = feed_names(settings.include_dir / "feeds")
    known = known_batches(connection, cut, feeds)
    if not any(batches_known(connection, feed, known[feed]) for feed in feeds):
        raise RequestError(
            "nothing had landed by then", where=f"as of {asked.as_of or 'now'}", remedy="ask as of a later moment"
        )
    return {
        "request_key": asked.key,
        "year": asked.year,
        "framework_id": method.framework_id,
        "framework_hash": method.framework_hash,
        "family": method.family,
        "geography": units.geography,
        "merge_method": units.merge_method,
        "as_of_asked": (asked.as_of or "").strip(),
        "as_of_run_id": cut.run_id,
        "as_of_date": cut.as_of_date,
        "data_cut_off": cut.at,
        "corrections_hash": cut.corrections_hash,
        "reference_hash": cut.reference_hash,
        "reason": asked.reason.strip(),
        "requester": asked.requester.strip(),
        "door": asked.door,
        "accepted_checks": sorted(set(asked.accepted_checks)),
    }


def _units(connection: Connection, asked: Asked, method: Method, cut: CutOff) -> Units:
    """Whose units the run will cover, by the reference data of the cut-off; that is laid out and taken away again."""
    try:
        first_day, last_day = period(cut.as_of_date, asked.year)
        with connection.begin_nested() as trial:
            lay_reference(connection, cut.reference_hash)
            wanted = asked.geography or method.geography
            units = choose(connection, method.unit_level, first_day, last_day, wanted, asked.merge_method)
            trial.rollback()
    except MethodError as fault:
        raise RequestError(fault.what, where=fault.where, remedy=fault.remedy) from None
    return units


def _refuse_second(connection: Connection, year: int) -> None:
    row = connection.execute(
        select(*_REQUEST.c).where(_REQUEST.c.year == year, _REQUEST.c.status.in_(OPEN))
    ).one_or_none()
    if row is not None:
        since: datetime = row.requested_at
        raise RequestError(
            f"{row.request_id}, asked by {row.requester} on {since.astimezone(clock.ZONE):%Y-%m-%d %H:%M}, is still"
            f" {row.status}",
            where=f"year {year}",
            remedy=f"let it be approved or rejected, or withdraw it: uv run dti annual withdraw {row.request_id}",
        )


def _write(connection: Connection, values: dict[str, Any]) -> Request:
    made = connection.execute(
        text("select count(*) from annual.request where year = :year"), {"year": values["year"]}
    ).scalar_one()
    request_id = f"{values['year']}-r{made + 1}"
    connection.execute(insert(_REQUEST).values(request_id=request_id, **values))
    return read_request(connection, request_id)
