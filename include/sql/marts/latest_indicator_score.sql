-- Grain: one row is one indicator of one unit of the newest night.
create view marts.latest_indicator_score as
select
    s.run_id,
    s.as_of_date,
    s.year,
    s.framework_id,
    s.geography,
    s.synthetic,
    s.unit_id,
    s.unit_name,
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
    s.value,
    s.points,
    s.max_points,
    s.status,
    s.is_capped,
    s.uncapped_share,
    s.coverage,
    s.provenance,
    s.name_provenance,
    s.points_provenance,
    s.original_value,
    s.correction_id,
    s.correction_status,
    s.corrections_behind
from marts.indicator_score as s
where s.run_id = (select r.run_id from marts.latest_run as r);

comment on view marts.latest_indicator_score is 'One row is one indicator of one unit in the newest night''s run';
comment on column marts.latest_indicator_score.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.latest_indicator_score.as_of_date is 'Nothing after this day counts';
comment on column marts.latest_indicator_score.year is 'Reporting year';
comment on column marts.latest_indicator_score.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.latest_indicator_score.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.latest_indicator_score.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.latest_indicator_score.unit_id is 'The unit, such as P34-66';
comment on column marts.latest_indicator_score.unit_name is 'Vietnamese name of the unit';
comment on column marts.latest_indicator_score.indicator_no is 'Official order over all pillars, from 1';
comment on column marts.latest_indicator_score.indicator_code is 'Component indicator, such as 7.5';
comment on column marts.latest_indicator_score.indicator_name is 'Vietnamese name; see name_provenance';
comment on column marts.latest_indicator_score.indicator_name_en is 'English name of the indicator';
comment on column marts.latest_indicator_score.pillar_code is 'Pillar it counts for; DTTM has no points, so no index';
comment on column marts.latest_indicator_score.rule is 'How the value earns points: yes_no, ratio, target_ratio …';
comment on column marts.latest_indicator_score.target is 'Value that earns full points';
comment on column marts.latest_indicator_score.numerator_metric is 'Metric that is scored';
comment on column marts.latest_indicator_score.denominator_metric is 'Metric it is divided by; empty: none';
comment on column marts.latest_indicator_score.feed is 'Feed whose measured values count';
comment on column marts.latest_indicator_score.basis is
'measured, appraised or declared; empty: not known, or averaged over several';
comment on column marts.latest_indicator_score.denominator_basis is 'Its basis, or calendar; empty: not known or none';
comment on column marts.latest_indicator_score.numerator is 'Numerator; empty: not known, or averaged';
comment on column marts.latest_indicator_score.denominator is 'Denominator; empty: not known or none';
comment on column marts.latest_indicator_score.value is 'What the rule scores: the fraction, or the numerator';
comment on column marts.latest_indicator_score.points is 'Points earned, to 12 decimals';
comment on column marts.latest_indicator_score.max_points is 'Points at full score';
comment on column marts.latest_indicator_score.status is 'scored, missing (not known), undefined (denominator 0)';
comment on column marts.latest_indicator_score.is_capped is 'True: above 100 %, held at the maximum';
comment on column marts.latest_indicator_score.uncapped_share is
'Share of its points that the value is worth; above 1 it is capped; empty: not scored, or averaged';
comment on column marts.latest_indicator_score.coverage is
'1 where known, 0 where missing; for merged provinces the share of former provinces that is known';
comment on column marts.latest_indicator_score.provenance is 'The weaker of name_provenance and points_provenance';
comment on column marts.latest_indicator_score.name_provenance is 'Of the name: quoted, inferred, or provisional';
comment on column marts.latest_indicator_score.points_provenance is 'Of the points: quoted, inferred, or provisional';
comment on column marts.latest_indicator_score.original_value is
'Value before its correction; empty: not corrected, or there was none';
comment on column marts.latest_indicator_score.correction_id is 'Its corrections, see marts.correction; empty: none';
comment on column marts.latest_indicator_score.correction_status is
'applied; expired (the source was repaired: not applied); flagged; empty: no correction of the indicator itself';
comment on column marts.latest_indicator_score.corrections_behind is
'Corrections applied to values of its numerator or denominator, or, of merged provinces, to what they are made of';
