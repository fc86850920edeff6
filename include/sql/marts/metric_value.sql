-- Grain: one row is one metric of one unit on one basis in one complete run; what is not known has no row.
create view marts.metric_value as
-- Of several corrections of one value those are told that changed it, else those that no longer hold, else flags.
-- Where former units are merged they were corrected before, so what was there before stands with the part.
with corrected as (
    select
        c.run_id,
        case r.merge_method when 'recomputed' then coalesce(n.unit_id_34, c.unit_id) else c.unit_id end as unit_id,
        c.target as metric,
        c.feed,
        c.basis,
        c.status,
        c.correction_id,
        c.unit_id as part_unit_id,
        c.position,
        case when r.merge_method <> 'recomputed' then c.original_value end as original_value
    from score.correction as c
    inner join score.run as r on c.run_id = r.run_id
    left join ref.unit_succession as n on c.unit_id = n.unit_id_63
    where c.target_kind = 'metric' and c.status in ('applied', 'expired', 'flagged')
),

told as (
    select distinct on (run_id, unit_id, metric, feed, basis)
        run_id,
        unit_id,
        metric,
        feed,
        basis,
        status,
        string_agg(correction_id, ', ' order by part_unit_id, position) as correction_id,
        (array_agg(original_value order by position))[1] as original_value
    from corrected
    group by run_id, unit_id, metric, feed, basis, status
    order by
        run_id asc, unit_id asc, metric asc, feed asc, basis asc,
        array_position(array['applied', 'expired', 'flagged'], status) asc
)

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
    ) as synthetic,
    case when t.status = 'applied' then trim_scale(t.original_value) end as original_value,
    t.correction_id,
    t.status as correction_status
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
) as m on true
left join told as t
    on
        s.run_id = t.run_id
        and s.unit_id = t.unit_id
        and s.metric = t.metric
        and s.feed = t.feed
        and s.basis = t.basis;

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
comment on column marts.metric_value.original_value is
'Value before it was corrected; empty: not corrected, nothing was there, or merged from parts: see metric_part';
comment on column marts.metric_value.correction_id is
'Its corrections, or those of the values it was merged from; see marts.correction, also for values that were dropped';
comment on column marts.metric_value.correction_status is
'applied; expired (the source was repaired: not applied); flagged; empty: no correction';
