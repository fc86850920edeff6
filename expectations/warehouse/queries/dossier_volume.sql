-- Series: dossiers of one source, or of one unit of it, in :days days; place counts weeks back, so that a day is held
-- against the same day of other weeks. Weeks before the source was first pulled count nothing and are left out.
with pulled as (
    select
        b.source_id,
        cast(min(b.since) as date) as first_day
    from ops.batch as b
    where b.feed = 'online_services' and b.status = 'passed'
    group by b.source_id
),

daily as (
    select
        f.source_id,
        case when cast(:grain as text) = 'unit' then f.unit_id end as unit_id,
        f.day,
        sum(case when cast(:measure as text) = 'finished' then f.dossiers_finished else f.dossiers_received end)
            as dossiers
    from facts.online_services as f
    where f.day <= :night and f.day > cast(:night as date) - 7 * (cast(:weeks as integer) + 2)
    group by f.source_id, case when cast(:grain as text) = 'unit' then f.unit_id end, f.day
),

subject as (
    select distinct
        source_id,
        unit_id
    from daily
),

span as (
    select
        s.source_id,
        s.unit_id,
        w.place,
        cast(:night as date) - 7 * w.place as last_day
    from subject as s
    inner join pulled as p on s.source_id = p.source_id
    cross join generate_series(0, cast(:weeks as integer)) as w (place)
    where cast(:night as date) - 7 * w.place - cast(:days as integer) + 1 >= p.first_day
)

select
    'online_services' as feed,
    s.source_id,
    s.unit_id,
    s.place,
    coalesce(sum(d.dossiers), 0) as value,
    cast(null as float8) as records
from span as s
left join daily as d
    on
        s.source_id = d.source_id
        and s.unit_id is not distinct from d.unit_id
        and s.last_day >= d.day
        and s.last_day - cast(:days as integer) < d.day
group by s.source_id, s.unit_id, s.place
