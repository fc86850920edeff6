-- Grain: one row is one feed and one province of the night. How long a feed may be silent is its rhythm.
with rhythm as (
    select
        r.feed,
        r.within_days
    from jsonb_to_recordset(cast(:rhythm as jsonb)) as r (feed text, within_days integer)
    where exists (
        select 1 from ops.source as s
        where s.feed = r.feed and s.enabled
    )
),

newest as (
    select
        feed,
        unit_id,
        max(day) as day
    from ops.reported
    where day <= :night and day > cast(:night as date) - 400
    group by feed, unit_id
)

select
    r.feed,
    u.unit_id,
    1 as checked_count,
    case when n.day >= cast(:night as date) - r.within_days then 0 else 1 end as failed_count,
    case
        when n.day is null then 'nothing within 400 days'
        when n.day < :night then format('newest of %s, %s days before the night', n.day, :night - n.day)
    end as detail
from rhythm as r
cross join ref.unit as u
left join newest as n on r.feed = n.feed and u.unit_id = n.unit_id
where u.unit_level = 'province' and u.valid_from <= :night and (u.valid_to is null or u.valid_to > :night)
order by r.feed, u.unit_id
