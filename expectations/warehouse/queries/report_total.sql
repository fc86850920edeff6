-- Series: a total of one unit over its reports; place counts reports back. Only a report that is new tonight is judged:
-- its day lies within the rhythm of the feed, and an earlier one was judged when it came.
with report as (
    select
        'staffing' as feed,
        source_id,
        unit_id,
        day,
        sum(staff_total) as value
    from facts.staffing
    where cast(:feed as text) = 'staffing' and day <= :night and day > cast(:night as date) - 800
    group by source_id, unit_id, day
    union all
    select
        'community_teams' as feed,
        source_id,
        unit_id,
        day,
        sum(population) as value
    from facts.community_teams
    where cast(:feed as text) = 'community_teams' and day <= :night and day > cast(:night as date) - 800
    group by source_id, unit_id, day
)

select
    feed,
    source_id,
    unit_id,
    row_number() over (partition by source_id, unit_id order by day desc) - 1 as place,
    value,
    cast(null as float8) as records
from report
