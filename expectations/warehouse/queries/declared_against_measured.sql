-- Grain: one row is one unit: figures that it declares and that were measured too, in the run of the night.
with pair as (
    select
        m.unit_id,
        m.metric,
        m.value as measured,
        d.value as declared
    from score.metric_value as m
    inner join score.metric_value as d
        on m.run_id = d.run_id and m.unit_id = d.unit_id and m.metric = d.metric and d.basis = 'declared'
    where m.run_id = cast(:run_id as text) and m.basis = 'measured'
),

judged as (
    select
        *,
        abs(declared - measured) > cast(:share as float8) * greatest(abs(declared), abs(measured)) as is_wrong
    from pair
)

select
    'declarations' as feed,
    unit_id,
    count(*) as checked_count,
    count(*) filter (where is_wrong) as failed_count,
    string_agg(format('%s: declared %s, measured %s', metric, trim_scale(declared), trim_scale(measured)), '; ')
    filter (where is_wrong) as detail
from judged
group by unit_id
order by unit_id
