-- Grain: the run of the night. A composite is the weighted mean of its unrounded pillars, and so is its coverage.
with computed as (
    select
        w.composite_code,
        p.unit_id,
        count(*) as pillars_count,
        sum(w.weight * p.index_unrounded) / sum(w.weight) as index_unrounded,
        sum(w.weight * p.coverage) / sum(w.weight) as coverage
    from marts.pillar_index as p
    inner join score.run as r on p.run_id = r.run_id
    inner join method.composite_weight as w
        on
            r.framework_id = w.framework_id
            and r.framework_hash = w.framework_hash
            and p.pillar_code = w.pillar_code
    where p.run_id = cast(:run_id as text)
    group by w.composite_code, p.unit_id
),

compared as (
    select
        c.unit_id,
        c.composite_code,
        f.figure,
        f.shown,
        f.computed,
        f.tolerance
    from marts.composite_index as c
    inner join score.run as r on c.run_id = r.run_id
    inner join method.framework as m on r.framework_id = m.framework_id and r.framework_hash = m.framework_hash
    left join computed as o on c.unit_id = o.unit_id and c.composite_code = o.composite_code
    cross join
        lateral (
            values
            ('index_unrounded', c.index_unrounded, o.index_unrounded, 0.000000001),
            ('index_value', c.index_value, round(c.index_unrounded, m.decimals), 0),
            ('coverage', c.coverage, o.coverage, 0.000000001),
            (
                'pillars',
                (
                    select cast(count(*) as numeric)
                    from method.composite_weight as w
                    where
                        w.framework_id = r.framework_id
                        and w.framework_hash = r.framework_hash
                        and w.composite_code = c.composite_code
                ),
                cast(o.pillars_count as numeric),
                0
            )
        ) as f (figure, shown, computed, tolerance)
    where c.run_id = cast(:run_id as text)
),

judged as (
    select
        *,
        computed is null or abs(shown - computed) > tolerance as is_wrong
    from compared
)

select
    count(*) as checked_count,
    count(*) filter (where is_wrong) as failed_count,
    string_agg(
        format(
            '%s, %s, %s: %s shown, %s from its pillars', unit_id, composite_code, figure, trim_scale(shown),
            trim_scale(round(computed, 12))
        ), '; ' order by unit_id, composite_code, figure
    ) filter (where is_wrong) as detail
from judged
having count(*) > 0
