-- Grain: one row is one metric of one unit on one basis in one publication; what was not known has no row.
create view marts.published_metric_value as
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
    s.geography as unit_geography,
    s.metric,
    s.metric_name,
    s.metric_name_en,
    s.metric_unit,
    s.feed,
    s.basis,
    s.value,
    s.first_day,
    s.last_day,
    s.source_ids,
    s.parts,
    s.synthetic as value_synthetic
from published.metric_value as s
inner join marts.published_version as p on s.publication_id = p.publication_id;

comment on view marts.published_metric_value is
'One row is one metric of one unit on one basis behind one year that this system published, all versions; what was
not known has no row';
comment on column marts.published_metric_value.publication_id is 'The publication: year, family, geography and version';
comment on column marts.published_metric_value.year is 'Reporting year';
comment on column marts.published_metric_value.version is 'Counts up for each year, family and geography, from 1';
comment on column marts.published_metric_value.is_newest is 'True: no later version of it exists';
comment on column marts.published_metric_value.is_outdated is
'True: a source has since restated a day that counts in it; see published_version';
comment on column marts.published_metric_value.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.published_metric_value.geography is
'63 (until 30 June 2025) or 34 provinces, or another set of units';
comment on column marts.published_metric_value.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.published_metric_value.unit_id is 'The unit, such as P34-66';
comment on column marts.published_metric_value.unit_name is 'Vietnamese name of the unit, as it was published';
comment on column marts.published_metric_value.unit_geography is
'Geography of the unit: an averaged publication has the metrics of the former provinces';
comment on column marts.published_metric_value.metric is 'The metric';
comment on column marts.published_metric_value.metric_name is 'Vietnamese name of the metric';
comment on column marts.published_metric_value.metric_name_en is 'English name of the metric';
comment on column marts.published_metric_value.metric_unit is 'Unit of measure; yes_no is 1 or 0';
comment on column marts.published_metric_value.feed is 'Feed that gives it';
comment on column marts.published_metric_value.basis is 'measured, appraised, declared, or calendar';
comment on column marts.published_metric_value.value is 'Value over the period, corrected where a correction says so';
comment on column marts.published_metric_value.first_day is 'First day of the facts behind it';
comment on column marts.published_metric_value.last_day is 'Last day of the facts behind it';
comment on column marts.published_metric_value.source_ids is 'Sources of the facts behind it';
comment on column marts.published_metric_value.parts is
'Former provinces whose values were merged into it; empty: the unit''s own';
comment on column marts.published_metric_value.value_synthetic is 'True: a source behind it is made-up or unregistered';
