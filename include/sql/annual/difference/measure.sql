-- Grain: one row is one composite or pillar with points of the framework of run :run_id, composites first.
with measure as (
    select
        'composite' as kind,
        c.composite_code as code,
        c.position,
        c.name_vi,
        c.name_en,
        1 as part
    from method.composite as c
    inner join score.run as r using (framework_id, framework_hash)
    where r.run_id = :run_id
    union all
    select
        'pillar' as kind,
        p.pillar_code as code,
        p.position,
        p.name_vi,
        p.name_en,
        2 as part
    from method.pillar as p
    inner join score.run as r using (framework_id, framework_hash)
    where r.run_id = :run_id and p.max_points > 0
)

select
    kind,
    code,
    name_vi,
    name_en
from measure
order by part, position
