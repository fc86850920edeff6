-- Grain: the one row of this run, now complete.
-- Synthetic is told of the values that were chosen; a source that nobody registered cannot vouch for itself.
update score.run as r
set
    synthetic = exists (
        select 1
        from score.indicator_input as i
        inner join score.metric_value as v using (run_id, unit_id, metric, feed, basis)
        inner join lateral unnest(v.source_ids) as used (source_id) on true
        left join ops.source as s using (source_id)
        where r.run_id = i.run_id and coalesce(s.synthetic, true)
    ) or exists (
        select 1
        from score.run as p
        where r.parts_run_id = p.run_id and p.synthetic
    ),
    status = 'complete',
    finished_at = clock_timestamp()
where r.run_id = :run_id
