-- Grain: one row is one composite whose coverage fell by more than its limit from run :before to :after, of one unit or
-- (empty unit) in the mean over all units.
with pair as (
    select
        a.unit_id,
        a.composite_code as measure,
        b.coverage as coverage_before,
        a.coverage as coverage_after
    from score.composite_index as a
    inner join score.composite_index as b using (unit_id, composite_code)
    where a.run_id = :after and b.run_id = :before
),

fallen as (
    select
        unit_id,
        measure,
        coverage_before,
        coverage_after,
        cast(:unit_limit as numeric) as drop_max
    from pair
    union all
    select
        null as unit_id,
        measure,
        avg(coverage_before) as coverage_before,
        avg(coverage_after) as coverage_after,
        cast(:mean_limit as numeric) as drop_max
    from pair
    group by measure
)

select
    f.unit_id,
    u.name_vi as unit_name,
    f.measure,
    round(f.coverage_before, 6) as coverage_before,
    round(f.coverage_after, 6) as coverage_after,
    round(f.coverage_before - f.coverage_after, 6) as coverage_drop
from fallen as f
left join ref.unit as u on f.unit_id = u.unit_id
where f.coverage_before - f.coverage_after > f.drop_max
order by f.unit_id nulls first, f.measure
