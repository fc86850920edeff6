-- Grain: one row is one pillar or composite of one unit of run :run_id.
with indexed as (
    select
        unit_id,
        composite_code as measure,
        index_value,
        coverage,
        rank_national,
        rank_region
    from score.composite_index
    where run_id = :run_id
    union all
    select
        unit_id,
        pillar_code as measure,
        index_value,
        coverage,
        rank_national,
        rank_region
    from score.pillar_index
    where run_id = :run_id
)

select
    i.unit_id,
    u.name_vi as unit_name,
    g.name_vi as region_name,
    i.measure,
    i.index_value,
    i.coverage,
    i.rank_national,
    i.rank_region
from indexed as i
inner join ref.unit as u on i.unit_id = u.unit_id
inner join ref.region as g on u.geography = g.geography and u.region_code = g.region_code
order by i.measure, i.rank_national, u.name_vi
