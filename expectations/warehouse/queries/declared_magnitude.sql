-- Grain: one row is one unit: its newest figures held against what it stated of the same metric before. A figure that
-- is `factor` times larger or smaller was mostly written in another unit, or lacks or gains a nought.
with stated as (
    select
        unit_id,
        metric,
        value,
        lag(value) over same as before,
        row_number() over (partition by unit_id, metric order by period_year desc, day desc, source_id desc) as place
    from facts.declarations
    where basis = 'declared' and day <= :night and day > cast(:night as date) - cast(:days as integer)
    window same as (partition by unit_id, metric order by period_year, day, source_id)
),

judged as (
    select
        *,
        least(value, before) > 0
        and greatest(value, before) >= cast(:factor as float8) * least(value, before) as is_wrong
    from stated
    where place = 1 and before is not null
)

select
    'declarations' as feed,
    unit_id,
    count(*) as checked_count,
    count(*) filter (where is_wrong) as failed_count,
    string_agg(format('%s: %s, before %s', metric, trim_scale(value), trim_scale(before)), '; ')
    filter (where is_wrong) as detail
from judged
group by unit_id
order by unit_id
