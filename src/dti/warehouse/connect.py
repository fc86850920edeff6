"""Connections to the warehouse, by role."""

from __future__ import annotations

from functools import partial
from typing import Literal

import psycopg
from pydantic import SecretStr
from sqlalchemy import URL, Engine, ExceptionContext, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from dti.errors import ConfigError, WarehouseError
from dti.settings import Settings
from dti.warehouse import embedded

Role = Literal["owner", "loader", "analyst"]

SESSION = {
    "owner": "-c timezone=Asia/Ho_Chi_Minh",
    "loader": "-c timezone=Asia/Ho_Chi_Minh -c search_path=facts,ref",
    "analyst": "-c timezone=Asia/Ho_Chi_Minh -c search_path=marts -c default_transaction_read_only=on",
}
"""Session settings of each role: casting a moment to a date must give the day in Việt Nam.

The SQL of metrics and of the index names facts and reference tables without a schema. The loader finds those of the
night; a recomputation of what was known earlier lays its own into pg_temp and looks only there.
"""


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
        return parse("DTI_WAREHOUSE_URL", _text(settings.warehouse_url))
    if not _text(settings.analyst_url):
        raise ConfigError(
            "not set, and analysts never use the owner's login",
            where="DTI_ANALYST_URL",
            remedy="set it to a login of that server; preparing the warehouse grants it the schema marts",
        )
    return parse("DTI_ANALYST_URL", _text(settings.analyst_url))


def superuser_url(settings: Settings) -> URL | None:
    """The superuser of a server of one's own, where this process was given one (``DTI_SUPERUSER_URL``).

    Raises ConfigError when the URL is wrong.
    """
    return parse("DTI_SUPERUSER_URL", text) if (text := _text(settings.superuser_url)) else None


def engine(settings: Settings, role: Role) -> Engine:
    """An engine without a pool: steps are short-lived processes, and Airflow forks."""
    login = url(settings, role)
    made = create_engine(login, poolclass=NullPool, connect_args={"options": SESSION[role], "connect_timeout": 10})
    event.listen(made, "handle_error", partial(_tell_gone, login))
    return made


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
        raise gone(fault, login) from None


def gone(fault: BaseException, login: URL) -> WarehouseError:
    """What to tell when the server refuses a connection, or breaks one off."""
    said = " ".join(str(fault).split())
    remedy = "check the URL and that the server runs, then repeat: what was not committed is done anew"
    if "too many clients" in said or "connection slots" in said:
        remedy = "close other sessions or raise max_connections, then repeat"
    return WarehouseError(said, where=server_name(login), remedy=remedy)


def _tell_gone(login: URL, context: ExceptionContext) -> None:
    """No connection, or none any more; all else that the server says is for who asked."""
    if context.is_disconnect or (context.connection is None and context.original_exception is not None):
        raise gone(context.original_exception, login) from None


def metadata_url(settings: Settings) -> str:
    """URL of Airflow's own database on the embedded server, for psycopg2. It holds a password: never print it."""
    return embedded.ensure_running(settings).airflow.render_as_string(hide_password=False)


def server_name(login: URL) -> str:
    """User, server and database of a login, for messages."""
    return f"{login.username}@{login.host or login.query.get('host', '')}/{login.database}"


def _text(value: SecretStr | None) -> str:
    return value.get_secret_value().strip() if value else ""


def parse(name: str, text: str) -> URL:
    """The PostgreSQL URL in the variable ``name``. Raises ConfigError when it is none; the text is not repeated."""
    try:
        parsed = make_url(text)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(
            "not a PostgreSQL URL", where=name, remedy="write postgresql://user:password@host:5432/database"
        )
    return parsed.set(drivername="postgresql+psycopg")
