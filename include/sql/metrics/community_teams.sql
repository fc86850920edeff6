-- Grain: one row is one metric of one unit, measured over :from_day to :to_day, both ends included.
-- Each commune counts with its last report of the period.
with last_report as (
    select distinct on (f.unit_id, f.commune_code) f.*
    from community_teams as f
    inner join unit as u on f.unit_id = u.unit_id and u.geography = :geography
    where f.day between :from_day and :to_day
    order by f.unit_id asc, f.commune_code asc, f.day desc, f.source_id asc
),

teams as (
    select
        unit_id,
        min(day) as first_day,
        max(day) as last_day,
        array_agg(distinct source_id order by source_id) as source_ids,
        count(*) as communes_total,
        sum(communes_with_team) as communes_with_team,
        sum(villages_total) as villages_total,
        sum(villages_with_team) as villages_with_team,
        sum(team_members_total) as team_members_total,
        sum(team_members_trained) as team_members_trained,
        sum(population) as population
    from last_report
    group by unit_id
)

select
    t.unit_id,
    m.metric,
    'measured' as basis,
    m.value,
    t.first_day,
    t.last_day,
    t.source_ids
from teams as t
inner join lateral (
    values
    ('communes_total', t.communes_total),
    ('communes_with_team', t.communes_with_team),
    ('villages_total', t.villages_total),
    ('villages_with_team', t.villages_with_team),
    ('team_members_total', t.team_members_total),
    ('team_members_trained', t.team_members_trained),
    ('population', t.population)
) as m (metric, value) on true
