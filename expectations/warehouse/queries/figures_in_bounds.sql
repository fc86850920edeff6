-- Grain: the run of the night. Indices and coverage lie between 0 and 1, points between 0 and their maximum; what is
-- missing or undefined has none, and what is missing is not covered.
with figure as (
    select
        unit_id,
        'composite ' || composite_code as measure,
        index_value not between 0 and 1 or coverage not between 0 and 1 as is_wrong
    from marts.composite_index
    where run_id = cast(:run_id as text)
    union all
    select
        unit_id,
        'pillar ' || pillar_code as measure,
        index_value not between 0 and 1 or coverage not between 0 and 1 or points not between 0 and max_points
            as is_wrong
    from marts.pillar_index
    where run_id = cast(:run_id as text)
    union all
    select
        unit_id,
        'indicator ' || indicator_code as measure,
        points not between 0 and max_points
        or coverage not between 0 and 1
        or (status <> 'scored' and points <> 0)
        or (status = 'missing' and coverage <> 0) as is_wrong
    from marts.indicator_score
    where run_id = cast(:run_id as text)
)

select
    count(*) as checked_count,
    count(*) filter (where is_wrong) as failed_count,
    string_agg(format('%s, %s', unit_id, measure), '; ' order by unit_id, measure) filter (where is_wrong) as detail
from figure
having count(*) > 0
