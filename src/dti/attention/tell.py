"""Telling people: a message when a cause appears, changes, has lasted for long, or is gone, and none in between."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Engine

from dti import clock
from dti.attention import notice
from dti.attention.channels import ChannelError, deliver, message_of
from dti.attention.find import find_causes
from dti.attention.model import by_urgency
from dti.attention.outage import tell_over
from dti.attention.routes import Channel, load_routes
from dti.errors import DtiError, WarehouseError
from dti.settings import Settings
from dti.sources.credentials import CredentialsLookup
from dti.warehouse import connect

log = logging.getLogger(__name__)
WAIT = "10min"
GIVEN_UP_AFTER = 3
"""Messages that a channel refuses in a row before the rest is left for the next time."""


def tell(settings: Settings, lookup: CredentialsLookup, *, now: datetime | None = None) -> dict[str, Any]:
    """Find what needs a person, and tell those who want to know what they were not told yet.

    One process at a time: a second one waits, and then finds nothing left to tell. A process that dies between the
    sending of a message and the note of it sends it again, with the same id. A channel that fails stops nothing.
    Returns counts. Raises WarehouseError when the warehouse does not answer; and ConfigError for a broken notify.yml,
    after noting what there is.
    """
    with _alone(settings):
        moment = now or clock.now()
        causes = find_causes(settings, now=moment)
        database = connect.engine(settings, "loader")
        with database.begin() as connection:
            notice.keep(connection, causes, moment)
        tell_over(settings, lookup, now=moment)
        routes = load_routes(settings)
        remind_after = timedelta(days=routes.remind_after_days)
        told, failed = {}, {}
        for channel in routes.channels:
            told[channel.name], fault = _tell_channel(database, channel, remind_after, lookup, moment)
            if fault is not None:
                failed[channel.name] = str(fault)
                log.warning("%s", fault)
    return {"causes": [cause.key for cause in causes], "told": told, "failed": failed}


def _tell_channel(
    database: Engine, channel: Channel, remind_after: timedelta, lookup: CredentialsLookup, now: datetime
) -> tuple[int, DtiError | None]:
    """How many messages the channel took, and the last fault that kept it from one."""
    with database.begin() as connection:
        owed = notice.due(connection, channel.name, remind_after, now)
        wanted = sorted((each for each in owed if channel.wants(each.cause) or _was_told(each)), key=_urgency)
        notice.forget(connection, channel.name, wanted)
    count, in_a_row = 0, 0
    last: DtiError | None = None
    for each in wanted:
        is_taken, fault = _try(each, channel, lookup, now)
        last = fault or last
        with database.begin() as connection:
            if is_taken:
                notice.taken(connection, channel.name, each, str(fault) if fault else None, now)
                count, in_a_row = count + 1, 0
                continue
            notice.refused(connection, channel.name, each, str(fault), now)
        in_a_row += 1
        if in_a_row >= GIVEN_UP_AFTER:
            break
    return count, last


def _was_told(owed: notice.Due) -> bool:
    """Whoever was told of a cause is told that it is gone, even if it has become none of theirs."""
    return owed.told == "resolved"


def _urgency(owed: notice.Due) -> tuple[int, str]:
    return by_urgency(owed.cause)


def _try(owed: notice.Due, channel: Channel, lookup: CredentialsLookup, now: datetime) -> tuple[bool, DtiError | None]:
    """Whether the channel took the message, and what went wrong, also when only some of its people have it."""
    try:
        return True, deliver(message_of(owed, channel, now), channel, lookup)
    except DtiError as fault:
        return False, fault
    except Exception as fault:  # noqa: BLE001 — whatever a channel does, the others and the night go on
        where, remedy = channel.name, "report it: this should have been told in words"
        return False, ChannelError(f"unexpected {type(fault).__name__}", where=where, remedy=remedy)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One process tells at a time; PostgreSQL lets go when it dies."""
    with connect.connect(settings, "loader") as guard:
        guard.autocommit = True
        guard.execute(f"set lock_timeout = '{WAIT}'")
        try:
            guard.execute("select pg_advisory_lock(hashtextextended('dti.tell', 0))")
        except psycopg.errors.LockNotAvailable:
            what, remedy = "another process has been telling for 10 minutes", "wait for it to end, then repeat"
            raise WarehouseError(what, where="telling", remedy=remedy) from None
        yield
