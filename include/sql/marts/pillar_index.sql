-- Grain: one row is one pillar of one unit in one complete run; pillars without points have none.
create view marts.pillar_index as
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
    p.position as pillar_no,
    s.pillar_code,
    p.name_vi as pillar_name,
    p.name_en as pillar_name_en,
    trim_scale(round(s.points, 12)) as points,
    s.max_points,
    s.index_value,
    round(s.index_unrounded, 12) as index_unrounded,
    trim_scale(round(s.coverage, 12)) as coverage,
    s.rank_national,
    s.rank_region
from score.pillar_index as s
inner join score.run as r on s.run_id = r.run_id and r.status = 'complete'
inner join method.pillar as p
    on
        r.framework_id = p.framework_id
        and r.framework_hash = p.framework_hash
        and s.pillar_code = p.pillar_code
inner join ref.unit as u on s.unit_id = u.unit_id
left join ref.region as g on u.geography = g.geography and u.region_code = g.region_code;

comment on view marts.pillar_index is 'One row is one pillar (main index) of one unit in one run';
comment on column marts.pillar_index.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.pillar_index.as_of_date is 'Nothing after this day counts';
comment on column marts.pillar_index.year is 'Reporting year';
comment on column marts.pillar_index.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.pillar_index.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.pillar_index.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.pillar_index.unit_id is 'The unit, such as P34-66';
comment on column marts.pillar_index.unit_name is 'Vietnamese name of the unit';
comment on column marts.pillar_index.unit_name_en is 'English name of the unit';
comment on column marts.pillar_index.region_code is 'Region of the unit';
comment on column marts.pillar_index.region_name is 'Vietnamese name of the region';
comment on column marts.pillar_index.pillar_no is 'Official order of the pillar, from 1';
comment on column marts.pillar_index.pillar_code is 'Pillar: NT, TC, HT, NL, AT, CQS, KTS or XHS';
comment on column marts.pillar_index.pillar_name is 'Legal name of the pillar';
comment on column marts.pillar_index.pillar_name_en is 'English name of the pillar';
comment on column marts.pillar_index.points is 'Points earned, to 12 decimals';
comment on column marts.pillar_index.max_points is 'Points at full score';
comment on column marts.pillar_index.index_value is 'The index as published, 0 to 1, rounded half up once';
comment on column marts.pillar_index.index_unrounded is 'The index before rounding, to 12 decimals';
comment on column marts.pillar_index.coverage is 'Share of the points, 0 to 1, that is not missing';
comment on column marts.pillar_index.rank_national is 'Competition rank among all units: 15, 15, 17';
comment on column marts.pillar_index.rank_region is 'Competition rank in the region';
