-- Grain: one row is one officially published figure of one unit and reporting year.
create view marts.published_index as
with known as (
    select
        p.*,
        count(p.value) over same_list as values_count,
        rank() over (same_list order by p.value desc nulls last) as rank_by_value
    from ref.published_index as p
    window same_list as (partition by p.year, p.geography, p.measure)
),

units as (
    select
        u.geography,
        count(*) as units_count
    from ref.unit as u
    group by u.geography
)

select
    k.year,
    k.geography,
    k.unit_id,
    u.name_vi as unit_name,
    u.region_code,
    k.measure,
    k.value,
    k.rank,
    case
        when k.value is null then 'rank_only'
        when k.rank is null then 'value_only'
        else 'value_and_rank'
    end as published_part,
    case when k.values_count = units.units_count then k.rank_by_value end as rank_by_value,
    k.decision,
    k.provenance,
    k.source
from known as k
inner join ref.unit as u on k.unit_id = u.unit_id
inner join units on k.geography = units.geography;

comment on view marts.published_index is
'One row is one officially published figure of one unit and reporting year; nothing is filled in';
comment on column marts.published_index.year is 'Reporting year; results come 7 to 14 months after its end';
comment on column marts.published_index.geography is 'Geography in which it was published: 63 or 34';
comment on column marts.published_index.unit_id is 'The unit, such as P63-66';
comment on column marts.published_index.unit_name is 'Vietnamese name of the unit';
comment on column marts.published_index.region_code is 'Region of the unit';
comment on column marts.published_index.measure is
'PDTI, a pillar (NT, TC, HT, NL, AT, CQS, KTS, XHS) or a composite (CHINH_QUYEN_SO, KINH_TE_SO, XA_HOI_SO)';
comment on column marts.published_index.value is 'Published value, 4 decimals; empty where only a rank was published';
comment on column marts.published_index.rank is
'Published national rank, ties share one; empty where none was published';
comment on column marts.published_index.published_part is 'What was published: value_and_rank, value_only or rank_only';
comment on column marts.published_index.rank_by_value is
'Our own competition rank of the published values, where those of all units are known; not official';
comment on column marts.published_index.decision is
'The method in force; values under different decisions are not comparable';
comment on column marts.published_index.provenance is 'How the figure reached us';
comment on column marts.published_index.source is 'Where it was read';
