-- Grain: one row is the value chosen for one part (numerator or denominator) of one indicator of one unit.
-- Which value wins is the framework's order of bases; the denominator follows its numerator where it can, and a
-- merged one must come from the same former provinces.
insert into score.indicator_input (run_id, unit_id, indicator_code, part, metric, feed, basis)
-- Materialised, so that it is hashed and the run's metrics are read once, not once for each indicator.
with needed as materialized (
    select
        r.run_id,
        i.indicator_code,
        p.part,
        p.metric,
        i.feed,
        f.basis_order
    from score.run as r
    inner join method.framework as f using (framework_id, framework_hash)
    inner join method.indicator as i using (framework_id, framework_hash)
    inner join lateral (
        values
        ('numerator', i.numerator_metric),
        ('denominator', i.denominator_metric)
    ) as p (part, metric) on p.metric is not null
    where r.run_id = :run_id
),

-- Measured values come from the indicator's own feed, stated ones from declarations, the calendar from itself.
candidate as (
    select
        v.unit_id,
        n.indicator_code,
        n.part,
        v.metric,
        v.feed,
        v.basis,
        v.parts,
        array_position(n.basis_order, v.basis) as place
    from needed as n
    inner join score.metric_value as v using (run_id, metric)
    where
        v.feed = case v.basis
            when 'measured' then n.feed
            when 'calendar' then 'calendar'
            else 'declarations'
        end
),

numerator as (
    select distinct on (unit_id, indicator_code) *
    from candidate
    where part = 'numerator' and place is not null
    order by unit_id asc, indicator_code asc, place asc
),

denominator as (
    select distinct on (c.unit_id, c.indicator_code) c.*
    from candidate as c
    left join numerator as n using (unit_id, indicator_code)
    where
        c.part = 'denominator'
        and (c.place is not null or c.basis = 'calendar')
        and (n.unit_id is null or c.basis = 'calendar' or c.parts = n.parts)
    order by c.unit_id asc, c.indicator_code asc, (c.basis = n.basis) desc, c.place asc nulls last
)

select
    :run_id as run_id,
    unit_id,
    indicator_code,
    part,
    metric,
    feed,
    basis
from numerator
union all
select
    :run_id as run_id,
    unit_id,
    indicator_code,
    part,
    metric,
    feed,
    basis
from denominator
