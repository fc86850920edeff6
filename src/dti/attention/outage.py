"""When the warehouse itself does not answer: told once, and once when it is back, with a file for a memory."""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dti import clock
from dti.attention.channels import deliver, message_of
from dti.attention.find import readable_routes
from dti.attention.model import Cause, Effect
from dti.attention.night_causes import OPERATORS, OURS, PROJECT
from dti.attention.notice import Due, Told
from dti.attention.source_causes import brief
from dti.errors import DtiError
from dti.explain.model import Words
from dti.settings import Settings
from dti.sources.credentials import CredentialsLookup

log = logging.getLogger(__name__)
FILE = "outage.json"


def tell_outage(
    fault: DtiError, settings: Settings, lookup: CredentialsLookup, *, now: datetime | None = None
) -> dict[str, int]:
    """Tell every channel that the warehouse does not answer, unless it was told already; gives messages by channel."""
    moment = now or clock.now()
    with _memory(settings) as memory:
        memory.setdefault("since", moment.isoformat())
        memory.setdefault("what", brief(fault.what))
        return _tell(memory, "new", settings, lookup, moment)


def tell_over(settings: Settings, lookup: CredentialsLookup, *, now: datetime | None = None) -> dict[str, int]:
    """Tell those who heard of an outage that the warehouse answers again; nothing when there was none."""
    if not _path(settings).is_file():
        return {}
    with _memory(settings) as memory:
        if not memory:
            return {}
        told = _tell(memory, "resolved", settings, lookup, now or clock.now())
        memory.clear()
        return told


def _tell(
    memory: dict[str, Any], told: Told, settings: Settings, lookup: CredentialsLookup, now: datetime
) -> dict[str, int]:
    routes, _ = readable_routes(settings)
    heard: dict[str, str] = memory.setdefault("heard", {})
    since, done = datetime.fromisoformat(memory["since"]), {}
    for channel in routes.channels:
        cause, before = _cause(memory, since), heard.get(channel.name)
        if told == "resolved" and before is None:
            continue
        if told != "resolved" and not channel.wants(cause):
            continue
        if told == "new" and before and now - datetime.fromisoformat(before) < timedelta(days=routes.remind_after_days):
            continue
        number = 1 if before is None else 2
        owed = Due(int(since.timestamp()), "reminder" if told == "new" and before else told, cause, since, number, "")
        try:
            deliver(message_of(owed, channel, now), channel, lookup)
        except DtiError as fault:  # nothing remembers it: the next run that fails tries again
            log.warning("%s", fault)
            continue
        heard[channel.name] = now.isoformat()
        done[channel.name] = 1
    return done


def _cause(memory: dict[str, Any], since: datetime) -> Cause:
    effect = Words(
        vi="Không đêm nào được nạp hay tính; số liệu đã lấy về vẫn còn ở landing.",
        en="No night is loaded or computed; what was pulled is kept in landing.",
    )
    return Cause(
        key="warehouse_down",
        severity="critical",
        fingerprint="down",
        agency=PROJECT,
        owner=OPERATORS,
        since=clock.local_day(since) - timedelta(days=1),
        title=Words(vi="kho dữ liệu không trả lời", en="the warehouse does not answer"),
        what=Words(vi=memory["what"], en=memory["what"]),
        effect=Effect(state="held", words=effect),
        remedy=Words(
            vi="khởi động lại PostgreSQL, rồi Clear các tác vụ đỏ của đêm nay",
            en="start PostgreSQL again, then clear tonight's red tasks",
        ),
        runbook=OURS,
    )


@contextmanager
def _memory(settings: Settings) -> Iterator[dict[str, Any]]:
    """What was told, for one process at a time; gone when it is left empty."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            memory = json.loads(path.read_text("utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            memory = {}
        yield memory
        if not memory:
            path.unlink(missing_ok=True)
            return
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(memory), "utf-8")
        draft.rename(path)


def _path(settings: Settings) -> Path:
    return settings.local_dir / "run" / FILE
