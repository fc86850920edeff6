-- Grain: one row is the dossiers of one agency that one source received for one unit on one day.
select
    _source_id as source_id,
    unit_id,
    agency_code,
    received_on as day,
    count(*) as dossiers
from lake
where agency_code is not null and received_on is not null and received_on <= night()
group by _source_id, unit_id, agency_code, received_on
