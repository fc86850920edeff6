-- Grain: one row is one pillar of one unit in one publication.
create view marts.published_pillar_index as
select
    p.publication_id,
    p.year,
    p.version,
    p.is_newest,
    p.is_outdated,
    p.framework_id,
    p.geography,
    p.synthetic,
    s.unit_id,
    s.unit_name,
    s.unit_name_en,
    s.region_code,
    s.region_name,
    s.pillar_no,
    s.pillar_code,
    s.pillar_name,
    s.pillar_name_en,
    s.provenance,
    trim_scale(round(s.points, 12)) as points,
    s.max_points,
    s.index_value,
    round(s.index_unrounded, 12) as index_unrounded,
    trim_scale(round(s.coverage, 12)) as coverage,
    s.rank_national,
    s.rank_region
from published.pillar_index as s
inner join marts.published_version as p on s.publication_id = p.publication_id;

comment on view marts.published_pillar_index is
'One row is one pillar of one unit in one year that this system published, all versions; the ministry''s official
results are in published_index';
comment on column marts.published_pillar_index.publication_id is 'The publication: year, family, geography and version';
comment on column marts.published_pillar_index.year is 'Reporting year';
comment on column marts.published_pillar_index.version is 'Counts up for each year, family and geography, from 1';
comment on column marts.published_pillar_index.is_newest is 'True: no later version of it exists';
comment on column marts.published_pillar_index.is_outdated is
'True: a source has since restated a day that counts in it; see published_version';
comment on column marts.published_pillar_index.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.published_pillar_index.geography is
'63 (until 30 June 2025) or 34 provinces, or another set of units';
comment on column marts.published_pillar_index.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.published_pillar_index.unit_id is 'The unit, such as P34-66';
comment on column marts.published_pillar_index.unit_name is 'Vietnamese name of the unit, as it was published';
comment on column marts.published_pillar_index.unit_name_en is 'English name of the unit';
comment on column marts.published_pillar_index.region_code is 'Region of the unit';
comment on column marts.published_pillar_index.region_name is 'Vietnamese name of the region';
comment on column marts.published_pillar_index.pillar_no is 'Official order of the pillar, from 1';
comment on column marts.published_pillar_index.pillar_code is 'Pillar: NT, TC, HT, NL, AT, CQS, KTS or XHS';
comment on column marts.published_pillar_index.pillar_name is 'Legal name of the pillar';
comment on column marts.published_pillar_index.pillar_name_en is 'English name of the pillar';
comment on column marts.published_pillar_index.provenance is 'Of name and points: quoted, inferred, or provisional';
comment on column marts.published_pillar_index.points is 'Points earned, to 12 decimals';
comment on column marts.published_pillar_index.max_points is 'Points at full score';
comment on column marts.published_pillar_index.index_value is 'The index as published, 0 to 1, rounded half up once';
comment on column marts.published_pillar_index.index_unrounded is 'The index before rounding, to 12 decimals';
comment on column marts.published_pillar_index.coverage is 'Share of the points, 0 to 1, that is not missing';
comment on column marts.published_pillar_index.rank_national is 'Competition rank among all units: 15, 15, 17';
comment on column marts.published_pillar_index.rank_region is 'Competition rank in the region';
