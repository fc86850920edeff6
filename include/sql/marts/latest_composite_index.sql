-- Grain: one row is one composite index of one unit of the newest night.
create view marts.latest_composite_index as
select
    s.run_id,
    s.as_of_date,
    s.year,
    s.framework_id,
    s.geography,
    s.synthetic,
    s.unit_id,
    s.unit_name,
    s.unit_name_en,
    s.region_code,
    s.region_name,
    s.composite_no,
    s.composite_code,
    s.composite_name,
    s.composite_name_en,
    s.index_value,
    s.index_unrounded,
    s.coverage,
    s.rank_national,
    s.rank_region
from marts.composite_index as s
where s.run_id = (select r.run_id from marts.latest_run as r);

comment on view marts.latest_composite_index is 'One row is one composite index of one unit in the newest night''s run';
comment on column marts.latest_composite_index.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.latest_composite_index.as_of_date is 'Nothing after this day counts';
comment on column marts.latest_composite_index.year is 'Reporting year';
comment on column marts.latest_composite_index.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.latest_composite_index.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.latest_composite_index.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.latest_composite_index.unit_id is 'The unit, such as P34-66';
comment on column marts.latest_composite_index.unit_name is 'Vietnamese name of the unit';
comment on column marts.latest_composite_index.unit_name_en is 'English name of the unit';
comment on column marts.latest_composite_index.region_code is 'Region of the unit';
comment on column marts.latest_composite_index.region_name is 'Vietnamese name of the region';
comment on column marts.latest_composite_index.composite_no is 'Order in which composites are shown, from 1';
comment on column marts.latest_composite_index.composite_code is 'PDTI, CHINH_QUYEN_SO, KINH_TE_SO or XA_HOI_SO';
comment on column marts.latest_composite_index.composite_name is 'Legal name of the composite';
comment on column marts.latest_composite_index.composite_name_en is 'English name of the composite';
comment on column marts.latest_composite_index.index_value is 'The index as published, 0 to 1, rounded half up once';
comment on column marts.latest_composite_index.index_unrounded is 'The index before rounding, to 12 decimals';
comment on column marts.latest_composite_index.coverage is 'Weighted mean of the pillars'' coverage, 0 to 1';
comment on column marts.latest_composite_index.rank_national is 'Competition rank among all units: 15, 15, 17';
comment on column marts.latest_composite_index.rank_region is 'Competition rank in the region';
