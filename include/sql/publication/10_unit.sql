-- Grain: one row is one unit of the publication: those that are ranked, and the former provinces merged into them.
-- Reference tables have no schema here: their version is the one that stood at the cut-off.
insert into published.unit (
    publication_id, unit_id, geography, code, unit_name, unit_name_en, unit_level, unit_type, parent_unit_id,
    region_code, region_name, region_name_en, merged_into
)
with scored as (
    select distinct
        s.unit_id,
        s.run_id <> :run_id as is_former
    from score.indicator_score as s
    where s.run_id = :run_id or s.run_id = :parts_run_id
    union
    select distinct
        p.part_unit_id as unit_id,
        true as is_former
    from score.metric_part as p
    where p.run_id = :run_id and p.part_unit_id <> p.unit_id
)

select
    :publication_id as publication_id,
    u.unit_id,
    u.geography,
    u.code,
    u.name_vi as unit_name,
    u.name_en as unit_name_en,
    u.unit_level,
    u.unit_type,
    u.parent_unit_id,
    u.region_code,
    g.name_vi as region_name,
    g.name_en as region_name_en,
    case when s.is_former then w.unit_id_34 end as merged_into
from scored as s
inner join unit as u on s.unit_id = u.unit_id
inner join region as g on u.geography = g.geography and u.region_code = g.region_code
left join unit_succession as w on u.unit_id = w.unit_id_63
