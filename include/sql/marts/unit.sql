-- Grain: one row is one unit (province) of one geography.
CREATE VIEW marts.unit AS
WITH predecessors AS (
    SELECT
        s.unit_id_34 AS unit_id,
        string_agg(s.unit_id_63, ' ' ORDER BY s.unit_id_63) AS predecessor_unit_ids
    FROM ref.unit_succession AS s
    GROUP BY s.unit_id_34
)

SELECT
    u.unit_id,
    u.geography,
    u.code,
    u.name_vi AS unit_name,
    u.name_en AS unit_name_en,
    u.unit_level,
    u.unit_type,
    u.region_code,
    r.name_vi AS region_name,
    r.name_en AS region_name_en,
    u.valid_from,
    u.valid_to,
    s.unit_id_34 AS successor_unit_id,
    p.predecessor_unit_ids,
    u.note
FROM ref.unit AS u
INNER JOIN ref.region AS r ON u.geography = r.geography AND u.region_code = r.region_code
LEFT JOIN ref.unit_succession AS s ON u.unit_id = s.unit_id_63
LEFT JOIN predecessors AS p ON u.unit_id = p.unit_id;

COMMENT ON VIEW marts.unit IS 'One row is one unit (province) of one geography';
COMMENT ON COLUMN marts.unit.unit_id IS 'P, geography, GSO code: P63-66 and P34-66 are Đắk Lắk before and after the mergers';
COMMENT ON COLUMN marts.unit.geography IS '63: until 30 June 2025; 34: from 1 July 2025';
COMMENT ON COLUMN marts.unit.code IS 'GSO code; the 34 reuse codes of the 63 for other borders';
COMMENT ON COLUMN marts.unit.unit_name IS 'Vietnamese name, without tỉnh or thành phố';
COMMENT ON COLUMN marts.unit.unit_name_en IS 'English name';
COMMENT ON COLUMN marts.unit.unit_level IS 'Level of government: province';
COMMENT ON COLUMN marts.unit.unit_type IS 'province (tỉnh) or municipality (thành phố trực thuộc trung ương)';
COMMENT ON COLUMN marts.unit.region_code IS 'Region of the same geography, in which regional ranks are taken';
COMMENT ON COLUMN marts.unit.region_name IS 'Vietnamese name of the region';
COMMENT ON COLUMN marts.unit.region_name_en IS 'English name of the region';
COMMENT ON COLUMN marts.unit.valid_from IS 'First day';
COMMENT ON COLUMN marts.unit.valid_to IS 'First day no longer valid; empty: still valid';
COMMENT ON COLUMN marts.unit.successor_unit_id IS 'For one of the 63: the one of the 34 it is part of';
COMMENT ON COLUMN marts.unit.predecessor_unit_ids IS 'For one of the 34: those of the 63 it was made of, separated by spaces';
COMMENT ON COLUMN marts.unit.note IS 'What a reader should know, such as a change of type';
