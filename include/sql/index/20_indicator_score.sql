-- Grain: one row is one indicator of one unit, for every unit of the run's geography, known or not.
-- Numeric division keeps at least the decimals of its left side, so each left side is given 30.
-- A correction changes the value that the rule scores, while its guard finds the value that it was written for.
insert into score.indicator_score (
    run_id,
    unit_id,
    indicator_code,
    pillar_code,
    basis,
    denominator_basis,
    numerator,
    denominator,
    value,
    status,
    is_capped,
    points,
    max_points,
    coverage,
    uncapped_share,
    original_value,
    correction_id
)
with former_units as (
    select
        unit_id_34 as unit_id,
        count(*) as units_count
    from unit_succession
    group by unit_id_34
),

chosen as (
    select
        i.unit_id,
        i.indicator_code,
        i.part,
        i.basis,
        v.value,
        v.parts
    from score.indicator_input as i
    inner join score.metric_value as v using (run_id, unit_id, metric, feed, basis)
    where i.run_id = :run_id
),

known as (
    select
        u.unit_id,
        i.framework_id,
        i.framework_hash,
        i.indicator_code,
        i.pillar_code,
        i.rule,
        i.target,
        i.max_points,
        i.denominator_metric is not null as is_fraction,
        n.basis,
        d.basis as denominator_basis,
        n.value as numerator,
        d.value as denominator,
        -- Of a merged value, the share of the former provinces that it comes from.
        coalesce(round(nullif(cardinality(n.parts), 0), 30) / m.units_count, 1) as share_known
    from score.run as r
    inner join method.framework as f using (framework_id, framework_hash)
    inner join method.indicator as i using (framework_id, framework_hash)
    inner join unit as u on r.geography = u.geography and f.unit_level = u.unit_level
    left join chosen as n
        on u.unit_id = n.unit_id and i.indicator_code = n.indicator_code and n.part = 'numerator'
    left join chosen as d
        on u.unit_id = d.unit_id and i.indicator_code = d.indicator_code and d.part = 'denominator'
    left join former_units as m on u.unit_id = m.unit_id
    where r.run_id = :run_id and r.merge_method <> 'average'
),

-- A share of nothing, or of less than nothing, is no share.
judged as (
    select
        *,
        case
            when numerator is null or (is_fraction and denominator is null) then 'missing'
            when is_fraction and denominator <= 0 then 'undefined'
            when rule = 'manual' and max_points = 0 then 'undefined'
            else 'scored'
        end as status
    from known
),

found as (
    select
        *,
        case
            when status = 'scored' and is_fraction then round(numerator, 30) / denominator
            when status = 'scored' then numerator
        end as value
    from judged
),

-- An override also gives what was missing; nothing can be dropped or scaled that is not there. Stated points of an
-- indicator without points stay undefined.
correction as (
    select
        c.correction_id,
        c.action,
        c.given_value,
        f.unit_id,
        f.indicator_code,
        f.value as original_value
    from score.correction as c
    inner join found as f on c.unit_id = f.unit_id and c.target = f.indicator_code
    where
        c.run_id = :run_id and c.target_kind = 'indicator' and c.status = 'pending' and c.action <> 'flag'
        and case
            when c.guard_value is null then f.value is null
            else c.guard_value = round(f.value, scale(c.guard_value))
        end
        and (f.value is not null or c.action = 'override')
        and not (f.rule = 'manual' and f.max_points = 0)
),

valued as (
    select
        f.unit_id,
        f.framework_id,
        f.framework_hash,
        f.indicator_code,
        f.pillar_code,
        f.rule,
        f.target,
        f.max_points,
        f.basis,
        f.denominator_basis,
        f.numerator,
        f.denominator,
        c.correction_id,
        c.original_value,
        case c.action
            when 'drop' then null
            when 'override' then c.given_value
            when 'scale' then f.value * c.given_value
            else f.value
        end as value,
        case c.action
            when 'drop' then 'missing'
            when 'override' then 'scored'
            else f.status
        end as status,
        -- What is given in place of a value is given for the whole unit.
        case c.action when 'override' then 1 else f.share_known end as share_known
    from found as f
    left join correction as c using (unit_id, indicator_code)
),

-- The share of its points that a scored indicator earns, before it is held between 0 and 1.
earned as (
    select
        v.unit_id,
        v.indicator_code,
        -- Stated points are a share of the maximum like any other value.
        case v.rule
            when 'yes_no' then case when v.value >= 1 then 1 else 0 end
            when 'ratio' then v.value
            when 'target_ratio' then round(v.value, 30) / v.target
            when 'target_count' then round(v.value, 30) / v.target
            when 'steps' then coalesce(reached.share, 0)
            when 'manual' then round(v.value, 30) / v.max_points
        end as share
    from valued as v
    left join lateral (
        select s.share
        from method.step as s
        where
            v.framework_id = s.framework_id
            and v.framework_hash = s.framework_hash
            and v.indicator_code = s.indicator_code
            and v.value >= s.threshold
        order by s.threshold desc
        limit 1
    ) as reached on v.rule = 'steps'
    where v.status = 'scored'
)

select
    :run_id as run_id,
    v.unit_id,
    v.indicator_code,
    v.pillar_code,
    v.basis,
    v.denominator_basis,
    v.numerator,
    v.denominator,
    v.value,
    v.status,
    coalesce(e.share > 1, false) as is_capped,
    case when e.share is null then 0 else v.max_points * greatest(0, least(1, e.share)) end as points,
    v.max_points,
    case when v.status = 'missing' then 0 else v.share_known end as coverage,
    e.share as uncapped_share,
    v.original_value,
    v.correction_id
from valued as v
left join earned as e using (unit_id, indicator_code)
