-- Grain: one row is one source of dossiers or catalogues: its facts count what the lake holds. While a load is under
-- way the lake is ahead of the facts, and nothing can be said.
with held as (
    select
        'online_services' as feed,
        source_id,
        partition_key as part,
        dossiers_received as first_count,
        dossiers_finished as second_count
    from dossier_count
    union all
    select
        'service_catalogue' as feed,
        source_id,
        cast(snapshot_on as text) as part,
        count(*) filter (where is_active) as first_count,
        count(*) filter (where is_active and service_level_code = 4) as second_count
    from catalogue_item
    group by source_id, snapshot_on
),

loaded as (
    select
        'online_services' as feed,
        source_id,
        partition_key as part,
        sum(dossiers_received) as first_count,
        sum(dossiers_finished) as second_count
    from facts.online_services
    where partition_key in (select d.partition_key from dossier_count as d)
    group by source_id, partition_key
    union all
    select
        'service_catalogue' as feed,
        source_id,
        cast(day as text) as part,
        sum(services_total) as first_count,
        sum(services_full_online) as second_count
    from facts.service_catalogue
    where day in (select c.snapshot_on from catalogue_item as c)
    group by source_id, day
),

compared as (
    select
        coalesce(h.feed, l.feed) as feed,
        coalesce(h.source_id, l.source_id) as source_id,
        coalesce(h.part, l.part) as part,
        (coalesce(h.first_count, 0), coalesce(h.second_count, 0))
        <> (coalesce(l.first_count, 0), coalesce(l.second_count, 0)) as is_wrong,
        format('lake %s and %s', coalesce(h.first_count, 0), coalesce(h.second_count, 0)) as in_lake,
        format('facts %s and %s', coalesce(l.first_count, 0), coalesce(l.second_count, 0)) as in_facts
    from held as h
    full join loaded as l on h.feed = l.feed and h.source_id = l.source_id and h.part = l.part
)

select
    c.feed,
    c.source_id,
    count(*) as checked_count,
    case when bool_and(r.version is not distinct from s.version) then count(*) filter (where c.is_wrong) end
        as failed_count,
    case
        when not bool_and(r.version is not distinct from s.version) then 'a load is under way'
        else
            string_agg(format('%s: %s, %s', c.part, c.in_lake, c.in_facts), '; ' order by c.part)
            filter (where c.is_wrong)
    end as detail
from compared as c
left join lake_read as r on c.feed = r.feed
left join ops.lake_state as s on c.feed = s.feed
group by c.feed, c.source_id
order by c.feed, c.source_id
