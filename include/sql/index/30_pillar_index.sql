-- Grain: one row is one pillar of one unit; a pillar without points has no index, because 0 of 0 is no number.
-- Rounded once: snapped to 12 decimals, which removes the hair that a sum of thirds stops short by, then as published.
insert into score.pillar_index (
    run_id,
    unit_id,
    pillar_code,
    points,
    max_points,
    index_unrounded,
    index_value,
    coverage,
    rank_national,
    rank_region
)
with pillar as (
    select
        s.unit_id,
        p.pillar_code,
        p.max_points,
        f.decimals,
        sum(s.points) as points,
        sum(s.coverage * s.max_points) as max_points_known
    from score.run as r
    inner join method.framework as f using (framework_id, framework_hash)
    inner join method.pillar as p using (framework_id, framework_hash)
    inner join score.indicator_score as s on r.run_id = s.run_id and p.pillar_code = s.pillar_code
    where r.run_id = :run_id and p.max_points > 0
    group by s.unit_id, p.pillar_code, p.max_points, f.decimals
),

divided as (
    select
        *,
        round(points, 30) / max_points as index_unrounded,
        round(max_points_known, 30) / max_points as coverage
    from pillar
),

rounded as (
    select
        *,
        round(round(index_unrounded, 12), decimals) as index_value
    from divided
)

select
    :run_id as run_id,
    i.unit_id,
    i.pillar_code,
    i.points,
    i.max_points,
    i.index_unrounded,
    i.index_value,
    i.coverage,
    rank() over (partition by i.pillar_code order by i.index_value desc) as rank_national,
    rank() over (partition by i.pillar_code, u.region_code order by i.index_value desc) as rank_region
from rounded as i
inner join unit as u using (unit_id)
