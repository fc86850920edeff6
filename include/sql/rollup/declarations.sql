-- Grain: one row is one figure of one unit for one year on one basis, as one source stated it on one day.
select
    partition_key,
    stated_on as day,
    unit_id,
    _source_id as source_id,
    cast(period_year as int) as period_year,
    metric,
    basis,
    value,
    evidence_ref
from lake
