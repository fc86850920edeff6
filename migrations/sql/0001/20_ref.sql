-- Reference data: loaded whole from include/reference/*.csv; column names are the files' headers.
CREATE TABLE ref.region (
    geography text NOT NULL CHECK (geography IN ('63', '34')),
    region_code text NOT NULL,
    name_vi text NOT NULL,
    name_en text NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (geography, region_code)
);
COMMENT ON TABLE ref.region IS 'One row is one socio-economic region of one geography';
COMMENT ON COLUMN ref.region.geography IS '63: until 30 June 2025; 34: from 1 July 2025';
COMMENT ON COLUMN ref.region.region_code IS 'Code of the region, unique in its geography';
COMMENT ON COLUMN ref.region.name_vi IS 'Vietnamese name';
COMMENT ON COLUMN ref.region.name_en IS 'English name';
COMMENT ON COLUMN ref.region.source IS 'Where the region is laid down';

CREATE TABLE ref.unit (
    unit_id text PRIMARY KEY,
    geography text NOT NULL CHECK (geography IN ('63', '34')),
    code text NOT NULL,
    name_vi text NOT NULL,
    name_en text NOT NULL,
    unit_level text NOT NULL,
    unit_type text NOT NULL,
    region_code text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    note text,
    source text NOT NULL,
    UNIQUE (geography, code),
    FOREIGN KEY (geography, region_code) REFERENCES ref.region,
    CHECK (unit_id = 'P' || geography || '-' || code),
    CHECK (valid_from < valid_to)
);
COMMENT ON TABLE ref.unit IS 'One row is one unit (province) of one geography';
COMMENT ON COLUMN ref.unit.unit_id IS 'P, geography, GSO code: P63-66 and P34-66 are Đắk Lắk before and after the mergers';
COMMENT ON COLUMN ref.unit.geography IS '63: until 30 June 2025; 34: from 1 July 2025';
COMMENT ON COLUMN ref.unit.code IS 'GSO code; the 34 reuse codes of the 63 for other borders';
COMMENT ON COLUMN ref.unit.name_vi IS 'Vietnamese name, without tỉnh or thành phố';
COMMENT ON COLUMN ref.unit.name_en IS 'English name';
COMMENT ON COLUMN ref.unit.unit_level IS 'Level of government: province';
COMMENT ON COLUMN ref.unit.unit_type IS 'province (tỉnh) or municipality (thành phố trực thuộc trung ương)';
COMMENT ON COLUMN ref.unit.region_code IS 'Region of the same geography';
COMMENT ON COLUMN ref.unit.valid_from IS 'First day';
COMMENT ON COLUMN ref.unit.valid_to IS 'First day no longer valid; empty: still valid';
COMMENT ON COLUMN ref.unit.note IS 'What a reader should know, such as a change of type';
COMMENT ON COLUMN ref.unit.source IS 'Where code and borders come from';

CREATE TABLE ref.unit_succession (
    unit_id_63 text PRIMARY KEY REFERENCES ref.unit,
    unit_id_34 text NOT NULL REFERENCES ref.unit,
    source text NOT NULL
);
COMMENT ON TABLE ref.unit_succession IS 'One row is one of the 63 provinces and the one of the 34 it is part of';
COMMENT ON COLUMN ref.unit_succession.unit_id_63 IS 'Unit until 30 June 2025';
COMMENT ON COLUMN ref.unit_succession.unit_id_34 IS 'Unit from 1 July 2025';
COMMENT ON COLUMN ref.unit_succession.source IS 'The resolution';

CREATE TABLE ref.unit_alias (
    geography text NOT NULL CHECK (geography IN ('63', '34')),
    alias text NOT NULL,
    unit_id text NOT NULL REFERENCES ref.unit,
    kind text NOT NULL,
    PRIMARY KEY (geography, alias)
);
COMMENT ON TABLE ref.unit_alias IS 'One row is one way an agency writes a unit, in one geography';
COMMENT ON COLUMN ref.unit_alias.geography IS '63: until 30 June 2025; 34: from 1 July 2025';
COMMENT ON COLUMN ref.unit_alias.alias IS 'The text, NFC';
COMMENT ON COLUMN ref.unit_alias.unit_id IS 'The unit it means';
COMMENT ON COLUMN ref.unit_alias.kind IS 'Why it is an alias: name, tone_placement, spelling, no_diacritics, with_prefix, gso_code …';

CREATE TABLE ref.metric (
    metric text NOT NULL,
    feed text NOT NULL,
    unit text NOT NULL,
    aggregation text NOT NULL CHECK (aggregation IN ('sum', 'last', 'distinct', 'calendar')),
    name_en text NOT NULL,
    name_vi text NOT NULL,
    PRIMARY KEY (metric, feed)
);
COMMENT ON TABLE ref.metric IS 'One row is one metric as one feed measures it';
COMMENT ON COLUMN ref.metric.metric IS 'Name of the metric, as frameworks use it';
COMMENT ON COLUMN ref.metric.feed IS 'Feed that measures it; calendar: follows from the period alone';
COMMENT ON COLUMN ref.metric.unit IS 'Unit of measure; yes_no is 1 or 0';
COMMENT ON COLUMN ref.metric.aggregation IS 'Over a period: sum of days, last known value, distinct things, or calendar';
COMMENT ON COLUMN ref.metric.name_en IS 'English name';
COMMENT ON COLUMN ref.metric.name_vi IS 'Vietnamese name';

CREATE TABLE ref.published_index (
    year integer NOT NULL,
    geography text NOT NULL CHECK (geography IN ('63', '34')),
    unit_id text NOT NULL REFERENCES ref.unit,
    measure text NOT NULL,
    value numeric CHECK (value BETWEEN 0 AND 1),
    rank integer CHECK (rank > 0),
    decision text NOT NULL,
    provenance text NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (year, unit_id, measure),
    CHECK (value IS NOT NULL OR rank IS NOT NULL)
);
COMMENT ON TABLE ref.published_index IS 'One row is one officially published figure of one unit and reporting year';
COMMENT ON COLUMN ref.published_index.year IS 'Reporting year, 7 to 14 months before publication';
COMMENT ON COLUMN ref.published_index.geography IS 'Geography in which it was published';
COMMENT ON COLUMN ref.published_index.unit_id IS 'The unit';
COMMENT ON COLUMN ref.published_index.measure IS 'PDTI, a pillar (NT … XHS) or a composite (CHINH_QUYEN_SO, KINH_TE_SO, XA_HOI_SO)';
COMMENT ON COLUMN ref.published_index.value IS 'Published value, 4 decimals; empty where only a rank was published';
COMMENT ON COLUMN ref.published_index.rank IS 'Published national rank; empty where none was published';
COMMENT ON COLUMN ref.published_index.decision IS 'The method in force; values under different decisions are not comparable';
COMMENT ON COLUMN ref.published_index.provenance IS 'How the figure reached us';
COMMENT ON COLUMN ref.published_index.source IS 'Where it was read';
