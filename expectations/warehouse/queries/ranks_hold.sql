-- Grain: the run of the night. A rank is one more than the units ahead (15, 15, 17), nationally and in the region.
with shown as (
    select
        unit_id,
        'composite ' || composite_code as measure,
        region_code,
        index_value,
        rank_national,
        rank_region
    from marts.composite_index
    where run_id = cast(:run_id as text)
    union all
    select
        unit_id,
        'pillar ' || pillar_code as measure,
        region_code,
        index_value,
        rank_national,
        rank_region
    from marts.pillar_index
    where run_id = cast(:run_id as text)
),

judged as (
    select
        unit_id,
        measure,
        rank_national,
        rank_region,
        rank() over (partition by measure order by index_value desc) as computed_national,
        rank() over (partition by measure, region_code order by index_value desc) as computed_region
    from shown
)

select
    count(*) as checked_count,
    count(*) filter (where (rank_national, rank_region) <> (computed_national, computed_region)) as failed_count,
    string_agg(
        format(
            '%s, %s: %s and %s in its region, must be %s and %s', unit_id, measure, rank_national, rank_region,
            computed_national, computed_region
        ), '; ' order by measure, unit_id
    ) filter (where (rank_national, rank_region) <> (computed_national, computed_region)) as detail
from judged
having count(*) > 0
