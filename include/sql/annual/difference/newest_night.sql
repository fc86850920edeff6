-- Grain: the one newest nightly run of the year and family of run :run_id, of the same units and method first; empty
-- when no night computed that year.
select
    n.run_id,
    n.year,
    n.as_of_date,
    n.data_cut_off,
    n.finished_at,
    n.framework_id,
    n.framework_hash,
    n.framework_in_force,
    g.family,
    n.geography,
    n.merge_method,
    n.corrections_hash,
    n.reference_hash,
    n.synthetic
from score.run as r
inner join method.framework as f using (framework_id, framework_hash)
inner join score.run as n on r.year = n.year and n.kind = 'night' and n.status = 'complete'
inner join method.framework as g
    on n.framework_id = g.framework_id and n.framework_hash = g.framework_hash and f.family = g.family
where r.run_id = :run_id and n.run_id <> r.run_id
order by
    (n.geography = r.geography) desc,
    (n.framework_id = r.framework_id) desc,
    (n.merge_method = r.merge_method) desc,
    n.as_of_date desc,
    n.finished_at desc
limit 1
