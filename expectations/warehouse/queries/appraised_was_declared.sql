-- Grain: one row is one unit: what is appraised was declared before, for the same year.
with appraised as (
    select distinct
        unit_id,
        period_year,
        metric
    from facts.declarations
    where basis = 'appraised' and day <= :night and day > cast(:night as date) - cast(:days as integer)
),

d as (
    select distinct
        unit_id,
        period_year,
        metric
    from facts.declarations
    where basis = 'declared' and day <= :night
)

select
    'declarations' as feed,
    a.unit_id,
    count(*) as checked_count,
    count(*) filter (where d.metric is null) as failed_count,
    string_agg(format('%s of %s', a.metric, a.period_year), ', ' order by a.metric) filter (where d.metric is null)
        as detail
from appraised as a
left join d on a.unit_id = d.unit_id and a.period_year = d.period_year and a.metric = d.metric
group by a.unit_id
order by a.unit_id
