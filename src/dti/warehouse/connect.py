"""Connections to the warehouse, by role."""

from __future__ import annotations

from typing import Literal

import psycopg
from pydantic import SecretStr
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from dti.errors import ConfigError, WarehouseError
from dti.settings import Settings
from dti.warehouse import embedded

Role = Literal["owner", "loader", "analyst"]

SESSION = {
    "owner": "-c timezone=Asia/Ho_Chi_Minh",
    "loader": "-c timezone=Asia/Ho_Chi_Minh",
    "analyst": "-c timezone=Asia/Ho_Chi_Minh -c search_path=marts -c default_transaction_read_only=on",
}
"""Session settings of each role: casting a moment to a date must give the day in Việt Nam."""


def is_embedded(settings: Settings) -> bool:
    """Whether the warehouse is the project's own server, not one given by ``DTI_WAREHOUSE_URL``."""
    return not _text(settings.warehouse_url)


def url(settings: Settings, role: Role) -> URL:
    """The login of ``role``; starts the embedded server if needed.

    ``owner`` may do anything in the warehouse's database, ``loader`` write rows but define nothing, ``analyst`` read
    the schema marts. On a server of one's own, ``DTI_WAREHOUSE_URL`` is the login of both owner and loader, and
    ``DTI_ANALYST_URL`` the analysts'. Raises ConfigError when a URL is missing or wrong, WarehouseError when the
    embedded server does not start.
    """
    if is_embedded(settings):
        urls = embedded.ensure_running(settings)
        return {"owner": urls.owner, "loader": urls.loader, "analyst": urls.analyst}[role]
    if role != "analyst":
        return _parse("DTI_WAREHOUSE_URL", _text(settings.warehouse_url))
    if not _text(settings.analyst_url):
        raise ConfigError(
            "not set, and analysts never use the owner's login",
            where="DTI_ANALYST_URL",
            remedy="set it to a login of that server; preparing the warehouse grants it the schema marts",
        )
    return _parse("DTI_ANALYST_URL", _text(settings.analyst_url))


def engine(settings: Settings, role: Role) -> Engine:
    """An engine without a pool: steps are short-lived processes, and Airflow forks."""
    return create_engine(
        url(settings, role), poolclass=NullPool, connect_args={"options": SESSION[role], "connect_timeout": 10}
    )


def connect(settings: Settings, role: Role) -> psycopg.Connection:
    """A psycopg connection, for COPY and server-side cursors. Raises WarehouseError when the server refuses."""
    return connect_url(url(settings, role), SESSION[role])


def connect_url(login: URL, options: str = SESSION["owner"]) -> psycopg.Connection:
    """Connect with ``login``. Raises WarehouseError naming server and user, never the password."""
    try:
        return psycopg.connect(
            login.set(drivername="postgresql").render_as_string(False), options=options, connect_timeout=10
        )
    except psycopg.OperationalError as fault:
        raise WarehouseError(
            " ".join(str(fault).split()), where=server_name(login), remedy="check the URL and that the server runs"
        ) from None


def metadata_url(settings: Settings) -> str:
    """URL of Airflow's own database on the embedded server, for psycopg2. It holds a password: never print it."""
    return embedded.ensure_running(settings).airflow.render_as_string(hide_password=False)


def server_name(login: URL) -> str:
    """User, server and database of a login, for messages."""
    return f"{login.username}@{login.host or login.query.get('host', '')}/{login.database}"


def _text(value: SecretStr | None) -> str:
    return value.get_secret_value().strip() if value else ""


def _parse(name: str, text: str) -> URL:
    try:
        parsed = make_url(text)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(
            "not a PostgreSQL URL", where=name, remedy="write postgresql://user:password@host:5432/database"
        )
    return parsed.set(drivername="postgresql+psycopg")
