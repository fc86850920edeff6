"""Corrections that expired, publications that are outdated, recomputations that wait for a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from dti.attention.model import Cause, Effect, the_night
from dti.attention.night_causes import ANNUAL, PROJECT
from dti.attention.source_causes import brief, unnumbered
from dti.clock import ZONE, local_day
from dti.explain.model import Words

CORRECTIONS = "docs/corrections.md"
_NO_EFFECT = Words(vi="Chỉ số hằng đêm không đổi.", en="The nightly index is not touched.")
_EXPIRED = """
    select c.correction_id, min(c.target) as target, min(coalesce(c.target_name, c.target)) as target_name,
        array_agg(distinct c.unit_id) as units, string_agg(distinct c.unit_name, ', ') as unit_names,
        min(c.detail) as detail, min(c.as_of_date) as night, min(c.reason) as reason
    from marts.latest_run as r
    inner join marts.correction as c on c.run_id in (r.run_id, r.parts_run_id)
    where c.status = 'expired'
    group by c.correction_id
"""
_OUTDATED = """
    select publication_id, year, outdated_since, outdated_by, outdated_days
    from marts.published_version where is_newest and is_outdated
"""
_WAITING = """
    select request_id, year, status_at, reason from annual.request
    where status = 'waiting' and status_at < :before
"""


def year_causes(connection: Connection, moment: datetime, request_waits_days: int) -> list[Cause]:
    """Everything about corrections and published years, as it stands at ``moment``."""
    return [
        *_expired_corrections(connection),
        *_outdated_publications(connection),
        *_waiting_requests(connection, moment, request_waits_days),
    ]


def _expired_corrections(connection: Connection) -> list[Cause]:
    return [
        Cause(
            key=f"correction_expired/{row['correction_id']}",
            severity="warning",
            fingerprint=unnumbered(row["detail"] or ""),
            agency=row["unit_names"],
            since=row["night"],
            title=Words(
                vi=f"hiệu chỉnh {row['correction_id']} hết hiệu lực", en=f"correction {row['correction_id']} expired"
            ),
            what=Words(
                vi=brief(f"{row['target_name']}: {row['detail']}"), en=brief(f"{row['target']}: {row['detail']}")
            ),
            effect=Effect(
                state="held",
                units=list(row["units"]),
                words=Words(
                    vi=f"Chỉ số của {row['unit_names']} dùng số liệu của nguồn, không dùng hiệu chỉnh này nữa.",
                    en=f"The index of {row['unit_names']} takes the source's figure and no longer this correction.",
                ),
            ),
            remedy=Words(
                vi="nếu nguồn đã sửa đúng thì bỏ tệp hiệu chỉnh; nếu không thì viết lại theo số mới",
                en="remove it when the source is right now; else write it anew for the figure that stands there",
            ),
            runbook=CORRECTIONS,
        )
        for row in connection.execute(text(_EXPIRED)).mappings()
    ]


def _outdated_publications(connection: Connection) -> list[Cause]:
    found = []
    for row in connection.execute(text(_OUTDATED)).mappings():
        since = the_night(row["outdated_since"])
        assert since is not None  # noqa: S101 — it is outdated, so it is known since when
        found.append(
            Cause(
                key=f"publication_outdated/{row['publication_id']}",
                severity="warning",
                fingerprint=row["outdated_by"],
                agency=PROJECT,
                since=local_day(row["outdated_since"]) - timedelta(days=1),
                title=Words(
                    vi=f"công bố năm {row['year']} không còn khớp với số liệu",
                    en=f"what was published of {row['year']} is outdated",
                ),
                what=Words(
                    vi=f"{row['outdated_by']} đã thay đổi {row['outdated_days']} ngày của năm, từ {since.vi}",
                    en=f"{row['outdated_by']} restated {row['outdated_days']} days of the year, from {since.en} on",
                ),
                effect=Effect(
                    state="held",
                    words=Words(
                        vi=f"{row['publication_id']} giữ nguyên như đã công bố. {_NO_EFFECT.vi}",
                        en=f"{row['publication_id']} stays as it was published. {_NO_EFFECT.en}",
                    ),
                ),
                remedy=Words(
                    vi="xem thay đổi có đáng kể không; nếu có, yêu cầu tính lại năm đó",
                    en="see whether it matters; if so, ask for the year to be recomputed",
                ),
                runbook=ANNUAL,
            )
        )
    return found


def _waiting_requests(connection: Connection, moment: datetime, days: int) -> list[Cause]:
    rows = connection.execute(text(_WAITING), {"before": moment - timedelta(days=days)}).mappings()
    return [
        Cause(
            key=f"request_waiting/{row['request_id']}",
            severity="warning",
            fingerprint="waiting",
            agency=PROJECT,
            since=local_day(row["status_at"]),
            title=Words(
                vi=f"tính lại năm {row['year']} đang chờ phê duyệt",
                en=f"the recomputation of {row['year']} waits for approval",
            ),
            what=Words(
                vi=f"{row['request_id']} chờ từ {row['status_at'].astimezone(ZONE):%d/%m/%Y %H:%M}, quá {days} ngày",
                en=f"{row['request_id']} has waited since {row['status_at'].astimezone(ZONE):%Y-%m-%d %H:%M}, "
                f"for more than {days} days",
            ),
            effect=Effect(
                state="none",
                words=Words(
                    vi=f"Năm {row['year']} chưa được công bố. {_NO_EFFECT.vi}",
                    en=f"{row['year']} is not published. {_NO_EFFECT.en}",
                ),
            ),
            remedy=Words(
                vi="đọc báo cáo rồi phê duyệt hoặc từ chối trong Airflow (Required Actions)",
                en="read the report and approve or reject it in Airflow (Required Actions)",
            ),
            runbook=ANNUAL,
        )
        for row in rows
    ]
