-- Grain: one row is one metric of one unit on one basis: the figure last stated for :year, and no later than :as_of.
-- A year's figures may be stated after its end, so the bound is what was known, not the period.
select distinct on (f.unit_id, f.metric, f.basis)
    f.unit_id,
    f.metric,
    f.basis,
    f.value,
    f.day as first_day,
    f.day as last_day,
    array[f.source_id] as source_ids
from declarations as f
inner join unit as u on f.unit_id = u.unit_id and u.geography = :geography
where f.period_year = :year and f.day <= :as_of
order by f.unit_id asc, f.metric asc, f.basis asc, f.day desc, f.source_id asc
