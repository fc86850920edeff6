-- Grain: one row is one metric of one unit on one basis; of an averaged run, those of the former provinces.
insert into published.metric_value (
    publication_id, unit_id, unit_name, geography, metric, metric_name, metric_name_en, metric_unit, feed, basis, value,
    first_day, last_day, source_ids, parts, synthetic
)
select
    u.publication_id,
    u.unit_id,
    u.unit_name,
    u.geography,
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
inner join published.unit as u on s.unit_id = u.unit_id
-- A figure stated for a measured metric is described where the metric is measured.
left join lateral (
    select
        d.name_vi,
        d.name_en,
        d.unit
    from metric as d
    where s.metric = d.metric
    order by (s.feed = d.feed) desc, d.feed asc
    limit 1
) as m on true
where (s.run_id = :run_id or s.run_id = :parts_run_id) and u.publication_id = :publication_id
