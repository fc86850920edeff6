-- Grain: one row is one indicator of one merged unit: the mean of what its former provinces earned in their own run.
-- The mean of points over the same maximum is the mean of main indices, so pillars and composites follow as always.
insert into score.indicator_score (
    run_id,
    unit_id,
    indicator_code,
    pillar_code,
    basis,
    denominator_basis,
    status,
    is_capped,
    points,
    max_points,
    coverage
)
select
    r.run_id,
    s.unit_id_34 as unit_id,
    p.indicator_code,
    p.pillar_code,
    case when min(p.basis) = max(p.basis) then min(p.basis) end as basis,
    case when min(p.denominator_basis) = max(p.denominator_basis) then min(p.denominator_basis) end
        as denominator_basis,
    case
        when bool_or(p.status = 'scored') then 'scored'
        when bool_or(p.status = 'undefined') then 'undefined'
        else 'missing'
    end as status,
    bool_or(p.is_capped) as is_capped,
    round(sum(p.points), 30) / count(*) as points,
    p.max_points,
    round(sum(p.coverage), 30) / count(*) as coverage
from score.run as r
inner join score.indicator_score as p on r.parts_run_id = p.run_id
inner join unit_succession as s on p.unit_id = s.unit_id_63
where r.run_id = :run_id and r.merge_method = 'average'
group by r.run_id, s.unit_id_34, p.indicator_code, p.pillar_code, p.max_points
