-- Grain: one row is one unit: indicators whose part is larger than its whole, or stated points above the maximum.
select
    s.unit_id,
    count(*) as checked_count,
    count(*) filter (where s.uncapped_share > 1) as failed_count,
    string_agg(
        format(
            '%s (%s): %s of %s', s.indicator_code, s.basis, trim_scale(s.numerator),
            trim_scale(coalesce(s.denominator, s.max_points))
        ), '; '
    ) filter (where s.uncapped_share > 1) as detail
from score.indicator_score as s
inner join score.run as r on s.run_id = r.run_id
inner join method.indicator as i
    on
        r.framework_id = i.framework_id
        and r.framework_hash = i.framework_hash
        and s.indicator_code = i.indicator_code
where s.run_id = cast(:run_id as text) and s.status = 'scored' and i.rule in ('ratio', 'manual')
group by s.unit_id
order by s.unit_id
