-- Grain: the run of the night. A pillar's points are the sum of its indicators', its index their share of the points
-- at full score, rounded once, and its coverage the share of the points that is known.
with summed as (
    select
        unit_id,
        pillar_code,
        sum(points) as points,
        sum(coverage * max_points) as known
    from marts.indicator_score
    where run_id = cast(:run_id as text)
    group by unit_id, pillar_code
),

compared as (
    select
        p.unit_id,
        p.pillar_code,
        f.figure,
        f.shown,
        f.computed,
        f.tolerance
    from marts.pillar_index as p
    inner join score.run as r on p.run_id = r.run_id
    inner join method.framework as m on r.framework_id = m.framework_id and r.framework_hash = m.framework_hash
    left join summed as s on p.unit_id = s.unit_id and p.pillar_code = s.pillar_code
    cross join
        lateral (
            values
            ('points', p.points, s.points, 0.000000001),
            ('index_unrounded', p.index_unrounded, s.points / p.max_points, 0.000000001),
            ('index_value', p.index_value, round(p.index_unrounded, m.decimals), 0),
            ('coverage', p.coverage, s.known / p.max_points, 0.000000001)
        ) as f (figure, shown, computed, tolerance)
    where p.run_id = cast(:run_id as text)
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
            '%s, %s, %s: %s shown, %s from its parts', unit_id, pillar_code, figure, trim_scale(shown),
            trim_scale(round(computed, 12))
        ), '; ' order by unit_id, pillar_code, figure
    ) filter (where is_wrong) as detail
from judged
having count(*) > 0
