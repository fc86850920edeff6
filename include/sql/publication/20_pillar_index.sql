-- Grain: one row is one pillar of one unit.
insert into published.pillar_index (
    publication_id, unit_id, unit_name, unit_name_en, region_code, region_name, pillar_no, pillar_code, pillar_name,
    pillar_name_en, provenance, points, max_points, index_value, index_unrounded, coverage, rank_national, rank_region
)
select
    u.publication_id,
    u.unit_id,
    u.unit_name,
    u.unit_name_en,
    u.region_code,
    u.region_name,
    p.position as pillar_no,
    s.pillar_code,
    p.name_vi as pillar_name,
    p.name_en as pillar_name_en,
    p.provenance,
    trim_scale(s.points) as points,
    trim_scale(s.max_points) as max_points,
    s.index_value,
    trim_scale(s.index_unrounded) as index_unrounded,
    trim_scale(s.coverage) as coverage,
    s.rank_national,
    s.rank_region
from score.pillar_index as s
inner join score.run as r on s.run_id = r.run_id
inner join method.pillar as p
    on
        r.framework_id = p.framework_id
        and r.framework_hash = p.framework_hash
        and s.pillar_code = p.pillar_code
inner join published.unit as u on s.unit_id = u.unit_id
where s.run_id = :run_id and u.publication_id = :publication_id
