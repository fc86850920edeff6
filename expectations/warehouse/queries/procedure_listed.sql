-- Grain: one row is one unit of one source of dossiers. Its catalogue is the newest list that is not after the day of
-- receipt; for days before the first list, that one. A procedure is its national code: local suffixes are written by
-- some systems and not by others.
with dossier as (
    select
        f.source_id,
        f.unit_id,
        f.day,
        left(f.procedure_code, 8) as code,
        sum(f.dossiers_received) as received,
        sum(f.dossiers_online) as online
    from facts.online_services as f
    where f.day <= :night and f.day > cast(:night as date) - cast(:days as integer) and f.dossiers_received > 0
    group by f.source_id, f.unit_id, f.day, left(f.procedure_code, 8)
),

listed as (
    select
        unit_id,
        snapshot_on,
        left(procedure_code, 8) as code,
        bool_or(is_active) as is_active,
        max(service_level_code) as service_level_code
    from catalogue_item
    group by unit_id, snapshot_on, left(procedure_code, 8)
),

reported as (
    select distinct
        unit_id,
        day
    from dossier
),

list_day as (
    select
        d.unit_id,
        d.day,
        coalesce(max(l.snapshot_on) filter (where l.snapshot_on <= d.day), min(l.snapshot_on)) as snapshot_on
    from reported as d
    inner join listed as l on d.unit_id = l.unit_id
    group by d.unit_id, d.day
),

judged as (
    select
        d.source_id,
        d.unit_id,
        d.code,
        t.snapshot_on,
        case when cast(:fault as text) = 'not_online' then d.online else d.received end as dossiers,
        case cast(:fault as text)
            when 'unlisted' then l.code is null
            when 'not_in_force' then coalesce(not l.is_active, false)
            when 'not_online' then coalesce(l.service_level_code < 3, false)
        end as is_wrong
    from dossier as d
    left join list_day as t on d.unit_id = t.unit_id and d.day = t.day
    left join listed as l on d.unit_id = l.unit_id and t.snapshot_on = l.snapshot_on and d.code = l.code
)

select
    'online_services' as feed,
    source_id,
    unit_id,
    sum(dossiers) as checked_count,
    case when count(snapshot_on) > 0 then coalesce(sum(dossiers) filter (where is_wrong), 0) end as failed_count,
    case
        when count(snapshot_on) = 0 then 'the province has no catalogue yet'
        else 'procedures ' || string_agg(distinct code, ', ' order by code) filter (where is_wrong and dossiers > 0)
    end as detail
from judged
group by source_id, unit_id
order by source_id, unit_id
