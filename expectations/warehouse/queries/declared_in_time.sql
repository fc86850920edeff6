-- Grain: one row is one source of declarations: nobody can state a year's figure before the year begins.
select
    'declarations' as feed,
    source_id,
    count(*) as checked_count,
    count(*) filter (where day < make_date(period_year, 1, 1)) as failed_count,
    string_agg(distinct format('%s for %s on %s', unit_id, period_year, day), ', ')
    filter (where day < make_date(period_year, 1, 1)) as detail
from facts.declarations
where day <= :night and day > cast(:night as date) - cast(:days as integer)
group by source_id
order by source_id
