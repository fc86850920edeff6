-- Grain: one row is one officially published figure of one unit and reporting year.
create view marts.published_index as
with known as (
    select
        p.*,
        u.name_vi as unit_name,
        u.region_code,
        count(p.value) over same_list as values_count,
        rank() over (same_list order by p.value desc nulls last) as rank_by_value,
        count(p.value) over same_region as region_values_count,
        rank() over (same_region order by p.value desc nulls last) as rank_region_by_value
    from ref.published_index as p
    inner join ref.unit as u on p.unit_id = u.unit_id
    window
        same_list as (partition by p.year, p.geography, p.measure),
        same_region as (partition by p.year, p.geography, p.measure, u.region_code)
),

units as (
    select
        geography,
        count(*) as units_count
    from ref.unit
    where unit_level = 'province'
    group by geography
),

region_units as (
    select
        geography,
        region_code,
        count(*) as units_count
    from ref.unit
    where unit_level = 'province'
    group by geography, region_code
)

select
    k.year,
    k.geography,
    k.unit_id,
    k.unit_name,
    k.region_code,
    g.name_vi as region_name,
    k.measure,
    k.value,
    k.rank,
    case
        when k.value is null then 'rank_only'
        when k.rank is null then 'value_only'
        else 'value_and_rank'
    end as published_part,
    case when k.values_count = u.units_count then k.rank_by_value end as rank_by_value,
    case when k.region_values_count = r.units_count then k.rank_region_by_value end as rank_region_by_value,
    r.units_count as region_units_count,
    k.decision,
    k.provenance,
    k.source
from known as k
inner join units as u on k.geography = u.geography
inner join region_units as r on k.geography = r.geography and k.region_code = r.region_code
left join ref.region as g on k.geography = g.geography and k.region_code = g.region_code;

comment on view marts.published_index is
'One row is one officially published figure of one unit and reporting year; nothing is filled in';
comment on column marts.published_index.year is 'Reporting year; results come 7 to 14 months after its end';
comment on column marts.published_index.geography is 'Geography in which it was published: 63 or 34';
comment on column marts.published_index.unit_id is 'The unit, such as P63-66';
comment on column marts.published_index.unit_name is 'Vietnamese name of the unit';
comment on column marts.published_index.region_code is 'Region of the unit';
comment on column marts.published_index.region_name is 'Vietnamese name of the region';
comment on column marts.published_index.measure is
'PDTI, a pillar (NT, TC, HT, NL, AT, CQS, KTS, XHS) or a composite (CHINH_QUYEN_SO, KINH_TE_SO, XA_HOI_SO)';
comment on column marts.published_index.value is 'Published value, 4 decimals; empty where only a rank was published';
comment on column marts.published_index.rank is
'Published national rank, ties share one; empty where none was published';
comment on column marts.published_index.published_part is 'What was published: value_and_rank, value_only or rank_only';
comment on column marts.published_index.rank_by_value is
'Our own competition rank of the published values, where those of all units are known; not official';
comment on column marts.published_index.rank_region_by_value is
'Our own competition rank in the region, where the values of all its units are known; not official';
comment on column marts.published_index.region_units_count is 'Units of the region: 5 in "2nd of 5 in Tây Nguyên"';
comment on column marts.published_index.decision is
'The method in force; values under different decisions are not comparable';
comment on column marts.published_index.provenance is 'How the figure reached us';
comment on column marts.published_index.source is 'Where it was read';
