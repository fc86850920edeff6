-- Grain: one row is one unit, source and kind of restatement between runs :before and :after: days that say something
-- else, or say something at last, by batches that one of the two knew and the other did not.
-- A batch that had landed by the later cut-off counts for it, even if it was loaded a little after.
with cut as (
    select
        min(coalesce(data_cut_off, finished_at)) as earlier,
        max(coalesce(data_cut_off, finished_at)) as later,
        min(period_from) as first_day,
        max(as_of_date) as last_day
    from score.run
    where run_id in (:before, :after)
),

counted as (
    select
        r.unit_id,
        r.feed,
        r.source_id,
        r.kind,
        r.day,
        r.changes
    from cut as c
    inner join ops.restatement as r
        on c.earlier < r.recorded_at and r.day between c.first_day and c.last_day
    where
        r.recorded_at <= c.later
        or exists (
            select 1
            from ops.batch as b
            where b.batch_id = any(r.batch_ids) and b.finished_at <= c.later
        )
)

select
    r.unit_id,
    u.name_vi as unit_name,
    s.unit_id_34 as successor_unit_id,
    r.feed,
    r.source_id,
    r.kind,
    count(distinct r.day) as days_count,
    min(r.day) as first_day,
    max(r.day) as last_day,
    array_agg(distinct k.name order by k.name) filter (where k.name is not null) as columns
from counted as r
inner join ref.unit as u on r.unit_id = u.unit_id
left join ref.unit_succession as s on r.unit_id = s.unit_id_63
left join lateral jsonb_object_keys(r.changes) as k (name) on true
group by r.unit_id, u.name_vi, s.unit_id_34, r.feed, r.source_id, r.kind
order by r.unit_id, r.feed, r.source_id, r.kind
