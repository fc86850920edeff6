-- Grain: one row is one feed. What two sources report of one unit for one day is counted twice.
with reported as (
    select
        feed,
        unit_id,
        day,
        count(distinct source_id) as sources_count,
        string_agg(distinct source_id, ' and ' order by source_id) as sources,
        sum(facts_count) as facts_count
    from ops.reported
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
    group by feed, unit_id, day
),

pair as (
    select
        feed,
        unit_id,
        sources,
        count(*) as days_count,
        max(day) as last_day
    from reported
    where sources_count > 1
    group by feed, unit_id, sources
),

total as (
    select
        feed,
        count(*) as checked_count,
        count(*) filter (where sources_count > 1) as failed_count
    from reported
    group by feed
)

select
    t.feed,
    t.checked_count,
    t.failed_count,
    (
        select
            string_agg(
                format('%s by %s on %s days, last %s', p.unit_id, p.sources, p.days_count, p.last_day),
                '; ' order by p.unit_id, p.sources
            )
        from pair as p
        where t.feed = p.feed
    ) as detail
from total as t
order by t.feed
