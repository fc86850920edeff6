"""All causes at once, as the warehouse and the ledger show them at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from dti import clock
from dti.attention.model import Cause, Effect, by_urgency
from dti.attention.night_causes import OPERATORS, PROJECT, moment_of, night_causes
from dti.attention.routes import Routes, load_routes
from dti.attention.source_causes import brief, source_causes
from dti.attention.year_causes import year_causes
from dti.errors import ConfigError, WarehouseError
from dti.explain.model import Words
from dti.settings import Settings
from dti.warehouse.connect import engine

NOTIFICATIONS = "docs/notifications.md"
_NOBODY_TOLD = Words(
    vi="Chỉ số không đổi, nhưng có người không được báo.", en="The index is not touched, but somebody is not told."
)
_FAILING = """
    select channel, min(failing_since) as since, max(failures_count) as failures,
        (array_agg(fault order by failing_since desc))[1] as fault
    from ops.notice_told
    where fault is not null and channel = any(:channels)
    group by channel order by channel
"""


def find_causes(settings: Settings, *, now: datetime | None = None) -> list[Cause]:
    """Everything that needs a person, the most urgent first.

    Reads only. Raises WarehouseError when the warehouse does not answer, ConfigError when it has no login.
    """
    routes, fault = readable_routes(settings)
    with warehouse_errors(), engine(settings, "loader").connect() as connection:
        connection.execute(text("set transaction isolation level repeatable read, read only"))
        moment = moment_of(connection, now or clock.now())
        found = source_causes(connection, moment, settings)
        found += night_causes(connection, moment, settings)
        found += year_causes(connection, moment, routes.request_waits_days)
        names = [channel.name for channel in routes.channels]
        rows = connection.execute(text(_FAILING), {"channels": names}).mappings()
        found += [_channel_failed(dict(row)) for row in rows]
    if fault is not None:
        found.append(_routes_broken(fault, settings))
    return sorted(found, key=by_urgency)


@contextmanager
def warehouse_errors() -> Iterator[None]:
    """A server that does not answer as WarehouseError, also where SQLAlchemy meets it first."""
    try:
        yield
    except OperationalError as fault:
        what = " ".join(str(fault.orig).split())
        raise WarehouseError(what, where="warehouse", remedy="check that the server runs, then repeat") from None


def readable_routes(settings: Settings) -> tuple[Routes, ConfigError | None]:
    """Who is told what; where the file is broken, nobody, and the fault."""
    try:
        return load_routes(settings), None
    except ConfigError as fault:
        return Routes(), fault


def _channel_failed(row: dict[str, Any]) -> Cause:
    since = row["since"].astimezone(clock.ZONE)
    return Cause(
        key=f"channel_failed/{row['channel']}",
        severity="warning",
        fingerprint=row["channel"],
        agency=PROJECT,
        owner=OPERATORS,
        title=Words(vi=f"không gửi được thông báo qua {row['channel']}", en=f"nobody is told by {row['channel']}"),
        what=Words(
            vi=f"từ {since:%d/%m/%Y %H:%M}, {row['failures']} lần: {brief(row['fault'])}",
            en=f"since {since:%Y-%m-%d %H:%M}, {row['failures']} times: {brief(row['fault'])}",
        ),
        effect=Effect(state="none", words=_NOBODY_TOLD),
        remedy=Words(
            vi="sửa kênh; thông báo chưa gửi sẽ được gửi lại ở lần sau (uv run dti tell)",
            en="mend the channel; what was not delivered is sent the next time (uv run dti tell)",
        ),
        runbook=NOTIFICATIONS,
    )


def _routes_broken(fault: ConfigError, settings: Settings) -> Cause:
    said = brief(str(fault).replace(f"{settings.project}/", ""))
    return Cause(
        key="notify_broken",
        severity="critical",
        fingerprint=fault.what,
        agency=PROJECT,
        owner=OPERATORS,
        title=Words(
            vi="tệp include/notify.yml bị lỗi: không ai được báo", en="include/notify.yml is broken: nobody is told"
        ),
        what=Words(vi=said, en=said),
        effect=Effect(state="none", words=_NOBODY_TOLD),
        remedy=Words(vi="sửa tệp, rồi chạy: uv run dti tell", en="mend the file, then: uv run dti tell"),
        runbook=NOTIFICATIONS,
    )
