-- Grain: one row is one unit whose dossiers two sources both report: their totals over the days must agree.
with reported as (
    select
        unit_id,
        source_id,
        sum(dossiers_received) as received
    from facts.online_services
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
    group by unit_id, source_id
    having sum(dossiers_received) >= cast(:least_records as integer)
)

select
    'online_services' as feed,
    unit_id,
    count(*) as checked_count,
    case when max(received) - min(received) > cast(:share as float8) * max(received) then 1 else 0 end as failed_count,
    string_agg(source_id || ' ' || received, ', ' order by source_id) as detail
from reported
group by unit_id
having count(*) > 1
order by unit_id
