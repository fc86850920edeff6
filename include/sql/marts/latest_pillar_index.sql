-- Grain: one row is one pillar of one unit of the newest night.
create view marts.latest_pillar_index as
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
    s.pillar_no,
    s.pillar_code,
    s.pillar_name,
    s.pillar_name_en,
    s.points,
    s.max_points,
    s.index_value,
    s.index_unrounded,
    s.coverage,
    s.rank_national,
    s.rank_region
from marts.pillar_index as s
where s.run_id = (select r.run_id from marts.latest_run as r);

comment on view marts.latest_pillar_index is 'One row is one pillar of one unit in the newest night''s run';
comment on column marts.latest_pillar_index.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.latest_pillar_index.as_of_date is 'Nothing after this day counts';
comment on column marts.latest_pillar_index.year is 'Reporting year';
comment on column marts.latest_pillar_index.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.latest_pillar_index.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.latest_pillar_index.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.latest_pillar_index.unit_id is 'The unit, such as P34-66';
comment on column marts.latest_pillar_index.unit_name is 'Vietnamese name of the unit';
comment on column marts.latest_pillar_index.unit_name_en is 'English name of the unit';
comment on column marts.latest_pillar_index.region_code is 'Region of the unit';
comment on column marts.latest_pillar_index.region_name is 'Vietnamese name of the region';
comment on column marts.latest_pillar_index.pillar_no is 'Official order of the pillar, from 1';
comment on column marts.latest_pillar_index.pillar_code is 'Pillar: NT, TC, HT, NL, AT, CQS, KTS or XHS';
comment on column marts.latest_pillar_index.pillar_name is 'Legal name of the pillar';
comment on column marts.latest_pillar_index.pillar_name_en is 'English name of the pillar';
comment on column marts.latest_pillar_index.points is 'Points earned, to 12 decimals';
comment on column marts.latest_pillar_index.max_points is 'Points at full score';
comment on column marts.latest_pillar_index.index_value is 'The index as published, 0 to 1, rounded half up once';
comment on column marts.latest_pillar_index.index_unrounded is 'The index before rounding, to 12 decimals';
comment on column marts.latest_pillar_index.coverage is 'Share of the points, 0 to 1, that is not missing';
comment on column marts.latest_pillar_index.rank_national is 'Competition rank among all units: 15, 15, 17';
comment on column marts.latest_pillar_index.rank_region is 'Competition rank in the region';
