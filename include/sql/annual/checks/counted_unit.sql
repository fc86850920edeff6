-- Grain: one row is one unit whose facts count in the run :run_id, with the first and last day of them.
-- The units of an averaged run have no facts of their own: those of the run that it averages do. Where former units
-- are merged, each counts over its own part of the period.
with subject as (
    select
        s.geography,
        s.merge_method,
        s.period_from,
        s.period_to,
        f.unit_level
    from score.run as r
    inner join score.run as s on s.run_id = coalesce(r.parts_run_id, r.run_id)
    inner join method.framework as f on s.framework_id = f.framework_id and s.framework_hash = f.framework_hash
    where r.run_id = :run_id
),

own as (
    select
        u.unit_id,
        s.merge_method,
        s.period_from,
        s.period_to,
        min(u.valid_from) over () as first_day
    from subject as s
    inner join unit as u on s.geography = u.geography and s.unit_level = u.unit_level
)

select
    unit_id,
    case when merge_method = 'recomputed' then greatest(period_from, first_day) else period_from end as from_day,
    period_to as to_day
from own
union all
select
    s.unit_id_63 as unit_id,
    o.period_from as from_day,
    least(o.period_to, o.first_day - 1) as to_day
from own as o
inner join unit_succession as s on o.unit_id = s.unit_id_34
where o.merge_method = 'recomputed'
