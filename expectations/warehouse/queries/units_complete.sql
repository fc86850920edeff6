-- Grain: the run of the night. Every unit of its geography and level has every composite and every pillar with points,
-- once, and every indicator of the framework; no other unit has any.
with run as (
    select
        r.run_id,
        r.framework_id,
        r.framework_hash,
        r.geography,
        f.unit_level
    from score.run as r
    inner join method.framework as f on r.framework_id = f.framework_id and r.framework_hash = f.framework_hash
    where r.run_id = cast(:run_id as text)
),

measure as (
    select 'composite ' || c.composite_code as measure
    from method.composite as c
    inner join run as r on c.framework_id = r.framework_id and c.framework_hash = r.framework_hash
    union all
    select 'pillar ' || p.pillar_code as measure
    from method.pillar as p
    inner join run as r on p.framework_id = r.framework_id and p.framework_hash = r.framework_hash
    where p.max_points > 0
    union all
    select 'indicator ' || i.indicator_code as measure
    from method.indicator as i
    inner join run as r on i.framework_id = r.framework_id and i.framework_hash = r.framework_hash
),

expected as (
    select
        u.unit_id,
        m.measure
    from run as r
    inner join ref.unit as u on r.geography = u.geography and r.unit_level = u.unit_level
    cross join measure as m
),

shown as (
    select
        unit_id,
        'composite ' || composite_code as measure
    from marts.composite_index
    where run_id = cast(:run_id as text)
    union all
    select
        unit_id,
        'pillar ' || pillar_code as measure
    from marts.pillar_index
    where run_id = cast(:run_id as text)
    union all
    select
        unit_id,
        'indicator ' || indicator_code as measure
    from marts.indicator_score
    where run_id = cast(:run_id as text)
),

counted as (
    select
        unit_id,
        measure,
        count(*) as times
    from shown
    group by unit_id, measure
),

compared as (
    select
        coalesce(e.unit_id, c.unit_id) as unit_id,
        coalesce(e.measure, c.measure) as measure,
        e.unit_id is null as is_too_many,
        coalesce(c.times, 0) as times
    from expected as e
    full join counted as c on e.unit_id = c.unit_id and e.measure = c.measure
)

select
    count(*) as checked_count,
    count(*) filter (where is_too_many or times <> 1) as failed_count,
    string_agg(format('%s, %s: %s times', unit_id, measure, times), '; ' order by unit_id, measure)
    filter (where is_too_many or times <> 1) as detail
from compared
having count(*) > 0
