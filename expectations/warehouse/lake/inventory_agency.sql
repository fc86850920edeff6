-- Grain: one row is the inventory items of one agency that one source listed for one unit on the night.
select
    _source_id as source_id,
    unit_id,
    agency_code,
    snapshot_on as day,
    count(*) as items
from lake
where agency_code is not null and snapshot_on = night()
group by _source_id, unit_id, agency_code, snapshot_on
