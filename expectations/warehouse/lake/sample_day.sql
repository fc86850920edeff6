-- Grain: one row is the samples of one unit that one source gave for one day.
-- A data centre's seconds are those that its fullest measure was sampled for.
with measured as (
    select
        _source_id,
        unit_id,
        sampled_on,
        data_centre_id,
        measure,
        count(*) as samples,
        sum(step_seconds) as seconds
    from lake
    where sampled_on <= night()
    group by _source_id, unit_id, sampled_on, data_centre_id, measure
)

select
    _source_id as source_id,
    unit_id,
    sampled_on as day,
    cast(sum(samples) as bigint) as samples,
    cast(max(seconds) as bigint) as seconds
from measured
group by _source_id, unit_id, sampled_on
