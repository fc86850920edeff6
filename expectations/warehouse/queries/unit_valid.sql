-- Grain: one row is one feed and one source. A unit must exist in the month (or year) of its lake partition: the day
-- that decides a record's unit lies in it. Facts of the partitions that begin within the days are looked at.
with reported as (
    select
        p.feed,
        p.source_id,
        p.unit_id,
        p.partition_key,
        sum(p.facts_count) as facts_count,
        to_date(left(p.partition_key || '-01', 7) || '-01', 'YYYY-MM-DD') as first_day,
        case length(p.partition_key) when 4 then interval '1 year' else interval '1 month' end as lasts
    from ops.reported as p
    where p.partition_key >= to_char(cast(:night as date) - cast(:days as integer), 'YYYY')
    group by p.feed, p.source_id, p.unit_id, p.partition_key
),

judged as (
    select
        r.*,
        not exists (
            select 1
            from ref.unit as u
            where
                r.unit_id = u.unit_id
                and u.valid_from < r.first_day + r.lasts
                and (u.valid_to is null or u.valid_to > r.first_day)
        ) as is_wrong
    from reported as r
)

select
    feed,
    source_id,
    sum(facts_count) as checked_count,
    coalesce(sum(facts_count) filter (where is_wrong), 0) as failed_count,
    string_agg(unit_id || ' in ' || partition_key, ', ' order by partition_key, unit_id) filter (where is_wrong)
        as detail
from judged
group by feed, source_id
order by feed, source_id
