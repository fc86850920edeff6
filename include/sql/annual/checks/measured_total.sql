-- Grain: one row is one measured metric of one unit in the run :run_id, as it was before corrections.
-- A recomputed run keeps what each former unit gave as parts, an averaged one has its metrics in the run it averages.
-- Of several corrections of one metric, the first that was taken met what was measured.
with subject as (
    select
        s.run_id,
        s.merge_method
    from score.run as r
    inner join score.run as s on s.run_id = coalesce(r.parts_run_id, r.run_id)
    where r.run_id = :run_id
),

used as (
    select
        v.unit_id,
        v.feed,
        v.metric,
        v.value
    from subject as s
    inner join score.metric_value as v using (run_id)
    where s.merge_method = 'none' and v.basis = 'measured'
    union all
    select
        p.part_unit_id as unit_id,
        p.feed,
        p.metric,
        p.value
    from subject as s
    inner join score.metric_part as p using (run_id)
    where s.merge_method = 'recomputed' and p.basis = 'measured'
),

corrected as (
    select distinct on (c.unit_id, c.feed, c.target)
        c.unit_id,
        c.feed,
        c.target as metric,
        c.original_value
    from score.correction as c
    inner join subject as s on c.run_id = s.run_id
    where c.target_kind = 'metric' and c.basis = 'measured' and c.status = 'applied'
    order by c.unit_id asc, c.feed asc, c.target asc, c.position asc, c.correction_id asc
)

select
    unit_id,
    feed,
    metric,
    case when c.metric is null then u.value else c.original_value end as value
from used as u
full join corrected as c using (unit_id, feed, metric)
where case when c.metric is null then u.value else c.original_value end is not null
