-- Grain: one row is one metric of one unit on one basis in one complete run; what is not known has no row.
create view marts.metric_value as
select
    s.run_id,
    r.as_of_date,
    r.year,
    r.geography,
    s.unit_id,
    u.name_vi as unit_name,
    s.metric,
    m.name_vi as metric_name,
    m.name_en as metric_name_en,
    m.unit as metric_unit,
    s.feed,
    s.basis,
    trim_scale(s.value) as value,
    s.first_day,
    s.last_day,
    s.source_ids,
    s.parts,
    exists(
        select 1
        from unnest(s.source_ids) as used (source_id)
        left join ops.source as o on used.source_id = o.source_id
        where coalesce(o.synthetic, true)
    ) as synthetic
from score.metric_value as s
inner join score.run as r on s.run_id = r.run_id and r.status = 'complete'
inner join ref.unit as u on s.unit_id = u.unit_id
-- A figure stated for a measured metric is described where the metric is measured.
left join lateral (
    select
        d.name_vi,
        d.name_en,
        d.unit
    from ref.metric as d
    where s.metric = d.metric
    order by (s.feed = d.feed) desc, d.feed asc
    limit 1
) as m on true;

comment on view marts.metric_value is 'One row is one metric of one unit on one basis over the period of one run';
comment on column marts.metric_value.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.metric_value.as_of_date is 'Nothing after this day counts';
comment on column marts.metric_value.year is 'Reporting year';
comment on column marts.metric_value.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.metric_value.unit_id is 'The unit, such as P34-66';
comment on column marts.metric_value.unit_name is 'Vietnamese name of the unit';
comment on column marts.metric_value.metric is 'The metric';
comment on column marts.metric_value.metric_name is 'Vietnamese name of the metric';
comment on column marts.metric_value.metric_name_en is 'English name of the metric';
comment on column marts.metric_value.metric_unit is 'Unit of measure; yes_no is 1 or 0';
comment on column marts.metric_value.feed is 'Feed that gives it';
comment on column marts.metric_value.basis is 'measured, appraised, declared, or calendar';
comment on column marts.metric_value.value is 'Value over the period';
comment on column marts.metric_value.first_day is 'First day of the facts behind it';
comment on column marts.metric_value.last_day is 'Last day of the facts behind it';
comment on column marts.metric_value.source_ids is 'Sources of the facts behind it';
comment on column marts.metric_value.parts is
'Former provinces whose values were merged into it, in a recomputed run; empty: the unit''s own';
comment on column marts.metric_value.synthetic is 'True: a source behind it is made-up or unregistered';
