-- Grain: one row is one officially published figure of one unit and reporting year.
CREATE VIEW marts.published_index AS
WITH known AS (
    SELECT
        p.*,
        count(p.value) OVER same_list AS values_count,
        rank() OVER (same_list ORDER BY p.value DESC NULLS LAST) AS rank_by_value
    FROM ref.published_index AS p
    WINDOW same_list AS (PARTITION BY p.year, p.geography, p.measure)
),

units AS (
    SELECT
        u.geography,
        count(*) AS units_count
    FROM ref.unit AS u
    GROUP BY u.geography
)

SELECT
    k.year,
    k.geography,
    k.unit_id,
    u.name_vi AS unit_name,
    u.region_code,
    k.measure,
    k.value,
    k.rank,
    CASE
        WHEN k.value IS NULL THEN 'rank_only'
        WHEN k.rank IS NULL THEN 'value_only'
        ELSE 'value_and_rank'
    END AS published_part,
    CASE WHEN k.values_count = units.units_count THEN k.rank_by_value END AS rank_by_value,
    k.decision,
    k.provenance,
    k.source
FROM known AS k
INNER JOIN ref.unit AS u ON k.unit_id = u.unit_id
INNER JOIN units ON k.geography = units.geography;

COMMENT ON VIEW marts.published_index IS 'One row is one officially published figure of one unit and reporting year; nothing is filled in';
COMMENT ON COLUMN marts.published_index.year IS 'Reporting year; results come 7 to 14 months after its end';
COMMENT ON COLUMN marts.published_index.geography IS 'Geography in which it was published: 63 or 34';
COMMENT ON COLUMN marts.published_index.unit_id IS 'The unit, such as P63-66';
COMMENT ON COLUMN marts.published_index.unit_name IS 'Vietnamese name of the unit';
COMMENT ON COLUMN marts.published_index.region_code IS 'Region of the unit';
COMMENT ON COLUMN marts.published_index.measure IS 'PDTI, a pillar (NT, TC, HT, NL, AT, CQS, KTS, XHS) or a composite (CHINH_QUYEN_SO, KINH_TE_SO, XA_HOI_SO)';
COMMENT ON COLUMN marts.published_index.value IS 'Published value, 4 decimals; empty where only a rank was published';
COMMENT ON COLUMN marts.published_index.rank IS 'Published national rank, ties share one; empty where none was published';
COMMENT ON COLUMN marts.published_index.published_part IS 'What was published: value_and_rank, value_only or rank_only';
COMMENT ON COLUMN marts.published_index.rank_by_value IS 'Our own competition rank of the published values, where those of all units are known; not official';
COMMENT ON COLUMN marts.published_index.decision IS 'The method in force; values under different decisions are not comparable';
COMMENT ON COLUMN marts.published_index.provenance IS 'How the figure reached us';
COMMENT ON COLUMN marts.published_index.source IS 'Where it was read';
