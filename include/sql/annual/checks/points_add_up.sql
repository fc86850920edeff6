-- Grain: one row is one figure of one pillar or composite of one unit that is not what its parts make it.
-- Computed apart from include/sql/index, from what the run :run_id stored: sums, weighted means, one rounding, and a
-- rank that is one more than the units ahead. Regions are those of :units.
with subject as (
    select
        r.run_id,
        r.framework_id,
        r.framework_hash,
        f.decimals
    from score.run as r
    inner join method.framework as f using (framework_id, framework_hash)
    where r.run_id = :run_id
),

summed as (
    select
        unit_id,
        pillar_code,
        sum(points) as points,
        sum(coverage * max_points) as known
    from score.indicator_score
    where run_id = :run_id
    group by unit_id, pillar_code
),

pillar as (
    select
        p.unit_id,
        p.pillar_code as measure,
        p.points,
        s.points as points_summed,
        p.index_unrounded,
        s.points / m.max_points as index_computed,
        p.coverage,
        s.known / m.max_points as coverage_computed,
        p.index_value,
        p.rank_national,
        p.rank_region
    from score.pillar_index as p
    inner join subject as r on p.run_id = r.run_id
    inner join method.pillar as m
        on
            r.framework_id = m.framework_id
            and r.framework_hash = m.framework_hash
            and p.pillar_code = m.pillar_code
    left join summed as s on p.unit_id = s.unit_id and p.pillar_code = s.pillar_code
),

composite as (
    select
        c.unit_id,
        c.composite_code as measure,
        c.index_unrounded,
        sum(w.weight * p.index_unrounded) / sum(w.weight) as index_computed,
        c.coverage,
        sum(w.weight * p.coverage) / sum(w.weight) as coverage_computed,
        c.index_value,
        c.rank_national,
        c.rank_region
    from score.composite_index as c
    inner join subject as r on c.run_id = r.run_id
    inner join method.composite_weight as w
        on
            r.framework_id = w.framework_id
            and r.framework_hash = w.framework_hash
            and c.composite_code = w.composite_code
    left join score.pillar_index as p
        on c.run_id = p.run_id and c.unit_id = p.unit_id and w.pillar_code = p.pillar_code
    group by
        c.unit_id,
        c.composite_code,
        c.index_unrounded,
        c.coverage,
        c.index_value,
        c.rank_national,
        c.rank_region
),

indexed as (
    select
        unit_id,
        measure,
        index_unrounded,
        index_computed,
        coverage,
        coverage_computed,
        index_value,
        rank_national,
        rank_region
    from pillar
    union all
    select
        unit_id,
        measure,
        index_unrounded,
        index_computed,
        coverage,
        coverage_computed,
        index_value,
        rank_national,
        rank_region
    from composite
),

region as (
    select
        u.unit_id,
        u.region_code
    from jsonb_to_recordset(cast(:units as jsonb)) as u (unit_id text, region_code text)
),

ahead as (
    select
        i.unit_id,
        i.measure,
        1 + count(*) filter (where o.index_value > i.index_value) as rank_national,
        1 + count(*) filter (where o.index_value > i.index_value and u.region_code = v.region_code) as rank_region
    from indexed as i
    inner join indexed as o on i.measure = o.measure
    inner join region as u on i.unit_id = u.unit_id
    inner join region as v on o.unit_id = v.unit_id
    group by i.unit_id, i.measure
),

compared as (
    select
        p.unit_id,
        p.measure,
        'points' as figure,
        p.points as stored,
        p.points_summed as computed,
        0.000000000001 as tolerance
    from pillar as p
    union all
    select
        i.unit_id,
        i.measure,
        f.figure,
        f.stored,
        f.computed,
        f.tolerance
    from indexed as i
    inner join ahead as a on i.unit_id = a.unit_id and i.measure = a.measure
    cross join subject as r
    inner join lateral (
        values
        ('index_unrounded', i.index_unrounded, i.index_computed, 0.000000000001),
        ('coverage', i.coverage, i.coverage_computed, 0.000000000001),
        ('index_value', i.index_value, round(round(i.index_unrounded, 12), r.decimals), 0),
        ('rank_national', i.rank_national, a.rank_national, 0),
        ('rank_region', i.rank_region, a.rank_region, 0)
    ) as f (figure, stored, computed, tolerance) on true
)

select
    unit_id,
    measure,
    figure,
    trim_scale(round(stored, 12)) as stored,
    trim_scale(round(computed, 12)) as computed
from compared
where computed is null or abs(stored - computed) > tolerance
order by unit_id, measure, figure
