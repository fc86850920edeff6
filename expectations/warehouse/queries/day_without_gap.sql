-- Grain: one row is one feed and one unit that has begun to report it; days before its first are no gap.
with rhythm as (
    select
        r.feed,
        r.days
    from jsonb_to_recordset(cast(:daily as jsonb)) as r (feed text, days integer)
),

reported as (
    select distinct
        p.feed,
        p.unit_id,
        p.day
    from ops.reported as p
    inner join rhythm as r on p.feed = r.feed
    where p.day < :night and p.day >= cast(:night as date) - r.days
),

begun as (
    select
        feed,
        unit_id,
        min(day) as first_day
    from reported
    group by feed, unit_id
),

expected as (
    select
        b.feed,
        b.unit_id,
        cast(d.day as date) as day
    from begun as b
    cross join generate_series(cast(b.first_day as timestamp), cast(:night as timestamp) - interval '1 day', '1 day')
        as d (day)
)

select
    e.feed,
    e.unit_id,
    count(*) as checked_count,
    count(*) filter (where r.day is null) as failed_count,
    'without facts: ' || string_agg(to_char(e.day, 'YYYY-MM-DD'), ', ' order by e.day) filter (where r.day is null)
        as detail
from expected as e
left join reported as r on e.feed = r.feed and e.unit_id = r.unit_id and e.day = r.day
group by e.feed, e.unit_id
order by e.feed, e.unit_id
