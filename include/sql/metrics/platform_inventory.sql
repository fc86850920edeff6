-- Grain: one row is one metric of one unit, measured over :from_day to :to_day, both ends included.
-- Each source counts with its last inventory of the period.
with last_inventory as (
    select distinct on (f.unit_id, f.source_id) f.*
    from platform_inventory as f
    inner join unit as u on f.unit_id = u.unit_id and u.geography = :geography
    where f.day between :from_day and :to_day
    order by f.unit_id asc, f.source_id asc, f.day desc
),

inventory as (
    select
        unit_id,
        min(day) as first_day,
        max(day) as last_day,
        array_agg(distinct source_id order by source_id) as source_ids,
        sum(systems_total) as systems_total,
        sum(systems_level_determined) as systems_level_determined,
        sum(systems_level_approved) as systems_level_approved,
        sum(systems_fully_protected) as systems_fully_protected,
        sum(systems_monitored) as systems_monitored,
        sum(systems_assessed) as systems_assessed,
        sum(shared_systems_total) as shared_systems_total,
        sum(shared_systems_on_cloud) as shared_systems_on_cloud,
        sum(shared_platforms_required) as shared_platforms_required,
        sum(shared_platforms_with_ai) as shared_platforms_with_ai,
        sum(workstations_total) as workstations_total,
        sum(workstations_with_antimalware) as workstations_with_antimalware,
        sum(agencies_total) as agencies_total,
        sum(agencies_on_dedicated_network) as agencies_on_dedicated_network,
        sum(national_databases_available) as national_databases_available,
        sum(national_databases_connected) as national_databases_connected,
        -- A yes or no: two sources that both say yes do not make two.
        max(government_cloud_connected) as government_cloud_connected
    from last_inventory
    group by unit_id
)

select
    i.unit_id,
    m.metric,
    'measured' as basis,
    m.value,
    i.first_day,
    i.last_day,
    i.source_ids
from inventory as i
inner join lateral (
    values
    ('systems_total', i.systems_total),
    ('systems_level_determined', i.systems_level_determined),
    ('systems_level_approved', i.systems_level_approved),
    ('systems_fully_protected', i.systems_fully_protected),
    ('systems_monitored', i.systems_monitored),
    ('systems_assessed', i.systems_assessed),
    ('shared_systems_total', i.shared_systems_total),
    ('shared_systems_on_cloud', i.shared_systems_on_cloud),
    ('shared_platforms_required', i.shared_platforms_required),
    ('shared_platforms_with_ai', i.shared_platforms_with_ai),
    ('workstations_total', i.workstations_total),
    ('workstations_with_antimalware', i.workstations_with_antimalware),
    ('agencies_total', i.agencies_total),
    ('agencies_on_dedicated_network', i.agencies_on_dedicated_network),
    ('national_databases_available', i.national_databases_available),
    ('national_databases_connected', i.national_databases_connected),
    ('government_cloud_connected', i.government_cloud_connected)
) as m (metric, value) on true
where m.value is not null
