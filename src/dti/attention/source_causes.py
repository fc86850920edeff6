"""Sources that need a person: a fetch failed, the gate stopped a batch, data is too old, or the file is broken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from dti.attention.effect import Asked, effects_of
from dti.attention.faults_vi import FAULTS_VI, REMEDIES_VI
from dti.attention.model import Cause, Effect, Severity, the_night
from dti.errors import ConfigError
from dti.explain.model import Words
from dti.settings import Settings
from dti.sources.model import Source
from dti.sources.spec import readable_sources

DEAD_AGENCY, CHANGED_SCHEMA = "docs/runbooks/dead-agency.md", "docs/runbooks/changed-schema.md"
REJECTED_BATCH = "docs/runbooks/rejected-batch.md"
LONGEST = 700
"""Signs of a fault's own words that are repeated; the whole of it stands in the log and in the marts."""

_STANDING = """
    with of_night as (
        select distinct on (source_id, night) source_id, night, status, stopped_reason, fault_kind, fault_where,
            fault_what, fault_remedy
        from ops.batch
        order by source_id asc, night desc, started_at desc
    ),
    newest as (
        select distinct on (source_id) * from of_night order by source_id asc, night desc
    )
    select
        s.source_id, s.feed, s.agency, s.owner, s.freshness_limit_hours, n.night, n.status, n.stopped_reason,
        n.fault_kind, n.fault_where, n.fault_what, n.fault_remedy,
        (select max(b.until) from ops.batch as b where b.source_id = s.source_id and b.status = 'passed') as good_until,
        (
            select min(o.night) from of_night as o
            where o.source_id = s.source_id and o.status = n.status and o.night > coalesce(
                (
                    select max(p.night) from of_night as p
                    where p.source_id = s.source_id and p.status <> n.status and p.night < n.night
                ),
                '-infinity'
            )
        ) as since
    from ops.source as s
    left join newest as n on s.source_id = n.source_id
    where s.enabled
    order by s.source_id
"""


def source_causes(connection: Connection, moment: datetime, settings: Settings) -> list[Cause]:
    """One cause at most for every enabled source, and one for every source file that cannot be read.

    ``moment``: data that is older than the feed's freshness limit then is too old. A source that fails stays one
    cause as it goes stale: it becomes critical.
    """
    sound, broken = readable_sources(settings.sources_dir)
    standing = [dict(row) for row in connection.execute(text(_STANDING)).mappings()]
    waiting = any(row["night"] for row in standing)  # nothing has run yet: nobody owes anything
    at_fault = [row for row in standing if row["source_id"] not in broken and waiting and _is_at_fault(row, moment)]
    asked = [_asked(row, sound) for row in at_fault]
    known = {row["source_id"]: row for row in standing}
    asked += [Asked(name, known[name]["feed"]) for name in broken if name in known]
    effects = effects_of(connection, asked, settings)
    found = [_cause(row, moment, effects[row["source_id"]]) for row in at_fault]
    found += [_broken(name, fault, known.get(name), effects.get(name), settings) for name, fault in broken.items()]
    return found


def brief(words: str) -> str:
    """A fault's own words on one line, cut where they go on for too long."""
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def unnumbered(words: str) -> str:
    """Words without their numbers, which differ from night to night."""
    return re.sub(r"\d[\d.,]*", "#", " ".join(words.split()))


def _is_at_fault(row: Mapping[str, Any], moment: datetime) -> bool:
    return row["night"] is None or row["status"] != "passed" or _hours_old(row, moment) > row["freshness_limit_hours"]


def _hours_old(row: Mapping[str, Any], moment: datetime) -> float:
    good = row["good_until"]
    return float("inf") if good is None else (moment - good).total_seconds() / 3600


def _asked(row: Mapping[str, Any], sound: list[Source]) -> Asked:
    fixed = next((source.unit.fixed for source in sound if source.source == row["source_id"]), None)
    return Asked(row["source_id"], row["feed"], fixed)


def _cause(row: Mapping[str, Any], moment: datetime, effect: Effect) -> Cause:
    is_old = _hours_old(row, moment) > row["freshness_limit_hours"]
    common: dict[str, Any] = {
        "feed": row["feed"],
        "source_id": row["source_id"],
        "agency": row["agency"],
        "owner": row["owner"],
        "effect": effect,
        "since": row["since"],
    }
    severity: Severity = "critical" if is_old else "warning"
    if row["night"] is None:
        return _never(row, common)
    if row["status"] == "failed":
        return _failed(row, common, severity, is_old)
    if row["status"] == "stopped":
        return _stopped(row, common, severity, is_old)
    return _stale(row, common, moment)


def _failed(row: Mapping[str, Any], common: dict[str, Any], severity: Severity, is_old: bool) -> Cause:
    kind = row["fault_kind"]
    where = f"{row['fault_where']}: " if row["fault_where"] else ""
    said = brief(f"{where}{row['fault_what']}")
    return Cause(
        key=f"source_failed/{row['source_id']}",
        severity=severity,
        fingerprint=kind,
        title=Words(vi="không lấy được số liệu", en="did not deliver"),
        what=_with_age(
            row,
            is_old,
            Words(vi=f"{FAULTS_VI.get(kind, 'lỗi không rõ')} ({kind}): {said}", en=f"{kind}: {said}"),
        ),
        remedy=Words(
            vi=REMEDIES_VI.get(kind, "đọc nhật ký của tác vụ extract"),
            en=brief(row["fault_remedy"] or "read the log of its extract task"),
        ),
        runbook=CHANGED_SCHEMA if kind == "changed" else DEAD_AGENCY,
        **common,
    )


def _stopped(row: Mapping[str, Any], common: dict[str, Any], severity: Severity, is_old: bool) -> Cause:
    reason = brief(row["stopped_reason"])
    return Cause(
        key=f"batch_stopped/{row['source_id']}",
        severity=severity,
        fingerprint=unnumbered(reason),
        title=Words(vi="số liệu bị chặn ở khâu kiểm tra", en="what it delivered was stopped by the gate"),
        what=_with_age(
            row, is_old, Words(vi=f"không nạp dòng nào: {reason}", en=f"nothing of it was loaded: {reason}")
        ),
        remedy=Words(
            vi="xem các dòng bị giữ và lý do; cơ quan sửa rồi gửi lại, hoặc sửa tệp nguồn",
            en="look at the rows that were held and why; have the agency mend and send again, or mend the source file",
        ),
        runbook=REJECTED_BATCH,
        **common,
    )


def _stale(row: Mapping[str, Any], common: dict[str, Any], moment: datetime) -> Cause:
    return Cause(
        key=f"source_stale/{row['source_id']}",
        severity="critical",
        fingerprint="stale",
        title=Words(vi="số liệu quá cũ", en="its data is too old"),
        what=_with_age(
            row,
            True,
            Words(
                vi="đêm cuối lấy số liệu thì tốt, nhưng từ đó không lấy nữa",
                en="its last night was good, but it was not asked since",
            ),
        ),
        remedy=Words(
            vi=f"xem DAG ingest_{row['feed']} có đang tạm dừng không",
            en=f"look whether the DAG ingest_{row['feed']} is paused or its runs fail",
        ),
        runbook=DEAD_AGENCY,
        **{**common, "since": row["night"]},
    )


def _never(row: Mapping[str, Any], common: dict[str, Any]) -> Cause:
    return Cause(
        key=f"source_never/{row['source_id']}",
        severity="warning",
        fingerprint="never",
        title=Words(vi="chưa bao giờ được đọc", en="has never been read"),
        what=Words(
            vi="nguồn đã khai báo nhưng chưa có lô nào được quyết định",
            en="it is described and enabled, but no batch of it was decided yet",
        ),
        remedy=Words(
            vi=f"nguồn mới: đợi đêm nay; nếu không, xem DAG ingest_{row['feed']}",
            en=f"a new source is read tonight; else look at the DAG ingest_{row['feed']}",
        ),
        runbook=DEAD_AGENCY,
        **common,
    )


def _broken(
    name: str, fault: ConfigError, row: Mapping[str, Any] | None, effect: Effect | None, settings: Settings
) -> Cause:
    """A source file that cannot be read. Only its path in the repository is told, not where that lies."""
    where = fault.where.replace(f"{settings.project}/", "").replace(f"{settings.sources_dir}/", "")
    said = brief(f"{where}: {fault.what}")
    unknown = Words(vi="Chưa rõ: nguồn này chưa từng giao số liệu.", en="Unknown: it never delivered anything.")
    return Cause(
        key=f"source_broken/{Path(name).name}",
        severity="critical",
        fingerprint=fault.what,
        feed=row["feed"] if row else None,
        source_id=name,
        agency=row["agency"] if row else name,
        owner=row["owner"] if row else "",
        title=Words(vi="tệp nguồn bị lỗi, không đọc được", en="its source file cannot be read"),
        what=Words(vi=f"nguồn không được hỏi đêm nào cho tới khi tệp được sửa: {said}", en=f"it is not asked: {said}"),
        effect=effect or Effect(state="unknown", words=unknown),
        remedy=Words(
            vi=f"sửa tệp, rồi thử: uv run dti source check {where}",
            en=f"{fault.remedy or 'mend the file'}; try it with: uv run dti source check {where}",
        ),
        runbook=CHANGED_SCHEMA,
    )


def _with_age(row: Mapping[str, Any], is_old: bool, words: Words) -> Words:
    """The words, with until when its data is good and whether that is beyond the limit."""
    good, limit = row["good_until"], row["freshness_limit_hours"]
    until = the_night(good)
    if until is None:
        return Words(vi=f"{words.vi}. Chưa từng có số liệu tốt.", en=f"{words.en}. It never delivered anything good.")
    beyond = Words(vi=f", quá hạn {limit} giờ", en=f", beyond its limit of {limit} h") if is_old else None
    return Words(
        vi=f"{words.vi}. Số liệu tốt đến 00:00 ngày {until.vi}{beyond.vi if beyond else ''}.",
        en=f"{words.en}. Its data is good until the start of {until.en}{beyond.en if beyond else ''}.",
    )
