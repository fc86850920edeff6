-- Series: a part of one unit's list or report as a share of its whole; place counts lists or reports back. `records` is
-- the whole, so that a share of few things is not judged.
with report as (
    select
        'service_catalogue' as feed,
        source_id,
        unit_id,
        day,
        services_full_online as part,
        services_total as whole
    from facts.service_catalogue
    where cast(:feed as text) = 'service_catalogue'
    union all
    select
        'platform_inventory' as feed,
        source_id,
        unit_id,
        day,
        systems_level_approved as part,
        systems_total as whole
    from facts.platform_inventory
    where cast(:feed as text) = 'platform_inventory'
    union all
    select
        'staffing' as feed,
        source_id,
        unit_id,
        day,
        staff_trained_dx as part,
        staff_total as whole
    from facts.staffing
    where cast(:feed as text) = 'staffing'
    union all
    select
        'community_teams' as feed,
        source_id,
        unit_id,
        day,
        villages_with_team as part,
        villages_total as whole
    from facts.community_teams
    where cast(:feed as text) = 'community_teams'
)

select
    feed,
    source_id,
    unit_id,
    row_number() over (partition by source_id, unit_id order by day desc) - 1 as place,
    sum(part) / nullif(sum(whole), 0) as value,
    sum(whole) as records
from report
where day <= :night and day > cast(:night as date) - 800
group by feed, source_id, unit_id, day
