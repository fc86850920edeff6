-- Grain: one row is one source, with its newest decided batch and its last good data.
CREATE VIEW marts.feed_freshness AS
WITH newest_night AS (
    SELECT (max(b.night) + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS ends_at
    FROM ops.batch AS b
),

newest_batch AS (
    SELECT DISTINCT ON (b.source_id) b.*
    FROM ops.batch AS b
    ORDER BY b.source_id, b.night DESC, b.started_at DESC
),

last_good AS (
    SELECT
        b.source_id,
        max(b.until) AS interval_end
    FROM ops.batch AS b
    WHERE b.status = 'passed'
    GROUP BY b.source_id
),

judged AS (
    SELECT
        s.source_id,
        CASE
            WHEN b.batch_id IS NULL THEN 'never'
            WHEN b.status <> 'passed' THEN b.status
            WHEN g.interval_end + make_interval(hours => s.freshness_limit_hours) < n.ends_at THEN 'stale'
            ELSE 'fresh'
        END AS status,
        round(extract(EPOCH FROM n.ends_at - g.interval_end) / 3600)::bigint AS hours_behind
    FROM ops.source AS s
    CROSS JOIN newest_night AS n
    LEFT JOIN newest_batch AS b ON s.source_id = b.source_id
    LEFT JOIN last_good AS g ON s.source_id = g.source_id
)

SELECT
    s.feed,
    s.source_id,
    s.agency,
    s.synthetic,
    s.enabled,
    b.finished_at AS last_batch_at,
    g.interval_end AS last_interval_end,
    b.rows_landed,
    b.rows_loaded,
    b.rows_quarantined,
    j.status,
    CASE j.status
        WHEN 'never' THEN 'no batch has been decided yet'
        WHEN 'failed' THEN concat_ws(' — ', concat_ws(': ', nullif(b.fault_where, ''), b.fault_what), nullif(b.fault_remedy, ''))
        WHEN 'stopped' THEN b.stopped_reason
        WHEN 'stale' THEN format('good data ends %s hours before the newest night; limit %s', j.hours_behind, s.freshness_limit_hours)
    END AS detail
FROM ops.source AS s
INNER JOIN judged AS j ON s.source_id = j.source_id
LEFT JOIN newest_batch AS b ON s.source_id = b.source_id
LEFT JOIN last_good AS g ON s.source_id = g.source_id;

COMMENT ON VIEW marts.feed_freshness IS 'One row is one source: how it stands, and until when its data is good';
COMMENT ON COLUMN marts.feed_freshness.feed IS 'The feed it fills';
COMMENT ON COLUMN marts.feed_freshness.source_id IS 'The source: one system of one agency';
COMMENT ON COLUMN marts.feed_freshness.agency IS 'The agency';
COMMENT ON COLUMN marts.feed_freshness.synthetic IS 'True: made up, from the sandbox; not real figures';
COMMENT ON COLUMN marts.feed_freshness.enabled IS 'False: no longer pulled';
COMMENT ON COLUMN marts.feed_freshness.last_batch_at IS 'End of the newest extraction, whatever its outcome';
COMMENT ON COLUMN marts.feed_freshness.last_interval_end IS 'Until when data is good: end of the newest interval that passed the gate';
COMMENT ON COLUMN marts.feed_freshness.rows_landed IS 'Records landed by the newest extraction; always loaded + quarantined';
COMMENT ON COLUMN marts.feed_freshness.rows_loaded IS 'Of these, loaded';
COMMENT ON COLUMN marts.feed_freshness.rows_quarantined IS 'Of these, held back with rule and reason';
COMMENT ON COLUMN marts.feed_freshness.status IS 'fresh; stale: older than the feed''s limit at the end of the newest night any source tried; failed: the newest fetch failed; stopped: the gate stopped the newest batch; never: nothing decided yet';
COMMENT ON COLUMN marts.feed_freshness.detail IS 'Why it is not fresh, in words';
