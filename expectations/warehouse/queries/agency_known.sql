-- Grain: one row is one unit of one source. The agencies of a unit are those of its newest staffing report that is not
-- after the day; for days before the first report, those of that one.
with record as (
    select
        'online_services' as feed,
        source_id,
        unit_id,
        agency_code,
        day,
        dossiers as records
    from dossier_agency
    where day > cast(:night as date) - cast(:days as integer)
    union all
    select
        'platform_inventory' as feed,
        source_id,
        unit_id,
        agency_code,
        day,
        items as records
    from inventory_agency
),

report as (
    select distinct
        unit_id,
        day
    from facts.staffing
    where day <= :night and day > cast(:night as date) - 400
),

report_day as (
    select
        r.unit_id,
        r.day,
        coalesce(max(p.day) filter (where p.day <= r.day), min(p.day)) as reported_on
    from (select distinct
        unit_id,
        day
    from record) as r
    inner join report as p on r.unit_id = p.unit_id
    group by r.unit_id, r.day
),

judged as (
    select
        r.feed,
        r.source_id,
        r.unit_id,
        r.agency_code,
        r.records,
        d.reported_on,
        not exists (
            select 1
            from facts.staffing as s
            where r.unit_id = s.unit_id and d.reported_on = s.day and r.agency_code = s.agency_code
        ) as is_wrong
    from record as r
    left join report_day as d on r.unit_id = d.unit_id and r.day = d.day
)

select
    feed,
    source_id,
    unit_id,
    sum(records) as checked_count,
    case when count(reported_on) > 0 then coalesce(sum(records) filter (where is_wrong), 0) end as failed_count,
    case
        when count(reported_on) = 0 then 'the province has reported no staff, so its agencies are not known'
        else 'agencies ' || string_agg(distinct left(agency_code, 40), ', ') filter (where is_wrong)
    end as detail
from judged
group by feed, source_id, unit_id
order by feed, source_id, unit_id
