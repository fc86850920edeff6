"""Scores of nights long ago: of each month its last night stays, and whatever somebody refers to."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, text

from dti import clock
from dti.maintenance.model import Tidied
from dti.settings import Settings
from dti.warehouse import connect

AT_ONCE = 20
"""Runs in one transaction: each has some ten thousand rows."""

_OLD = """
    with night as (
        select
            run_id,
            parts_run_id,
            kind,
            as_of_date,
            row_number() over (
                partition by kind, framework_id, geography, merge_method, date_trunc('month', as_of_date)
                order by as_of_date desc, finished_at desc
            ) as from_month_end
        from score.run
        where status = 'complete' and kind in ('night', 'night_parts')
    ),

    kept as (
        select run_id, parts_run_id from night where as_of_date >= :before or from_month_end = 1
        union
        select r.run_id, r.parts_run_id
        from score.run as r
        where
            r.kind not in ('night', 'night_parts')
            or r.run_id in (select run_id from annual.request)
            or r.run_id in (select as_of_run_id from annual.request)
            or r.run_id in (select run_id from published.publication)
            or r.run_id in (select parts_run_id from published.publication)
            or exists (
                select from annual.request as q
                where position(to_json(r.run_id)::text in q.compared_with::text) > 0
            )
    )

    select n.run_id
    from night as n
    where n.run_id not in (
        select run_id from kept union all select parts_run_id from kept where parts_run_id is not null
    )
    order by n.parts_run_id nulls last, n.as_of_date, n.run_id
"""
"""Averaged runs before the runs of their parts, which they refer to."""


def thin(settings: Settings, dry_run: bool) -> Tidied:
    """Remove nightly runs older than ``night_run_days``, but for the last night of each month.

    What a request, its comparison or a publication refers to stays, and so does every run that is not a night's.
    What is published has its own tables, which this never touches. Twenty runs a transaction.
    """
    before = clock.local_day(clock.now()) - timedelta(days=settings.night_run_days)
    database = connect.engine(settings, "loader")
    with database.connect() as connection:
        old = list(connection.execute(text(_OLD), {"before": before}).scalars())
        size = _bytes_of_a_run(connection)
    if not dry_run:
        for start in range(0, len(old), AT_ONCE):
            with database.begin() as connection:
                connection.execute(
                    text("delete from score.run where run_id = any(:ids)"), {"ids": old[start : start + AT_ONCE]}
                )
    detail = f"nightly runs before {before}, but month ends and what is referred to; space is used again"
    return Tidied("index runs", len(old), round(size * len(old)), detail)


def _bytes_of_a_run(connection: Connection) -> float:
    """What a run takes on average; the tables give the space to later runs, not back to the disk."""
    query = """
        select sum(pg_total_relation_size(c.oid)) / greatest((select count(*) from score.run), 1)
        from pg_class as c where c.relnamespace = 'score'::regnamespace and c.relkind = 'r'
    """
    return float(connection.execute(text(query)).scalar_one() or 0)
