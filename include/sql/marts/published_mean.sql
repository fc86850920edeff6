-- Grain: one row is one measure of one reporting year and geography: the mean over all units.
create view marts.published_mean as
with units as (
    select
        geography,
        count(*) as units_count
    from ref.unit
    where unit_level = 'province'
    group by geography
),

known as (
    select
        year,
        geography,
        measure,
        min(decision) as decision,
        count(value) as values_count,
        round(sum(value), 30) / nullif(count(value), 0) as mean_value
    from ref.published_index
    group by year, geography, measure
)

select
    year,
    geography,
    measure,
    case when k.values_count = u.units_count then round(k.mean_value, 4) end as mean_value,
    coalesce(k.values_count, 0) as values_count,
    u.units_count,
    p.value as published_value,
    case when k.values_count = u.units_count then round(k.mean_value, 4) end - p.value as difference,
    k.decision,
    p.provenance,
    p.source
from known as k
full join ref.published_mean as p using (year, geography, measure)
inner join units as u using (geography);

comment on view marts.published_mean is
'One row is one measure of one reporting year: the unweighted mean of the published values of all units';
comment on column marts.published_mean.year is 'Reporting year';
comment on column marts.published_mean.geography is 'Geography of the units: 63 or 34';
comment on column marts.published_mean.measure is 'PDTI, a pillar or a composite';
comment on column marts.published_mean.mean_value is
'Our own mean of the published values, 4 decimals; empty where not all are known';
comment on column marts.published_mean.values_count is 'Units whose value is known';
comment on column marts.published_mean.units_count is 'Units of the geography';
comment on column marts.published_mean.published_value is 'Officially published mean; empty: not known';
comment on column marts.published_mean.difference is 'mean_value - published_value';
comment on column marts.published_mean.decision is 'The method in force; empty: no value of any unit is known';
comment on column marts.published_mean.provenance is 'How the published mean reached us';
comment on column marts.published_mean.source is 'Where it was read';
