-- Grain: one row is one metric of one unit on one basis, merged from what its former provinces and itself gave.
-- Former provinces become one by the metric's own rule. Then, in a year that has both, flows of the two halves add up,
-- while of snapshots and stated figures the new unit's own is the later word.
insert into score.metric_value (
    run_id, unit_id, metric, feed, basis, value, first_day, last_day, source_ids, parts
)
with former_units as (
    select
        unit_id_34 as unit_id,
        count(*) as units_count
    from unit_succession
    group by unit_id_34
),

-- A stated figure is a snapshot, also of a metric that is a flow where it is measured. Stated points (no metric of
-- their own) average, as the ministry averaged points.
part as (
    select
        p.*,
        p.part_unit_id = p.unit_id as is_own,
        coalesce(d.merge, 'mean') as rule,
        coalesce(case when p.basis in ('measured', 'calendar') then d.aggregation end, 'last') as aggregation
    from score.run as r
    inner join score.metric_part as p using (run_id)
    left join lateral (
        select
            m.merge,
            m.aggregation
        from metric as m
        where p.metric = m.metric
        order by (p.feed = m.feed) desc, m.feed asc
        limit 1
    ) as d on true
    where r.run_id = :run_id and r.merge_method = 'recomputed'
),

source as (
    select
        p.unit_id,
        p.metric,
        p.feed,
        p.basis,
        coalesce(array_agg(distinct u.source_id order by u.source_id) filter (where p.is_own), '{}') as own_ids,
        coalesce(array_agg(distinct u.source_id order by u.source_id), '{}') as all_ids
    from part as p
    inner join lateral unnest(p.source_ids) as u (source_id) on true
    group by p.unit_id, p.metric, p.feed, p.basis
),

-- What all must have is known only when all have spoken; anything else is the figure of those that have.
former as (
    select
        p.unit_id,
        p.metric,
        p.feed,
        p.basis,
        case p.rule
            when 'sum' then sum(p.value)
            when 'min' then min(p.value)
            when 'max' then max(p.value)
            when 'mean' then round(sum(p.value), 30) / count(*)
        end as value,
        max(p.value) as largest_value,
        min(p.first_day) as first_day,
        max(p.last_day) as last_day,
        array_agg(p.part_unit_id order by p.part_unit_id) as parts
    from part as p
    inner join former_units as f on p.unit_id = f.unit_id
    where not p.is_own
    group by p.unit_id, p.metric, p.feed, p.basis, p.rule, f.units_count
    having p.rule <> 'min' or count(*) = f.units_count
),

own as (
    select
        unit_id,
        metric,
        feed,
        basis,
        value,
        first_day,
        last_day
    from part
    where is_own
),

way_to_add_up as (
    select distinct
        unit_id,
        metric,
        feed,
        basis,
        aggregation
    from part
),

both_halves as (
    select
        unit_id,
        metric,
        feed,
        basis,
        f.value as former_value,
        f.largest_value,
        f.first_day as former_first_day,
        f.last_day as former_last_day,
        f.parts,
        o.value as own_value,
        o.first_day as own_first_day,
        o.last_day as own_last_day,
        a.aggregation,
        f.value is not null and (o.value is null or a.aggregation in ('sum', 'calendar', 'distinct')) as former_counts
    from former as f
    full join own as o using (unit_id, metric, feed, basis)
    inner join way_to_add_up as a using (unit_id, metric, feed, basis)
)

select
    :run_id as run_id,
    b.unit_id,
    b.metric,
    b.feed,
    b.basis,
    case
        when not b.former_counts then b.own_value
        when b.own_value is null then b.former_value
        -- Different things in both halves may be the same things: at least as many as in the larger one.
        when b.aggregation = 'distinct' then greatest(b.own_value, b.largest_value)
        else b.own_value + b.former_value
    end as value,
    case when b.former_counts then least(b.former_first_day, b.own_first_day) else b.own_first_day end as first_day,
    case when b.former_counts then greatest(b.former_last_day, b.own_last_day) else b.own_last_day end as last_day,
    coalesce(case when b.former_counts then s.all_ids else s.own_ids end, '{}') as source_ids,
    case when b.own_value is null then b.parts else '{}' end as parts
from both_halves as b
left join source as s using (unit_id, metric, feed, basis)
