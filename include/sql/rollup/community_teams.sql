-- Grain: one row is one commune of one unit as one source reported it on one day, per lake partition.
select
    partition_key,
    reported_on as day,
    unit_id,
    _source_id as source_id,
    commune_code,
    cast(case when has_team then 1 else 0 end as bigint) as communes_with_team,
    villages_total,
    villages_with_team,
    team_members_total,
    team_members_trained,
    population
from lake
