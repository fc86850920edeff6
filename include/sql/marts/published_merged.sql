-- Grain: one row is one measure of one merged unit and reporting year, derived from the published figures of all its
-- former provinces. The mean is of rounded figures, so the last decimal may differ from a mean of unrounded ones.
create view marts.published_merged as
with former_units as (
    select
        s.unit_id_34 as unit_id,
        count(*) as units_count
    from ref.unit_succession as s
    group by s.unit_id_34
),

mean as (
    select
        p.year,
        s.unit_id_34 as unit_id,
        p.measure,
        min(p.decision) as decision,
        round(sum(p.value), 30) / count(*) as value_unrounded,
        array_agg(p.unit_id order by p.unit_id) as former_unit_ids
    from ref.published_index as p
    inner join ref.unit_succession as s on p.unit_id = s.unit_id_63
    inner join former_units as f on s.unit_id_34 = f.unit_id
    where p.value is not null
    group by p.year, s.unit_id_34, p.measure, f.units_count
    having count(*) = f.units_count
),

rounded as (
    select
        m.*,
        u.geography,
        u.name_vi as unit_name,
        u.region_code,
        round(round(m.value_unrounded, 12), 4) as value
    from mean as m
    inner join ref.unit as u on m.unit_id = u.unit_id
),

ranked as (
    select
        r.*,
        count(*) over same_list as values_count,
        rank() over (same_list order by r.value desc) as rank_by_value,
        rank() over (partition by r.year, r.measure, r.region_code order by r.value desc) as rank_region_by_value,
        count(*) over (partition by r.year, r.measure, r.region_code) as region_units_count
    from rounded as r
    window same_list as (partition by r.year, r.measure)
)

select
    r.year,
    r.geography,
    r.unit_id,
    r.unit_name,
    r.region_code,
    g.name_vi as region_name,
    r.measure,
    r.value,
    round(r.value_unrounded, 12) as value_unrounded,
    r.rank_by_value,
    r.rank_region_by_value,
    r.region_units_count,
    p.value as published_value,
    p.rank as published_rank,
    r.value - p.value as difference,
    r.former_unit_ids,
    r.decision,
    'derived: mean of the published figures of the former provinces' as provenance
from ranked as r
left join ref.region as g on r.geography = g.geography and r.region_code = g.region_code
left join ref.published_index as p on r.year = p.year and r.unit_id = p.unit_id and r.measure = p.measure
-- A rank among some is no rank: only lists that hold every merged unit.
where r.values_count = (select count(*) from former_units);

comment on view marts.published_merged is
'One row is one measure of one of the 34 provinces in a year measured on the 63: derived as the ministry derived 2024';
comment on column marts.published_merged.year is 'Reporting year, as measured on the former provinces';
comment on column marts.published_merged.geography is 'Geography of the merged units';
comment on column marts.published_merged.unit_id is 'The merged unit, such as P34-66';
comment on column marts.published_merged.unit_name is 'Vietnamese name of the unit';
comment on column marts.published_merged.region_code is 'Region of the unit in its own geography';
comment on column marts.published_merged.region_name is 'Vietnamese name of the region';
comment on column marts.published_merged.measure is 'PDTI, a pillar or a composite';
comment on column marts.published_merged.value is 'Simple mean of the former provinces'' published values, 4 decimals';
comment on column marts.published_merged.value_unrounded is 'The mean before rounding, to 12 decimals';
comment on column marts.published_merged.rank_by_value is 'Our own competition rank of value; not official';
comment on column marts.published_merged.rank_region_by_value is 'Our own competition rank in the region; not official';
comment on column marts.published_merged.region_units_count is 'Units of the region';
comment on column marts.published_merged.published_value is
'Officially published for the merged unit; empty: not known';
comment on column marts.published_merged.published_rank is 'Officially published rank of 34; empty: not known';
comment on column marts.published_merged.difference is
'value - published_value; 0.0001 is rounding: the ministry averaged unrounded figures';
comment on column marts.published_merged.former_unit_ids is 'The former provinces that were averaged';
comment on column marts.published_merged.decision is 'The method in force for the year';
comment on column marts.published_merged.provenance is 'Derived, never published as such';
