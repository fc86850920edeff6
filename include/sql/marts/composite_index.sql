-- Grain: one row is one composite index of one unit in one complete run.
create view marts.composite_index as
select
    s.run_id,
    r.as_of_date,
    r.year,
    r.framework_id,
    r.geography,
    r.synthetic,
    s.unit_id,
    u.name_vi as unit_name,
    u.name_en as unit_name_en,
    u.region_code,
    g.name_vi as region_name,
    c.position as composite_no,
    s.composite_code,
    c.name_vi as composite_name,
    c.name_en as composite_name_en,
    s.index_value,
    round(s.index_unrounded, 12) as index_unrounded,
    trim_scale(round(s.coverage, 12)) as coverage,
    s.rank_national,
    s.rank_region
from score.composite_index as s
inner join score.run as r on s.run_id = r.run_id and r.status = 'complete'
inner join method.composite as c
    on
        r.framework_id = c.framework_id
        and r.framework_hash = c.framework_hash
        and s.composite_code = c.composite_code
inner join ref.unit as u on s.unit_id = u.unit_id
left join ref.region as g on u.geography = g.geography and u.region_code = g.region_code;

comment on view marts.composite_index is 'One row is one composite index of one unit in one run';
comment on column marts.composite_index.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.composite_index.as_of_date is 'Nothing after this day counts';
comment on column marts.composite_index.year is 'Reporting year';
comment on column marts.composite_index.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.composite_index.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.composite_index.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.composite_index.unit_id is 'The unit, such as P34-66';
comment on column marts.composite_index.unit_name is 'Vietnamese name of the unit';
comment on column marts.composite_index.unit_name_en is 'English name of the unit';
comment on column marts.composite_index.region_code is 'Region of the unit';
comment on column marts.composite_index.region_name is 'Vietnamese name of the region';
comment on column marts.composite_index.composite_no is 'Order in which composites are shown, from 1';
comment on column marts.composite_index.composite_code is 'PDTI, CHINH_QUYEN_SO, KINH_TE_SO or XA_HOI_SO';
comment on column marts.composite_index.composite_name is 'Legal name of the composite';
comment on column marts.composite_index.composite_name_en is 'English name of the composite';
comment on column marts.composite_index.index_value is 'The index as published, 0 to 1, rounded half up once';
comment on column marts.composite_index.index_unrounded is 'The index before rounding, to 12 decimals';
comment on column marts.composite_index.coverage is 'Weighted mean of the pillars'' coverage, 0 to 1';
comment on column marts.composite_index.rank_national is 'Competition rank among all units: 15, 15, 17';
comment on column marts.composite_index.rank_region is 'Competition rank in the region';
