-- Grain: one row is one indicator of one unit, known or not.
insert into published.indicator_score (
    publication_id, unit_id, unit_name, unit_name_en, region_code, indicator_no, indicator_code, indicator_name,
    indicator_name_en, pillar_code, pillar_name, rule, target, numerator_metric, denominator_metric, feed, basis,
    denominator_basis, numerator, denominator, value, uncapped_share, is_capped, points, max_points, coverage, status,
    original_value, correction_id, name_provenance, points_provenance
)
select
    u.publication_id,
    u.unit_id,
    u.unit_name,
    u.unit_name_en,
    u.region_code,
    i.position as indicator_no,
    s.indicator_code,
    i.name_vi as indicator_name,
    i.name_en as indicator_name_en,
    s.pillar_code,
    p.name_vi as pillar_name,
    i.rule,
    i.target,
    i.numerator_metric,
    i.denominator_metric,
    i.feed,
    s.basis,
    s.denominator_basis,
    trim_scale(s.numerator) as numerator,
    trim_scale(s.denominator) as denominator,
    trim_scale(s.value) as value,
    trim_scale(s.uncapped_share) as uncapped_share,
    s.is_capped,
    trim_scale(s.points) as points,
    trim_scale(s.max_points) as max_points,
    trim_scale(s.coverage) as coverage,
    s.status,
    trim_scale(s.original_value) as original_value,
    s.correction_id,
    i.name_provenance,
    i.points_provenance
from score.indicator_score as s
inner join score.run as r on s.run_id = r.run_id
inner join method.indicator as i
    on
        r.framework_id = i.framework_id
        and r.framework_hash = i.framework_hash
        and s.indicator_code = i.indicator_code
inner join method.pillar as p
    on
        i.framework_id = p.framework_id
        and i.framework_hash = p.framework_hash
        and i.pillar_code = p.pillar_code
inner join published.unit as u on s.unit_id = u.unit_id
where s.run_id = :run_id and u.publication_id = :publication_id
