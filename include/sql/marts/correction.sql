-- Grain: one row is one correction of one value in one complete run, applied or not.
create view marts.correction as
select
    c.run_id,
    r.as_of_date,
    r.year,
    r.framework_id,
    r.geography,
    c.correction_id,
    c.unit_id,
    u.name_vi as unit_name,
    c.target_kind,
    c.target,
    coalesce(i.name_vi, m.name_vi) as target_name,
    nullif(c.feed, '') as feed,
    nullif(c.basis, '') as basis,
    c.position,
    c.action,
    c.status,
    trim_scale(c.given_value) as given_value,
    trim_scale(round(c.original_value, 12)) as original_value,
    trim_scale(round(c.corrected_value, 12)) as corrected_value,
    c.guard_value,
    c.guard_first_day,
    c.guard_last_day,
    trim_scale(round(c.held_value, 12)) as held_value,
    c.first_day,
    c.last_day,
    c.reason,
    c.document,
    c.detail
from score.correction as c
inner join score.run as r on c.run_id = r.run_id and r.status = 'complete'
inner join ref.unit as u on c.unit_id = u.unit_id
left join method.indicator as i
    on
        c.target_kind = 'indicator'
        and r.framework_id = i.framework_id
        and r.framework_hash = i.framework_hash
        and c.target = i.indicator_code
-- A figure stated for a measured metric is described where the metric is measured.
left join lateral (
    select d.name_vi
    from ref.metric as d
    where c.target_kind = 'metric' and c.target = d.metric
    order by (c.feed = d.feed) desc, d.feed asc
    limit 1
) as m on true;

comment on view marts.correction is
'One row is one correction of include/corrections in one run, applied or not, with the value before and after it';
comment on column marts.correction.run_id is
'The run; of a run that averages former provinces, their corrections are in the run of its parts';
comment on column marts.correction.as_of_date is 'Nothing after this day counts';
comment on column marts.correction.year is 'Reporting year';
comment on column marts.correction.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.correction.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.correction.correction_id is 'Its id in include/corrections';
comment on column marts.correction.unit_id is 'The unit whose value it corrects; a former one where those are merged';
comment on column marts.correction.unit_name is 'Vietnamese name of the unit';
comment on column marts.correction.target_kind is 'metric or indicator';
comment on column marts.correction.target is 'The metric, or code of the indicator';
comment on column marts.correction.target_name is 'Its Vietnamese name';
comment on column marts.correction.feed is 'Feed of the metric; empty: an indicator';
comment on column marts.correction.basis is 'measured, appraised or declared; empty: an indicator';
comment on column marts.correction.position is 'Order in which the corrections of one value were taken, from 1';
comment on column marts.correction.action is 'drop, override, scale or flag';
comment on column marts.correction.status is
'applied; flagged (shown, nothing changed); expired (the source no longer holds what the guard says: not applied);
not_applicable (no such value in this run, or not known yet: see detail)';
comment on column marts.correction.given_value is 'override: the new value; scale: the factor; else empty';
comment on column marts.correction.original_value is 'Value over the period of the run before it; empty: none';
comment on column marts.correction.corrected_value is 'Value after it; empty: none, it was dropped or never there';
comment on column marts.correction.guard_value is
'What the source held when the correction was written, to the decimals that are compared; empty: nothing, or no guard';
comment on column marts.correction.guard_first_day is
'First day over which that is compared; empty: the value itself is';
comment on column marts.correction.guard_last_day is
'Last day over which that is compared; empty: the value itself is';
comment on column marts.correction.held_value is 'What the source held in this run; empty: nothing, or not looked at';
comment on column marts.correction.first_day is 'First day that it corrects';
comment on column marts.correction.last_day is 'Last day that it corrects';
comment on column marts.correction.reason is 'Why';
comment on column marts.correction.document is 'The document that orders or proves it';
comment on column marts.correction.detail is 'What was done or why not, in words';
