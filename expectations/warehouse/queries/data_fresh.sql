-- Grain: one row is one source that is pulled: until when its data is good, at the end of the night.
with good as (
    select
        b.source_id,
        max(b.until) as ends_at
    from ops.batch as b
    where b.status = 'passed' and b.night <= :night
    group by b.source_id
)

select
    s.feed,
    s.source_id,
    1 as checked_count,
    case
        when g.ends_at + make_interval(hours => s.freshness_limit_hours) >= cast(:night_end as timestamptz) then 0
        else 1
    end as failed_count,
    case
        when g.ends_at is null then 'nothing good ever came'
        when g.ends_at < cast(:night_end as timestamptz)
            then
                format(
                    'good until %s h before the night''s end; limit %s h',
                    round(extract(epoch from cast(:night_end as timestamptz) - g.ends_at) / 3600),
                    s.freshness_limit_hours
                )
    end as detail
from ops.source as s
left join good as g on s.source_id = g.source_id
where s.enabled
order by s.feed, s.source_id
