-- Grain: one row is one source of data centres: no measure can be sampled for longer than a day has seconds.
select
    'data_centre' as feed,
    source_id,
    count(*) as checked_count,
    count(*) filter (where seconds > 86400) as failed_count,
    string_agg(format('%s on %s: %s s', unit_id, day, seconds), ', ' order by day desc, unit_id asc)
    filter (where seconds > 86400) as detail
from sample_day
where day > cast(:night as date) - cast(:days as integer)
group by source_id
order by source_id
