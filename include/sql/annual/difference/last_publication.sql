-- Grain: the one newest publication of the year and family of run :run_id, of the same units first; empty when the year
-- was never published.
select
    p.publication_id,
    p.run_id,
    p.version,
    p.year,
    p.as_of_date,
    p.data_cut_off,
    p.published_at as finished_at,
    p.framework_id,
    p.framework_hash,
    p.framework_in_force,
    p.family,
    p.geography,
    p.merge_method,
    p.corrections_hash,
    p.reference_hash,
    p.synthetic
from score.run as r
inner join method.framework as f using (framework_id, framework_hash)
inner join published.publication as p on r.year = p.year and f.family = p.family
where r.run_id = :run_id
order by (r.geography = p.geography) desc, p.version desc, p.published_at desc
limit 1
