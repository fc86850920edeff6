-- Grain: one row is one metric of one unit, measured over :from_day to :to_day, both ends included.
-- Seconds are summed over all data centres; servers are each data centre's last known count.
with day_of_centre as (
    select f.*
    from data_centre as f
    inner join unit as u on f.unit_id = u.unit_id and u.geography = :geography
    where f.day between :from_day and :to_day
),

availability as (
    select
        unit_id,
        min(day) as first_day,
        max(day) as last_day,
        array_agg(distinct source_id order by source_id) as source_ids,
        sum(data_centre_up_seconds) as data_centre_up_seconds,
        sum(data_centre_expected_seconds) as data_centre_expected_seconds
    from day_of_centre
    where data_centre_expected_seconds is not null
    group by unit_id
),

-- The two counts are looked for apart: a centre that does not report anti-malware still has servers.
last_servers as (
    select distinct on (unit_id, source_id, data_centre_id)
        unit_id,
        source_id,
        day,
        servers_total
    from day_of_centre
    where servers_total is not null
    order by unit_id asc, source_id asc, data_centre_id asc, day desc
),

last_protected_servers as (
    select distinct on (unit_id, source_id, data_centre_id)
        unit_id,
        source_id,
        day,
        servers_with_antimalware
    from day_of_centre
    where servers_with_antimalware is not null
    order by unit_id asc, source_id asc, data_centre_id asc, day desc
)

select
    a.unit_id,
    m.metric,
    'measured' as basis,
    m.value,
    a.first_day,
    a.last_day,
    a.source_ids
from availability as a
inner join lateral (
    values
    ('data_centre_up_seconds', a.data_centre_up_seconds),
    ('data_centre_expected_seconds', a.data_centre_expected_seconds)
) as m (metric, value) on true
union all
select
    unit_id,
    'servers_total' as metric,
    'measured' as basis,
    sum(servers_total) as value,
    min(day) as first_day,
    max(day) as last_day,
    array_agg(distinct source_id order by source_id) as source_ids
from last_servers
group by unit_id
union all
select
    unit_id,
    'servers_with_antimalware' as metric,
    'measured' as basis,
    sum(servers_with_antimalware) as value,
    min(day) as first_day,
    max(day) as last_day,
    array_agg(distinct source_id order by source_id) as source_ids
from last_protected_servers
group by unit_id
