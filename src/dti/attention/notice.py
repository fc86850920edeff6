"""What was told of which cause: the rows behind one message a cause, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, text

from dti.attention.model import Cause

Told = Literal["new", "changed", "reminder", "resolved"]

_SEEN = """
    insert into ops.notice (key, kind, severity, fingerprint, content, first_seen, last_seen, changed_at)
    values (:key, :kind, :severity, :fingerprint, cast(:content as jsonb), :now, :now, :now)
    on conflict (key) where resolved_at is null do update set
        severity = excluded.severity,
        fingerprint = excluded.fingerprint,
        content = excluded.content,
        last_seen = greatest(notice.last_seen, excluded.last_seen),
        changed_at = case
            when notice.fingerprint = excluded.fingerprint then notice.changed_at else excluded.changed_at
        end
"""
_GONE = "update ops.notice set resolved_at = :now where resolved_at is null and key <> all(:keys)"
_OPEN_OR_OWED = """
    select n.notice_id, n.key, n.fingerprint, n.content, n.first_seen, n.resolved_at, t.told,
        t.fingerprint as told_fingerprint, t.told_at, coalesce(t.messages_count, 0) as messages_count
    from ops.notice as n
    left join ops.notice_told as t on n.notice_id = t.notice_id and t.channel = :channel
    where n.resolved_at is null or (t.told_at is not null and t.told <> 'resolved')
    order by n.notice_id
"""
_TAKEN = """
    insert into ops.notice_told as t (
        notice_id, channel, told, fingerprint, told_at, messages_count, failing_since, failures_count, fault
    )
    values (:notice_id, :channel, :told, :fingerprint, :now, 1, :failing_since, :failures, :fault)
    on conflict (notice_id, channel) do update set
        told = excluded.told, fingerprint = excluded.fingerprint, told_at = excluded.told_at,
        messages_count = t.messages_count + 1, failing_since = excluded.failing_since,
        failures_count = excluded.failures_count, fault = excluded.fault
"""
_WHOLE_AGAIN = """
    update ops.notice_told set failing_since = null, failures_count = 0, fault = null
    where channel = :channel and failing_since = told_at
"""
_REFUSED = """
    insert into ops.notice_told as t (notice_id, channel, failing_since, failures_count, fault)
    values (:notice_id, :channel, :now, 1, :fault)
    on conflict (notice_id, channel) do update set
        failing_since = coalesce(t.failing_since, excluded.failing_since),
        failures_count = t.failures_count + 1, fault = excluded.fault
"""
_NO_LONGER_OWED = """
    update ops.notice_told set failing_since = null, failures_count = 0, fault = null
    where channel = :channel and fault is not null and failing_since is distinct from told_at
        and notice_id <> all(:owed)
"""


@dataclass(frozen=True)
class Due:
    """A message that one channel is owed. ``number`` counts the messages of this cause on it, from 1."""

    notice_id: int
    told: Told
    cause: Cause
    first_seen: datetime
    number: int
    identity: str

    def id_on(self, channel: str) -> str:
        """The same for every try of this message, so that whoever receives it twice can tell."""
        return f"{self.notice_id}.{self.number}.{channel}"


def keep(connection: Connection, causes: Sequence[Cause], now: datetime) -> None:
    """Make ops.notice say what there is: new causes open a row, those that are gone are resolved."""
    for cause in causes:
        connection.execute(
            text(_SEEN),
            {
                "key": cause.key,
                "kind": cause.kind,
                "severity": cause.severity,
                "fingerprint": cause.identity,
                "content": cause.model_dump_json(),
                "now": now,
            },
        )
    connection.execute(text(_GONE), {"now": now, "keys": [cause.key for cause in causes]})


def due(connection: Connection, channel: str, remind_after: timedelta, now: datetime) -> list[Due]:
    """The messages a channel is owed: what is new, changed, told too long ago, or gone since it was told."""
    found = []
    for row in connection.execute(text(_OPEN_OR_OWED), {"channel": channel}).mappings():
        told: Told
        if row["resolved_at"] is not None:
            told = "resolved"
        elif row["told_at"] is None:
            told = "new"
        elif row["told_fingerprint"] != row["fingerprint"]:
            told = "changed"
        elif now - row["told_at"] >= remind_after:
            told = "reminder"
        else:
            continue
        found.append(
            Due(
                notice_id=row["notice_id"],
                told=told,
                cause=Cause.model_validate(row["content"]),
                first_seen=row["first_seen"],
                number=row["messages_count"] + 1,
                identity=row["fingerprint"],
            )
        )
    return found


def taken(connection: Connection, channel: str, message: Due, fault: str | None, now: datetime) -> None:
    """Note that a channel took a message; ``fault``: that it kept it from some, until it takes one without a fault."""
    if fault is None:
        connection.execute(text(_WHOLE_AGAIN), {"channel": channel})
    given = {
        "notice_id": message.notice_id,
        "channel": channel,
        "told": message.told,
        "fingerprint": message.identity,
        "now": now,
        "failing_since": now if fault else None,
        "failures": 1 if fault else 0,
        "fault": fault[:500] if fault else None,
    }
    connection.execute(text(_TAKEN), given)


def refused(connection: Connection, channel: str, message: Due, fault: str, now: datetime) -> None:
    """Note that a channel did not take a message, and why; it is owed still."""
    given = {"notice_id": message.notice_id, "channel": channel, "fault": fault[:500], "now": now}
    connection.execute(text(_REFUSED), given)


def forget(connection: Connection, channel: str, owed: Sequence[Due]) -> None:
    """Forget what kept a channel from messages that it is no longer owed: gone before anybody could be told."""
    connection.execute(text(_NO_LONGER_OWED), {"channel": channel, "owed": [each.notice_id for each in owed]})
