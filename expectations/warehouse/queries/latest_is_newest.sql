-- Grain: one row is one of the marts latest_*, in the newest night only: it shows the run of that night, whole.
with shown as (
    select
        'latest_composite_index' as mart,
        l.run_id,
        l.unit_id || ' ' || l.composite_code as thing,
        l.index_value
    from marts.latest_composite_index as l
    union all
    select
        'latest_pillar_index' as mart,
        l.run_id,
        l.unit_id || ' ' || l.pillar_code as thing,
        l.index_value
    from marts.latest_pillar_index as l
    union all
    select
        'latest_indicator_score' as mart,
        l.run_id,
        l.unit_id || ' ' || l.indicator_code as thing,
        l.points as index_value
    from marts.latest_indicator_score as l
),

stored as (
    select
        'latest_composite_index' as mart,
        unit_id || ' ' || composite_code as thing,
        index_value
    from score.composite_index
    where run_id = cast(:run_id as text)
    union all
    select
        'latest_pillar_index' as mart,
        unit_id || ' ' || pillar_code as thing,
        index_value
    from score.pillar_index
    where run_id = cast(:run_id as text)
    union all
    select
        'latest_indicator_score' as mart,
        unit_id || ' ' || indicator_code as thing,
        trim_scale(round(points, 12)) as index_value
    from score.indicator_score
    where run_id = cast(:run_id as text)
),

compared as (
    select
        coalesce(s.mart, t.mart) as mart,
        coalesce(s.thing, t.thing) as thing,
        coalesce(s.run_id <> cast(:run_id as text) or s.index_value <> t.index_value, true) as is_wrong
    from shown as s
    full join stored as t on s.mart = t.mart and s.thing = t.thing
)

select
    count(*) as checked_count,
    count(*) filter (where is_wrong) as failed_count,
    mart || ': ' || string_agg(thing, ', ' order by thing) filter (where is_wrong) as detail
from compared
where
    not exists (
        select 1
        from score.run as r
        where r.kind = 'night' and r.status = 'complete' and r.as_of_date > :night
    )
    and cast(:run_id as text) is not null
group by mart
order by mart
