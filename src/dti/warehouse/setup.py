"""Bring the warehouse up to date: server, roles, schema, reference data, marts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect, guard
from dti.warehouse.marts import apply_marts, marts_files
from dti.warehouse.reference import load_reference, reference_files
from dti.warehouse.roles import ensure_roles


def prepare(settings: Settings) -> None:
    """Make the warehouse ready, all or nothing: start the embedded server, migrate, load reference data, make views.

    Then seal what is published, where a superuser is at hand (see ``guard``). Repeating it costs one query while files
    stay the same; several at once wait for one another. On a server of one's own the login of ``DTI_WAREHOUSE_URL``
    must own the database; roles are made where it may, else the error says what an administrator should run. Raises
    WarehouseError or ConfigError.
    """
    wanted = _wanted(settings)
    database = connect.engine(settings, "owner")
    with _Explained(settings):
        with database.begin() as connection:
            held = _held(connection)
            if held.get("all") != wanted["all"]:
                held = _bring_up(connection, wanted, settings)
            seal = wanted["migrations"] if guard.possible(connection, settings) else guard.NONE
        if held.get("guard") != seal:
            with database.begin() as connection:
                _seal(connection, seal, settings)


def _bring_up(connection: Connection, wanted: dict[str, str], settings: Settings) -> dict[str, str]:
    """Make what is not as its files say; what the warehouse was made from before."""
    _alone(connection)
    found = held = _held(connection)
    if held.get("all") == wanted["all"]:
        return found
    if not connect.is_embedded(settings):
        ensure_roles(connection, settings)
    if held.get("migrations") != wanted["migrations"]:
        from dti.warehouse import migrate

        migrate.upgrade(connection)
        held = {}
    if held.get("reference") != wanted["reference"]:
        load_reference(connection)
    if held.get("marts") != wanted["marts"]:
        apply_marts(connection)
    _remember(connection, wanted)
    return found


def _seal(connection: Connection, seal: str, settings: Settings) -> None:
    """Guard what is published; only now, because a superuser does it, who sees what is committed."""
    _alone(connection)
    if _held(connection).get("guard") != seal:
        if seal != guard.NONE:
            guard.install(settings)
        _remember(connection, {"guard": seal})


def _alone(connection: Connection) -> None:
    """Wait until nobody else prepares this warehouse; lasts until the transaction ends."""
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('dti.prepare', 0))"))


def _wanted(settings: Settings) -> dict[str, str]:
    migrations = settings.project / "migrations"
    analyst = settings.analyst_url.get_secret_value() if settings.analyst_url else ""
    parts = {
        "migrations": _hash([*sorted(migrations.rglob("*.py")), *sorted(migrations.rglob("*.sql"))]),
        "reference": _hash(reference_files()),
        "marts": _hash(marts_files()),
    }
    together = hashlib.sha256("".join([*parts.values(), hashlib.sha256(analyst.encode()).hexdigest()]).encode())
    return {**parts, "all": together.hexdigest()}


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"") + b"\0")
    return digest.hexdigest()


def _held(connection: Connection) -> dict[str, str]:
    """What the warehouse was last made from; empty when it was never made."""
    if connection.execute(text("SELECT to_regclass('ops.prepared')")).scalar() is None:
        return {}
    rows = connection.execute(text("SELECT part, content_hash FROM ops.prepared"))
    return dict(rows.tuples().all())


def _remember(connection: Connection, wanted: dict[str, str]) -> None:
    connection.execute(
        text(
            "INSERT INTO ops.prepared (part, content_hash) VALUES (:part, :content_hash) "
            "ON CONFLICT (part) DO UPDATE SET content_hash = excluded.content_hash, prepared_at = now()"
        ),
        [{"part": part, "content_hash": content_hash} for part, content_hash in wanted.items()],
    )


class _Explained:
    """Turns a refusal of the server into an error with a remedy; SQL and parameters stay out of it."""

    def __init__(self, settings: Settings) -> None:
        self.where = connect.server_name(connect.url(settings, "owner"))

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        origin = fault.orig if isinstance(fault, DBAPIError) else fault
        if isinstance(origin, psycopg.Error):
            remedy = "check the URL and that the server runs"
            if isinstance(origin, psycopg.errors.InsufficientPrivilege):
                remedy = "the login must own the database"
            elif isinstance(origin, psycopg.errors.LockNotAvailable):
                remedy = "wait for the other session that prepares or reads the warehouse, then repeat"
            raise WarehouseError(" ".join(str(origin).split()), where=self.where, remedy=remedy) from fault
