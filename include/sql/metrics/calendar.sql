-- Grain: one row is one unit: how many months, whole or begun, the period from :from_day to :to_day has.
-- Nobody reports the calendar; it stands behind every basis. An empty period has no months.
select
    unit_id,
    'months_in_period' as metric,
    'calendar' as basis,
    cast(
        12 * (extract(year from cast(:to_day as date)) - extract(year from cast(:from_day as date)))
        + extract(month from cast(:to_day as date)) - extract(month from cast(:from_day as date)) + 1 as numeric
    ) as value,
    cast(:from_day as date) as first_day,
    cast(:to_day as date) as last_day,
    cast(array[] as text[]) as source_ids
from unit
where geography = :geography and cast(:from_day as date) <= cast(:to_day as date)
