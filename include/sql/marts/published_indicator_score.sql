-- Grain: one row is one indicator of one unit in one publication, known or not.
create view marts.published_indicator_score as
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
    s.indicator_no,
    s.indicator_code,
    s.indicator_name,
    s.indicator_name_en,
    s.pillar_code,
    s.rule,
    s.target,
    s.numerator_metric,
    s.denominator_metric,
    s.feed,
    s.basis,
    s.denominator_basis,
    s.numerator,
    s.denominator,
    trim_scale(round(s.value, 12)) as value,
    trim_scale(round(s.points, 12)) as points,
    s.max_points,
    s.status,
    s.is_capped,
    trim_scale(round(s.uncapped_share, 12)) as uncapped_share,
    trim_scale(round(s.coverage, 12)) as coverage,
    s.original_value,
    s.correction_id,
    s.name_provenance,
    s.points_provenance
from published.indicator_score as s
inner join marts.published_version as p on s.publication_id = p.publication_id;

comment on view marts.published_indicator_score is
'One row is one component indicator of one unit in one year that this system published, all versions; see the
provenances';
comment on column marts.published_indicator_score.publication_id is
'The publication: year, family, geography and version';
comment on column marts.published_indicator_score.year is 'Reporting year';
comment on column marts.published_indicator_score.version is 'Counts up for each year, family and geography, from 1';
comment on column marts.published_indicator_score.is_newest is 'True: no later version of it exists';
comment on column marts.published_indicator_score.is_outdated is
'True: a source has since restated a day that counts in it; see published_version';
comment on column marts.published_indicator_score.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.published_indicator_score.geography is
'63 (until 30 June 2025) or 34 provinces, or another set of units';
comment on column marts.published_indicator_score.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.published_indicator_score.unit_id is 'The unit, such as P34-66';
comment on column marts.published_indicator_score.unit_name is 'Vietnamese name of the unit, as it was published';
comment on column marts.published_indicator_score.unit_name_en is 'English name of the unit';
comment on column marts.published_indicator_score.region_code is 'Region of the unit';
comment on column marts.published_indicator_score.indicator_no is 'Official order over all pillars, from 1';
comment on column marts.published_indicator_score.indicator_code is 'Component indicator, such as 7.5';
comment on column marts.published_indicator_score.indicator_name is 'Vietnamese name; see name_provenance';
comment on column marts.published_indicator_score.indicator_name_en is 'English name of the indicator';
comment on column marts.published_indicator_score.pillar_code is 'Pillar it counts for';
comment on column marts.published_indicator_score.rule is 'How the value earns points: yes_no, ratio, target_ratio …';
comment on column marts.published_indicator_score.target is 'Value that earns full points; empty: the rule has none';
comment on column marts.published_indicator_score.numerator_metric is 'Metric that is scored';
comment on column marts.published_indicator_score.denominator_metric is 'Metric it is divided by; empty: none';
comment on column marts.published_indicator_score.feed is 'Feed whose measured values count';
comment on column marts.published_indicator_score.basis is
'measured, appraised or declared; empty: not known, or averaged over several';
comment on column marts.published_indicator_score.denominator_basis is
'Its basis, or calendar; empty: not known or none';
comment on column marts.published_indicator_score.numerator is 'Numerator; empty: not known, or averaged';
comment on column marts.published_indicator_score.denominator is 'Denominator; empty: not known or none';
comment on column marts.published_indicator_score.value is 'What the rule scores: the fraction, or the numerator';
comment on column marts.published_indicator_score.points is 'Points earned, to 12 decimals';
comment on column marts.published_indicator_score.max_points is 'Points at full score';
comment on column marts.published_indicator_score.status is 'scored, missing (not known), undefined (denominator 0)';
comment on column marts.published_indicator_score.is_capped is 'True: above 100 %, held at the maximum';
comment on column marts.published_indicator_score.uncapped_share is
'Share of its points that the value is worth; above 1 it is capped; empty: not scored, or averaged';
comment on column marts.published_indicator_score.coverage is
'1 where known, 0 where missing; for merged provinces the share of former provinces that is known';
comment on column marts.published_indicator_score.original_value is 'Value before a correction; empty: not corrected';
comment on column marts.published_indicator_score.correction_id is 'The correction; empty: not corrected';
comment on column marts.published_indicator_score.name_provenance is 'Of the name: quoted, inferred, or provisional';
comment on column marts.published_indicator_score.points_provenance is
'Of the points: quoted, inferred, or provisional';
