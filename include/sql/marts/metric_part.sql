-- Grain: one row is what one former province, or the new one itself, gave to one merged metric of a recomputed run.
create view marts.metric_part as
with corrected as (
    select
        run_id,
        unit_id,
        target as metric,
        feed,
        basis,
        string_agg(correction_id, ', ' order by position) as correction_id,
        (array_agg(original_value order by position))[1] as original_value
    from score.correction
    where target_kind = 'metric' and status = 'applied'
    group by run_id, unit_id, target, feed, basis
)

select
    s.run_id,
    r.as_of_date,
    r.year,
    s.unit_id,
    u.name_vi as unit_name,
    s.part_unit_id,
    p.name_vi as part_unit_name,
    s.metric,
    s.feed,
    s.basis,
    trim_scale(s.value) as value,
    s.first_day,
    s.last_day,
    s.source_ids,
    trim_scale(c.original_value) as original_value,
    c.correction_id
from score.metric_part as s
inner join score.run as r on s.run_id = r.run_id and r.status = 'complete'
inner join ref.unit as u on s.unit_id = u.unit_id
inner join ref.unit as p on s.part_unit_id = p.unit_id
left join corrected as c
    on
        s.run_id = c.run_id
        and s.part_unit_id = c.unit_id
        and s.metric = c.metric
        and s.feed = c.feed
        and s.basis = c.basis;

comment on view marts.metric_part is
'One row is what one former province, or the new one itself, gave to one merged metric of a recomputed run';
comment on column marts.metric_part.run_id is 'The run: kind, day, framework, geography and merge method';
comment on column marts.metric_part.as_of_date is 'Nothing after this day counts';
comment on column marts.metric_part.year is 'Reporting year';
comment on column marts.metric_part.unit_id is 'The unit whose metric it is, such as P34-66';
comment on column marts.metric_part.unit_name is 'Vietnamese name of the unit';
comment on column marts.metric_part.part_unit_id is 'The unit that reported: a former province, or the unit itself';
comment on column marts.metric_part.part_unit_name is 'Vietnamese name of the unit that reported';
comment on column marts.metric_part.metric is 'The metric';
comment on column marts.metric_part.feed is 'Feed that gives it';
comment on column marts.metric_part.basis is 'measured, appraised, declared, or calendar';
comment on column marts.metric_part.value is 'Its value over its own part of the period';
comment on column marts.metric_part.first_day is 'First day of the facts behind it';
comment on column marts.metric_part.last_day is 'Last day of the facts behind it';
comment on column marts.metric_part.source_ids is 'Sources of the facts behind it';
comment on column marts.metric_part.original_value is
'Value before it was corrected; empty: not corrected, or nothing was there';
comment on column marts.metric_part.correction_id is 'The corrections that changed it; empty: none';
