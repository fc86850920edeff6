-- Reference data: loaded whole from include/reference/*.csv; column names are the files' headers.
create table ref.region (
    geography text not null check (geography in ('63', '34')),
    region_code text not null,
    name_vi text not null,
    name_en text not null,
    source text not null,
    primary key (geography, region_code)
);
comment on table ref.region is 'One row is one socio-economic region of one geography';
comment on column ref.region.geography is '63: until 30 June 2025; 34: from 1 July 2025';
comment on column ref.region.region_code is 'Code of the region, unique in its geography';
comment on column ref.region.name_vi is 'Vietnamese name';
comment on column ref.region.name_en is 'English name';
comment on column ref.region.source is 'Where the region is laid down';

create table ref.unit (
    unit_id text primary key,
    geography text not null check (geography in ('63', '34')),
    code text not null,
    name_vi text not null,
    name_en text not null,
    unit_level text not null,
    unit_type text not null,
    region_code text not null,
    valid_from date not null,
    valid_to date,
    note text,
    source text not null,
    unique (geography, code),
    foreign key (geography, region_code) references ref.region,
    check (unit_id = 'P' || geography || '-' || code),
    check (valid_from < valid_to)
);
comment on table ref.unit is 'One row is one unit (province) of one geography';
comment on column ref.unit.unit_id is
'P, geography, GSO code: P63-66 and P34-66 are Đắk Lắk before and after the mergers';
comment on column ref.unit.geography is '63: until 30 June 2025; 34: from 1 July 2025';
comment on column ref.unit.code is 'GSO code; the 34 reuse codes of the 63 for other borders';
comment on column ref.unit.name_vi is 'Vietnamese name, without tỉnh or thành phố';
comment on column ref.unit.name_en is 'English name';
comment on column ref.unit.unit_level is 'Level of government: province';
comment on column ref.unit.unit_type is 'province (tỉnh) or municipality (thành phố trực thuộc trung ương)';
comment on column ref.unit.region_code is 'Region of the same geography';
comment on column ref.unit.valid_from is 'First day';
comment on column ref.unit.valid_to is 'First day no longer valid; empty: still valid';
comment on column ref.unit.note is 'What a reader should know, such as a change of type';
comment on column ref.unit.source is 'Where code and borders come from';

create table ref.unit_succession (
    unit_id_63 text primary key references ref.unit,
    unit_id_34 text not null references ref.unit,
    source text not null
);
comment on table ref.unit_succession is 'One row is one of the 63 provinces and the one of the 34 it is part of';
comment on column ref.unit_succession.unit_id_63 is 'Unit until 30 June 2025';
comment on column ref.unit_succession.unit_id_34 is 'Unit from 1 July 2025';
comment on column ref.unit_succession.source is 'The resolution';

create table ref.unit_alias (
    geography text not null check (geography in ('63', '34')),
    alias text not null,
    unit_id text not null references ref.unit,
    kind text not null,
    primary key (geography, alias)
);
comment on table ref.unit_alias is 'One row is one way an agency writes a unit, in one geography';
comment on column ref.unit_alias.geography is '63: until 30 June 2025; 34: from 1 July 2025';
comment on column ref.unit_alias.alias is 'The text, NFC';
comment on column ref.unit_alias.unit_id is 'The unit it means';
comment on column ref.unit_alias.kind is
'Why it is an alias: name, tone_placement, spelling, no_diacritics, with_prefix, gso_code …';

create table ref.metric (
    metric text not null,
    feed text not null,
    unit text not null,
    aggregation text not null check (aggregation in ('sum', 'last', 'distinct', 'calendar')),
    name_en text not null,
    name_vi text not null,
    primary key (metric, feed)
);
comment on table ref.metric is 'One row is one metric as one feed measures it';
comment on column ref.metric.metric is 'Name of the metric, as frameworks use it';
comment on column ref.metric.feed is 'Feed that measures it; calendar: follows from the period alone';
comment on column ref.metric.unit is 'Unit of measure; yes_no is 1 or 0';
comment on column ref.metric.aggregation is
'Over a period: sum of days, last known value, distinct things, or calendar';
comment on column ref.metric.name_en is 'English name';
comment on column ref.metric.name_vi is 'Vietnamese name';

create table ref.published_index (
    year integer not null,
    geography text not null check (geography in ('63', '34')),
    unit_id text not null references ref.unit,
    measure text not null,
    value numeric check (value between 0 and 1),
    rank integer check (rank > 0),
    decision text not null,
    provenance text not null,
    source text not null,
    primary key (year, unit_id, measure),
    check (value is not null or rank is not null)
);
comment on table ref.published_index is 'One row is one officially published figure of one unit and reporting year';
comment on column ref.published_index.year is 'Reporting year, 7 to 14 months before publication';
comment on column ref.published_index.geography is 'Geography in which it was published';
comment on column ref.published_index.unit_id is 'The unit';
comment on column ref.published_index.measure is
'PDTI, a pillar (NT … XHS) or a composite (CHINH_QUYEN_SO, KINH_TE_SO, XA_HOI_SO)';
comment on column ref.published_index.value is 'Published value, 4 decimals; empty where only a rank was published';
comment on column ref.published_index.rank is 'Published national rank; empty where none was published';
comment on column ref.published_index.decision is
'The method in force; values under different decisions are not comparable';
comment on column ref.published_index.provenance is 'How the figure reached us';
comment on column ref.published_index.source is 'Where it was read';
