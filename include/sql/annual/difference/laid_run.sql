-- Grain: one row is the publication :publication_id as a run of the id :run_id, for as long as the transaction lasts.
-- The run that was published may have been computed anew since; what was published stays. An averaged run must name
-- the run that it averages: itself, as the metrics of the former units are published with it.
insert into score.run (
    run_id, kind, as_of_date, year, framework_id, framework_hash, geography, period_from, period_to,
    framework_in_force, synthetic, status, started_at, finished_at, merge_method, parts_run_id,
    data_cut_off, corrections_hash, reference_hash, request_id
)
select
    :run_id as run_id,
    'publication' as kind,
    p.as_of_date,
    p.year,
    p.framework_id,
    p.framework_hash,
    p.geography,
    p.period_from,
    p.period_to,
    p.framework_in_force,
    p.synthetic,
    'complete' as status,
    p.published_at as started_at,
    p.published_at as finished_at,
    p.merge_method,
    case when p.merge_method = 'average' then :run_id end as parts_run_id,
    p.data_cut_off,
    p.corrections_hash,
    p.reference_hash,
    p.request_id
from published.publication as p
where p.publication_id = :publication_id
