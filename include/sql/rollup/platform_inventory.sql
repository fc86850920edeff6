-- Grain: one row is the inventory of one unit as one source listed it on one day, per lake partition.
-- The inventory is all there is: a kind with no item counts 0. Only the connection to the Government Cloud, one
-- item by nature, is unknown when it is not listed.
select
    partition_key,
    snapshot_on as day,
    unit_id,
    _source_id as source_id,
    count(case when item_kind = 'system' then 1 end) as systems_total,
    count(case when item_kind = 'system' and security_level is not null then 1 end) as systems_level_determined,
    count(case when item_kind = 'system' and is_level_approved then 1 end) as systems_level_approved,
    count(case when item_kind = 'system' and is_fully_protected then 1 end) as systems_fully_protected,
    count(case when item_kind = 'system' and is_monitored then 1 end) as systems_monitored,
    -- "Assessed within the year": in the snapshot's own year, and not on a day still to come.
    count(
        case
            when
                item_kind = 'system'
                and extract(year from assessed_on) = extract(year from snapshot_on)
                and assessed_on <= snapshot_on
                then 1
        end
    ) as systems_assessed,
    count(case when item_kind = 'system' and is_shared then 1 end) as shared_systems_total,
    count(case when item_kind = 'system' and is_shared and is_on_cloud then 1 end) as shared_systems_on_cloud,
    count(case when item_kind = 'shared_platform' then 1 end) as shared_platforms_required,
    count(case when item_kind = 'shared_platform' and has_ai then 1 end) as shared_platforms_with_ai,
    cast(
        coalesce(sum(case when item_kind = 'workstation_group' then quantity_total end), 0) as bigint
    ) as workstations_total,
    cast(
        coalesce(sum(case when item_kind = 'workstation_group' then quantity_protected end), 0) as bigint
    ) as workstations_with_antimalware,
    count(case when item_kind = 'agency_network' then 1 end) as agencies_total,
    count(case when item_kind = 'agency_network' and is_connected then 1 end) as agencies_on_dedicated_network,
    count(case when item_kind = 'national_database' then 1 end) as national_databases_available,
    count(case when item_kind = 'national_database' and is_connected then 1 end) as national_databases_connected,
    cast(
        max(case when item_kind = 'government_cloud' then case when is_connected then 1 else 0 end end) as bigint
    ) as government_cloud_connected
from lake
group by partition_key, snapshot_on, unit_id, _source_id
