-- Grain: one row is one unit (province, or commune of a province) of one geography.
create view marts.unit as
with predecessors as (
    select
        s.unit_id_34 as unit_id,
        string_agg(s.unit_id_63, ' ' order by s.unit_id_63) as predecessor_unit_ids
    from ref.unit_succession as s
    group by s.unit_id_34
)

select
    u.unit_id,
    u.geography,
    u.code,
    u.name_vi as unit_name,
    u.name_en as unit_name_en,
    u.unit_level,
    u.unit_type,
    u.parent_unit_id,
    u.region_code,
    r.name_vi as region_name,
    r.name_en as region_name_en,
    u.valid_from,
    u.valid_to,
    s.unit_id_34 as successor_unit_id,
    p.predecessor_unit_ids,
    u.note
from ref.unit as u
inner join ref.region as r on u.geography = r.geography and u.region_code = r.region_code
left join ref.unit_succession as s on u.unit_id = s.unit_id_63
left join predecessors as p on u.unit_id = p.unit_id;

comment on view marts.unit is 'One row is one unit (province, or commune of a province) of one geography';
comment on column marts.unit.unit_id is
'P63-66 and P34-66 are Đắk Lắk before and after the mergers; C34-25459 is a commune among those of 2025';
comment on column marts.unit.geography is
'63: provinces until 30 June 2025; 34: from 1 July 2025; tay-ninh-2025: communes of Tây Ninh from that day';
comment on column marts.unit.code is 'GSO code; the 34 reuse codes of the 63 for other borders';
comment on column marts.unit.unit_name is 'Vietnamese name, of a province without tỉnh or thành phố';
comment on column marts.unit.unit_name_en is 'English name';
comment on column marts.unit.unit_level is 'Level of government: province, commune';
comment on column marts.unit.unit_type is
'province (tỉnh), municipality (thành phố trực thuộc trung ương), commune (xã), ward (phường)';
comment on column marts.unit.parent_unit_id is 'Of a commune: its province';
comment on column marts.unit.region_code is 'Region of the same geography, in which regional ranks are taken';
comment on column marts.unit.region_name is 'Vietnamese name of the region';
comment on column marts.unit.region_name_en is 'English name of the region';
comment on column marts.unit.valid_from is 'First day';
comment on column marts.unit.valid_to is 'First day no longer valid; empty: still valid';
comment on column marts.unit.successor_unit_id is 'For one of the 63: the one of the 34 it is part of';
comment on column marts.unit.predecessor_unit_ids is
'For one of the 34: those of the 63 it was made of, separated by spaces';
comment on column marts.unit.note is 'What a reader should know, such as a change of type';
