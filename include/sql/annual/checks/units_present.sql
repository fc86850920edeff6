-- Grain: one row is one unit of :units that the run :run_id has no index of, for one pillar with points or composite.
with expected as (
    select
        u.unit_id,
        p.pillar_code as measure
    from jsonb_to_recordset(cast(:units as jsonb)) as u (unit_id text)
    cross join score.run as r
    inner join method.pillar as p using (framework_id, framework_hash)
    where r.run_id = :run_id and p.max_points > 0
    union all
    select
        u.unit_id,
        c.composite_code
    from jsonb_to_recordset(cast(:units as jsonb)) as u (unit_id text)
    cross join score.run as r
    inner join method.composite as c using (framework_id, framework_hash)
    where r.run_id = :run_id
),

present as (
    select
        unit_id,
        pillar_code as measure
    from score.pillar_index
    where run_id = :run_id
    union all
    select
        unit_id,
        composite_code
    from score.composite_index
    where run_id = :run_id
)

select
    unit_id,
    measure,
    case when e.unit_id is null then 'is not expected' else 'is missing' end as fault
from expected as e
full join present as p using (unit_id, measure)
where e.unit_id is null or p.unit_id is null
order by unit_id, measure
