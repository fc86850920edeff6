-- Grain: one row is one data centre of one unit as one source measured it on one day, per lake partition.
with sample as (
    select
        partition_key,
        sampled_on as day,
        unit_id,
        _source_id as source_id,
        data_centre_id,
        measure,
        step_seconds,
        value,
        row_number() over (
            partition by partition_key, sampled_on, unit_id, _source_id, data_centre_id, measure
            order by sampled_at desc
        ) as newest_first
    from lake
)

-- A day that was watched at all is expected to be up for all its seconds: time without a sample is not time up.
-- Averages are of exact sums, so that they do not depend on the order in which samples are read.
-- Steps that overlap after a change of step cannot make a day longer than it is.
select
    partition_key,
    day,
    unit_id,
    source_id,
    data_centre_id,
    cast(
        case
            when sum(case when measure = 'up_share' then value * step_seconds end) > 86400 then 86400
            else sum(case when measure = 'up_share' then value * step_seconds end)
        end as decimal(28, 6)
    ) as data_centre_up_seconds,
    cast(max(case when measure = 'up_share' then 86400 end) as decimal(28, 6)) as data_centre_expected_seconds,
    cast(sum(case when measure = 'cpu_utilisation_pct' then value end) as double)
    / nullif(count(case when measure = 'cpu_utilisation_pct' then value end), 0) as cpu_utilisation_avg_pct,
    cast(sum(case when measure = 'memory_utilisation_pct' then value end) as double)
    / nullif(count(case when measure = 'memory_utilisation_pct' then value end), 0) as memory_utilisation_avg_pct,
    cast(sum(case when measure = 'storage_utilisation_pct' then value end) as double)
    / nullif(count(case when measure = 'storage_utilisation_pct' then value end), 0) as storage_utilisation_avg_pct,
    cast(
        round(max(case when measure = 'servers_total' and newest_first = 1 then value end)) as bigint
    ) as servers_total,
    cast(
        round(max(case when measure = 'servers_with_antimalware' and newest_first = 1 then value end)) as bigint
    ) as servers_with_antimalware
from sample
group by partition_key, day, unit_id, source_id, data_centre_id
