-- Grain: one row is one composite index of one unit.
insert into published.composite_index (
    publication_id, unit_id, unit_name, unit_name_en, region_code, region_name, composite_no, composite_code,
    composite_name, composite_name_en, provenance, index_value, index_unrounded, coverage, rank_national, rank_region
)
select
    u.publication_id,
    u.unit_id,
    u.unit_name,
    u.unit_name_en,
    u.region_code,
    u.region_name,
    c.position as composite_no,
    s.composite_code,
    c.name_vi as composite_name,
    c.name_en as composite_name_en,
    c.provenance,
    s.index_value,
    trim_scale(s.index_unrounded) as index_unrounded,
    trim_scale(s.coverage) as coverage,
    s.rank_national,
    s.rank_region
from score.composite_index as s
inner join score.run as r on s.run_id = r.run_id
inner join method.composite as c
    on
        r.framework_id = c.framework_id
        and r.framework_hash = c.framework_hash
        and s.composite_code = c.composite_code
inner join published.unit as u on s.unit_id = u.unit_id
where s.run_id = :run_id and u.publication_id = :publication_id
