-- Series: one measure of one unit's data centres, as the mean of a day; place counts days back.
select
    'data_centre' as feed,
    source_id,
    unit_id,
    cast(:night as date) - day as place,
    avg(case cast(:measure as text)
        when 'up_share' then data_centre_up_seconds / nullif(data_centre_expected_seconds, 0)
        when 'cpu' then cpu_utilisation_avg_pct
        when 'memory' then memory_utilisation_avg_pct
        when 'storage' then storage_utilisation_avg_pct
        when 'servers' then servers_total
    end) as value,
    cast(null as float8) as records
from facts.data_centre
where day <= :night and day > cast(:night as date) - 30
group by source_id, unit_id, day
