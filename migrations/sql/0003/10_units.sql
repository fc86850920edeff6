-- Units of any level: a geography is any set of units that are ranked among themselves.
alter table ref.region
drop constraint region_geography_check,
add constraint region_geography_check check (geography ~ '^[a-z0-9][a-z0-9-]*$');
comment on table ref.region is 'One row is one region of one geography, within which units are also ranked';
comment on column ref.region.geography is
'63: provinces until 30 June 2025; 34: from 1 July 2025; else units of another level, such as tay-ninh-2025';

alter table ref.unit
add column parent_unit_id text references ref.unit,
drop constraint unit_geography_check,
drop constraint unit_check,
add constraint unit_geography_check check (geography ~ '^[a-z0-9][a-z0-9-]*$'),
add constraint unit_id_check check (unit_level <> 'province' or unit_id = 'P' || geography || '-' || code),
add constraint unit_parent_check check ((unit_level = 'province') = (parent_unit_id is null));
comment on table ref.unit is 'One row is one unit (province, or commune of a province) of one geography';
comment on column ref.unit.unit_id is
'P63-66 and P34-66 are Đắk Lắk before and after the mergers; C34-25459 is a commune among the communes of 2025';
comment on column ref.unit.geography is
'63: provinces until 30 June 2025; 34: from 1 July 2025; tay-ninh-2025: the communes of Tây Ninh from that day';
comment on column ref.unit.code is 'GSO code; the 34 reuse codes of the 63 for other borders';
comment on column ref.unit.name_vi is 'Vietnamese name, of a province without tỉnh or thành phố';
comment on column ref.unit.unit_level is 'Level of government: province, commune';
comment on column ref.unit.unit_type is
'province (tỉnh), municipality (thành phố trực thuộc trung ương), commune (xã), ward (phường)';
comment on column ref.unit.parent_unit_id is 'Of a commune: its province';

alter table ref.unit_alias
drop constraint unit_alias_geography_check,
add constraint unit_alias_geography_check check (geography ~ '^[a-z0-9][a-z0-9-]*$');
comment on column ref.unit_alias.geography is 'Geography in which the text means the unit; see ref.unit';
