"""The night as a whole: no index, no night at all, runs of ours that failed, batches nobody decided, failed checks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from dti.attention.model import Cause, Effect
from dti.attention.source_causes import REJECTED_BATCH, brief
from dti.clock import day_end, day_start, local_day
from dti.explain.model import Words
from dti.landing import ledger
from dti.landing.places import LANDING
from dti.settings import Settings
from dti.store import store_of
from dti.warehouse import state

ANNUAL, OURS = "docs/runbooks/annual-recomputation.md", "docs/reliability.md"
UNDECIDED_AFTER, INDEX_DUE_AFTER = timedelta(hours=3), timedelta(hours=4)
"""From when a batch landed until it must be decided; from the night's end until its index must be there (04:00)."""

PROJECT, OPERATORS = "kho dữ liệu DTI", "data-engineering"
_WHOLE_INDEX = Words(
    vi="Chỉ số hiển thị vẫn là của đêm tính xong gần nhất.",
    en="The index that is shown is still that of the last night that was computed.",
)
_SEE = "uv run dti sql \"select * from night_check where is_newest_night and status = 'failed'\""
_CHECKS = """
    select rule, min(reason) as reason, min(reason_vi) as reason_vi, min(failed_since) as since, count(*) as places,
        string_agg(distinct coalesce(source_id, feed, 'all'), ', ') as where_,
        (array_agg(concat_ws(' ', agency, unit_name, detail) order by failed_count desc))[1] as first_
    from marts.night_check
    where is_newest_night and status = 'failed' and severity = 'critical'
    group by rule
"""
_NEWEST = "select max(night) from ops.batch"
_COMPUTED = """
    select exists (
        select from score.run where kind = 'night' and framework_id = :framework and status = 'complete'
            and as_of_date = :night
    )
"""
_TIME = """
    select max(b.night) as night, (select bool_and(s.synthetic) from ops.source as s where s.enabled) as made_up
    from ops.batch as b
"""


def night_causes(connection: Connection, moment: datetime, settings: Settings) -> list[Cause]:
    """Everything about a night as a whole, as it stands at ``moment``."""
    return [
        *_night_missing(connection, moment, settings),
        *_failed_runs(connection),
        *_undecided(moment, settings),
        *_night_checks(connection),
    ]


def moment_of(connection: Connection, now: datetime) -> datetime:
    """The moment by which things are late: now, or for agencies that are all made up, the end of their newest night.

    The sandbox lives in a time of its own; only while that is today is it held against the clock.
    """
    row = connection.execute(text(_TIME)).one()
    if row.night is None or not row.made_up:
        return now
    end = day_end(row.night)
    return now if day_start(local_day(now)) - end < timedelta(days=1) else end


def _night_missing(connection: Connection, moment: datetime, settings: Settings) -> list[Cause]:
    """The newest night has no index though it is due, or no night has been run although one is over."""
    night = connection.execute(text(_NEWEST)).scalar()
    if night is None:
        return []
    common: dict[str, Any] = {
        "severity": "critical",
        "agency": PROJECT,
        "owner": OPERATORS,
        "effect": Effect(state="held", words=_WHOLE_INDEX),
        "runbook": OURS,
    }
    found = []
    computed = connection.execute(text(_COMPUTED), {"framework": settings.framework, "night": night}).scalar()
    if not computed and moment >= day_end(night) + INDEX_DUE_AFTER:
        found.append(
            Cause(
                key="index_missing",
                fingerprint="missing",
                since=night,
                title=Words(vi="chưa có chỉ số của đêm mới nhất", en="the newest night has no index"),
                what=Words(
                    vi=f"đêm {night:%d/%m/%Y} đã nạp số liệu nhưng quá 04:00 vẫn chưa tính chỉ số",
                    en=f"the night of {night} was loaded, but its index was not computed by 04:00",
                ),
                remedy=Words(
                    vi="mở DAG compute_indices: chạy lại tác vụ đỏ, hoặc bỏ tạm dừng",
                    en="open the DAG compute_indices: clear the red task, or unpause it",
                ),
                **common,
            )
        )
    due = local_day(moment - INDEX_DUE_AFTER) - timedelta(days=1)
    if night < due:
        found.append(
            Cause(
                key="nights_missing",
                fingerprint="missing",
                since=night + timedelta(days=1),
                title=Words(vi="không đêm nào chạy nữa", en="nights are no longer run"),
                what=Words(
                    vi=f"đêm mới nhất được nạp là {night:%d/%m/%Y}; đáng lẽ phải có đêm {due:%d/%m/%Y}",
                    en=f"the newest night that was loaded is {night}; that of {due} should be there",
                ),
                remedy=Words(
                    vi="kiểm tra Airflow có chạy không (make status) và các DAG ingest có bị tạm dừng không",
                    en="look whether Airflow runs (make status), and whether the ingest DAGs are paused",
                ),
                **common,
            )
        )
    return found


def _failed_runs(connection: Connection) -> list[Cause]:
    rows = connection.execute(text("select * from ops.run_fault order by dag_id")).mappings()
    return [
        Cause(
            key=f"run_failed/{row['dag_id']}",
            severity="critical",
            fingerprint=",".join(sorted(row["tasks"])) or row["reason"],
            agency=PROJECT,
            owner=OPERATORS,
            since=local_day(row["since"]) - timedelta(days=1),
            title=Words(vi=f"DAG {row['dag_id']} gặp lỗi", en=f"the DAG {row['dag_id']} fails"),
            what=Words(
                vi=f"lỗi của hệ thống, không phải của cơ quan: {_tasks(row['tasks'])} ({brief(row['reason'])})",
                en=f"a fault of ours, not of an agency: {_tasks(row['tasks'])} ({brief(row['reason'])})",
            ),
            effect=Effect(state="held", words=_WHOLE_INDEX),
            remedy=Words(
                vi="đọc nhật ký của tác vụ trong Airflow, sửa, rồi Clear tác vụ; làm lại không gây hại",
                en="read the task's log in Airflow, mend it, and clear the task; repeating does no harm",
            ),
            runbook=ANNUAL if row["dag_id"].startswith("annual_") else OURS,
        )
        for row in rows
    ]


def _undecided(moment: datetime, settings: Settings) -> list[Cause]:
    """Feeds with a batch that landed a while ago and is not decided: the gate or the load did not get through."""
    found = []
    for feed in store_of(settings).folders(LANDING):
        skip = state.decided_batches(feed, settings=settings)
        waiting = [
            each
            for each in ledger.manifests(settings, feed, skip=skip)
            if each.outcome == "landed" and each.finished_at < moment - UNDECIDED_AFTER
        ]
        if not waiting:
            continue
        sources = sorted({each.source_id for each in waiting})
        listed = ", ".join(sources)
        found.append(
            Cause(
                key=f"batches_undecided/{feed}",
                severity="critical",
                fingerprint=listed,
                feed=feed,
                agency=PROJECT,
                owner=OPERATORS,
                since=min(each.night for each in waiting),
                title=Words(vi=f"{feed}: số liệu đã về nhưng chưa được nạp", en=f"{feed}: what landed is not loaded"),
                what=Words(
                    vi=f"{len(waiting)} lô của {listed} chờ kiểm tra hoặc nạp hơn 3 giờ",
                    en=f"{len(waiting)} batches of {listed} have waited for the gate or the load for more than 3 h",
                ),
                effect=Effect(
                    state="held",
                    words=Words(
                        vi="Chỉ số dùng số liệu của các đêm trước cho những nguồn này. Không mất gì.",
                        en="The index stands on earlier nights of these sources. Nothing is lost.",
                    ),
                ),
                remedy=Words(
                    vi=f"mở DAG ingest_{feed}: đọc nhật ký của gate và load, sửa, rồi Clear",
                    en=f"open the DAG ingest_{feed}: read the logs of gate and load, mend, then clear them",
                ),
                runbook=OURS,
            )
        )
    return found


def _night_checks(connection: Connection) -> list[Cause]:
    return [
        Cause(
            key=f"night_check/{row['rule']}",
            severity="critical",
            fingerprint=row["where_"],
            agency=PROJECT,
            owner=OPERATORS,
            since=row["since"],
            title=Words(vi=f"kiểm tra đêm {row['rule']} không đạt", en=f"the night check {row['rule']} fails"),
            what=Words(
                vi=brief(f"{row['reason_vi']} ({row['places']} chỗ: {row['where_']}). {row['first_'] or ''}"),
                en=brief(f"{row['reason']} ({row['places']} places: {row['where_']}). {row['first_'] or ''}"),
            ),
            effect=Effect(
                state="unknown",
                words=Words(
                    vi="Chỉ số của đêm đã tính, nhưng chưa nên tin trước khi có người xem.",
                    en="The night's index was computed, but is not to be trusted before somebody looked.",
                ),
            ),
            remedy=Words(
                vi=f"xem từng chỗ: {_SEE}",
                en=f"see each place: {_SEE}",
            ),
            runbook=REJECTED_BATCH,
        )
        for row in connection.execute(text(_CHECKS)).mappings()
    ]


def _tasks(names: list[str]) -> str:
    return ", ".join(names) or "–"
