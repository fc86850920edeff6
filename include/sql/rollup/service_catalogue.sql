-- Grain: one row is the catalogue of one unit as one source listed it on one day, per lake partition.
-- Procedures no longer in force are listed but count nowhere. Level 3 is partly online, 4 fully.
select
    partition_key,
    snapshot_on as day,
    unit_id,
    _source_id as source_id,
    count(case when is_active then 1 end) as services_total,
    count(case when is_active and service_level_code >= 3 then 1 end) as services_online,
    count(case when is_active and service_level_code = 4 then 1 end) as services_full_online,
    count(case when is_active and is_eligible_full_online then 1 end) as services_eligible_full_online
from lake
group by partition_key, snapshot_on, unit_id, _source_id
