-- Grain: the one complete run :run_id.
select
    r.run_id,
    r.year,
    r.as_of_date,
    r.data_cut_off,
    r.finished_at,
    r.framework_id,
    r.framework_hash,
    r.framework_in_force,
    f.family,
    r.geography,
    r.merge_method,
    r.corrections_hash,
    r.reference_hash,
    r.synthetic
from score.run as r
inner join method.framework as f using (framework_id, framework_hash)
where r.run_id = :run_id and r.status = 'complete'
