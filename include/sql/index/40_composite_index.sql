-- Grain: one row is one composite of one unit: the weighted mean of its unrounded pillar indices.
insert into score.composite_index (
    run_id,
    unit_id,
    composite_code,
    index_unrounded,
    index_value,
    coverage,
    rank_national,
    rank_region
)
with weighted as (
    select
        p.unit_id,
        w.composite_code,
        f.decimals,
        round(sum(w.weight * p.index_unrounded), 30) / sum(w.weight) as index_unrounded,
        round(sum(w.weight * p.coverage), 30) / sum(w.weight) as coverage
    from score.run as r
    inner join method.framework as f using (framework_id, framework_hash)
    inner join method.composite_weight as w using (framework_id, framework_hash)
    inner join score.pillar_index as p on r.run_id = p.run_id and w.pillar_code = p.pillar_code
    where r.run_id = :run_id
    group by p.unit_id, w.composite_code, f.decimals
),

rounded as (
    select
        *,
        round(round(index_unrounded, 12), decimals) as index_value
    from weighted
)

select
    :run_id as run_id,
    i.unit_id,
    i.composite_code,
    i.index_unrounded,
    i.index_value,
    i.coverage,
    rank() over (partition by i.composite_code order by i.index_value desc) as rank_national,
    rank() over (partition by i.composite_code, u.region_code order by i.index_value desc) as rank_region
from rounded as i
inner join unit as u using (unit_id)
