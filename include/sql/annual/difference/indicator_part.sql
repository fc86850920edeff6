-- Grain: one row is one indicator that moved one pillar or composite of one unit between runs :before and :after.
-- The hair that rounding on the way leaves on an indicator that stood still is no move.
select
    unit_id,
    measure,
    pillar_code,
    indicator_no,
    indicator_code,
    indicator_name,
    points_before,
    points_after,
    max_points,
    status_before,
    status_after,
    contribution
from marts.rank_contribution(:before, :after)
where
    indicator_code is not null
    and (
        abs(contribution) > 0.000000000001
        or points_before is distinct from points_after
        or status_before is distinct from status_after
    )
order by measure asc, unit_id asc, abs(contribution) desc, indicator_no asc
