-- What the pipeline did: one row a source, a batch, a quarantined row, a rule's result.
CREATE TABLE ops.prepared (
    part text PRIMARY KEY,
    content_hash text NOT NULL,
    prepared_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.prepared IS 'One row is one part of the warehouse that is made from files: skipped while the files stay the same';
COMMENT ON COLUMN ops.prepared.part IS 'all, reference or marts';
COMMENT ON COLUMN ops.prepared.content_hash IS 'sha256 over the files';
COMMENT ON COLUMN ops.prepared.prepared_at IS 'When it was made';

CREATE TABLE ops.source (
    source_id text PRIMARY KEY,
    feed text NOT NULL,
    agency text NOT NULL,
    owner text NOT NULL,
    licence text NOT NULL,
    synthetic boolean NOT NULL,
    pool text NOT NULL,
    enabled boolean NOT NULL,
    freshness_limit_hours integer NOT NULL CHECK (freshness_limit_hours > 0)
);
COMMENT ON TABLE ops.source IS 'One row is one system of one agency that fills one feed, also after its description was removed';
COMMENT ON COLUMN ops.source.source_id IS 'Name of its file in include/sources';
COMMENT ON COLUMN ops.source.feed IS 'The feed it fills';
COMMENT ON COLUMN ops.source.agency IS 'The agency';
COMMENT ON COLUMN ops.source.owner IS 'Who answers for the data';
COMMENT ON COLUMN ops.source.licence IS 'Terms under which the data may be used';
COMMENT ON COLUMN ops.source.synthetic IS 'True: made up, from the sandbox';
COMMENT ON COLUMN ops.source.pool IS 'Airflow pool that limits how hard the agency is asked';
COMMENT ON COLUMN ops.source.enabled IS 'False: no longer pulled';
COMMENT ON COLUMN ops.source.freshness_limit_hours IS 'Older than this at the newest night''s end: stale';

CREATE TABLE ops.batch (
    batch_id text PRIMARY KEY,
    feed text NOT NULL,
    source_id text NOT NULL REFERENCES ops.source,
    night date NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('landed', 'failed')),
    status text NOT NULL CHECK (status IN ('passed', 'stopped', 'failed')),
    rows_landed bigint NOT NULL CHECK (rows_landed >= 0),
    rows_loaded bigint NOT NULL CHECK (rows_loaded >= 0),
    rows_quarantined bigint NOT NULL CHECK (rows_quarantined >= 0),
    stopped_reason text,
    requests_count integer NOT NULL,
    retries_count integer NOT NULL,
    passes_count integer NOT NULL,
    bytes_received bigint NOT NULL,
    warnings jsonb NOT NULL,
    unmapped_fields jsonb NOT NULL,
    source_files jsonb NOT NULL,
    fault_kind text,
    fault_where text,
    fault_what text,
    fault_remedy text,
    sha256 text NOT NULL,
    source_hash text NOT NULL,
    contract_hash text NOT NULL,
    synthetic boolean NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT batch_every_row_accounted_for CHECK (rows_landed = rows_loaded + rows_quarantined),
    CONSTRAINT batch_stopped_loads_nothing CHECK (status <> 'stopped' OR rows_loaded = 0),
    CONSTRAINT batch_stopped_says_why CHECK ((status = 'stopped') = (stopped_reason IS NOT NULL)),
    CONSTRAINT batch_failed_says_why CHECK ((outcome = 'failed') = (fault_what IS NOT NULL)),
    CONSTRAINT batch_failed_is_failed CHECK ((outcome = 'failed') = (status = 'failed')),
    CONSTRAINT batch_failed_lands_nothing CHECK (outcome <> 'failed' OR rows_landed = 0)
);
CREATE INDEX batch_source_night ON ops.batch (source_id, night, started_at);
CREATE INDEX batch_feed ON ops.batch (feed);
COMMENT ON TABLE ops.batch IS 'One row is one decided extraction; landed = loaded + quarantined, always';
COMMENT ON COLUMN ops.batch.batch_id IS 'Source, night and start of the extraction';
COMMENT ON COLUMN ops.batch.feed IS 'The feed';
COMMENT ON COLUMN ops.batch.source_id IS 'The source';
COMMENT ON COLUMN ops.batch.night IS 'Day in Việt Nam at whose end the source was to be seen';
COMMENT ON COLUMN ops.batch.since IS 'Start of the interval of changes asked for';
COMMENT ON COLUMN ops.batch.until IS 'End of that interval, not in it';
COMMENT ON COLUMN ops.batch.outcome IS 'landed, or failed: the fetch did not end well';
COMMENT ON COLUMN ops.batch.status IS 'passed, stopped by the gate, or failed';
COMMENT ON COLUMN ops.batch.rows_landed IS 'Records that reached landing';
COMMENT ON COLUMN ops.batch.rows_loaded IS 'Records that passed the gate into the lake';
COMMENT ON COLUMN ops.batch.rows_quarantined IS 'Records held back, each with rule and reason';
COMMENT ON COLUMN ops.batch.stopped_reason IS 'Why the gate stopped the whole batch';
COMMENT ON COLUMN ops.batch.requests_count IS 'Requests made to the agency''s system';
COMMENT ON COLUMN ops.batch.retries_count IS 'Requests that had to be repeated';
COMMENT ON COLUMN ops.batch.passes_count IS 'How often a shifting list was read until it stood still';
COMMENT ON COLUMN ops.batch.bytes_received IS 'Bytes received';
COMMENT ON COLUMN ops.batch.warnings IS 'List of what was odd but not wrong';
COMMENT ON COLUMN ops.batch.unmapped_fields IS 'List of fields the agency sent and no one asked for';
COMMENT ON COLUMN ops.batch.source_files IS 'List of the files read, for tables';
COMMENT ON COLUMN ops.batch.fault_kind IS 'Kind of fault of a failed fetch';
COMMENT ON COLUMN ops.batch.fault_where IS 'Source, file or URL of the fault';
COMMENT ON COLUMN ops.batch.fault_what IS 'The fault in words';
COMMENT ON COLUMN ops.batch.fault_remedy IS 'What a person should do';
COMMENT ON COLUMN ops.batch.sha256 IS 'Checksum over the landed files';
COMMENT ON COLUMN ops.batch.source_hash IS 'Checksum of the source''s description at the time';
COMMENT ON COLUMN ops.batch.contract_hash IS 'Checksum of the feed''s contract at the time';
COMMENT ON COLUMN ops.batch.synthetic IS 'True: made up, from the sandbox';
COMMENT ON COLUMN ops.batch.started_at IS 'Start of the extraction';
COMMENT ON COLUMN ops.batch.finished_at IS 'End of the extraction';
COMMENT ON COLUMN ops.batch.loaded_at IS 'When the batch was recorded here';

CREATE TABLE ops.quarantine (
    batch_id text NOT NULL REFERENCES ops.batch,
    row_number bigint NOT NULL CHECK (row_number >= -1),
    source_row text,
    key_text text,
    rule text NOT NULL,
    severity text NOT NULL,
    reason text NOT NULL,
    record jsonb,
    PRIMARY KEY (batch_id, row_number)
);
COMMENT ON TABLE ops.quarantine IS 'One row is one record held back, or one batch (row_number -1)';
COMMENT ON COLUMN ops.quarantine.batch_id IS 'The batch';
COMMENT ON COLUMN ops.quarantine.row_number IS 'Position in the batch; -1: the whole batch';
COMMENT ON COLUMN ops.quarantine.source_row IS 'Where it stands at the agency: page and record, or sheet and row';
COMMENT ON COLUMN ops.quarantine.key_text IS 'The record''s key, for people';
COMMENT ON COLUMN ops.quarantine.rule IS 'The first rule it broke';
COMMENT ON COLUMN ops.quarantine.severity IS 'critical or warning';
COMMENT ON COLUMN ops.quarantine.reason IS 'Every rule it broke, in words';
COMMENT ON COLUMN ops.quarantine.record IS 'The record as landed';

CREATE TABLE ops.quality_result (
    batch_id text NOT NULL REFERENCES ops.batch,
    position integer NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('critical', 'warning', 'info')),
    passed boolean NOT NULL,
    checked_count bigint NOT NULL,
    failed_count bigint NOT NULL,
    detail text,
    PRIMARY KEY (batch_id, position)
);
COMMENT ON TABLE ops.quality_result IS 'One row is the result of one rule on one batch';
COMMENT ON COLUMN ops.quality_result.batch_id IS 'The batch';
COMMENT ON COLUMN ops.quality_result.position IS 'Order in which the gate applied its rules';
COMMENT ON COLUMN ops.quality_result.rule IS 'The rule';
COMMENT ON COLUMN ops.quality_result.severity IS 'critical: stops the batch; warning: quarantines rows; info: only recorded';
COMMENT ON COLUMN ops.quality_result.passed IS 'Whether it held';
COMMENT ON COLUMN ops.quality_result.checked_count IS 'Records checked';
COMMENT ON COLUMN ops.quality_result.failed_count IS 'Records that broke it';
COMMENT ON COLUMN ops.quality_result.detail IS 'What was seen, in words';

CREATE TABLE ops.lake_state (
    feed text PRIMARY KEY,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.lake_state IS 'One row is one feed and the version of its lake table that the facts reflect';
COMMENT ON COLUMN ops.lake_state.feed IS 'The feed';
COMMENT ON COLUMN ops.lake_state.version IS 'Version of the Delta table';
COMMENT ON COLUMN ops.lake_state.updated_at IS 'When the facts last followed';

-- Landed = loaded + quarantined must hold for the lines too. It is checked once a batch when a transaction ends:
-- changed lines are gathered a statement at a time and touch their batch, whose deferred trigger then counts.
CREATE FUNCTION ops.check_batch_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    batch ops.batch;
    row_lines bigint;
    batch_lines bigint;
BEGIN
    SELECT b.* INTO batch FROM ops.batch AS b WHERE b.batch_id = NEW.batch_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT count(*) FILTER (WHERE q.row_number >= 0), count(*) FILTER (WHERE q.row_number = -1)
    INTO row_lines, batch_lines
    FROM ops.quarantine AS q WHERE q.batch_id = batch.batch_id;
    IF batch.status = 'passed' AND (row_lines <> batch.rows_quarantined OR batch_lines <> 0) THEN
        RAISE EXCEPTION 'batch % has % rows in quarantine but % quarantine lines',
            batch.batch_id, batch.rows_quarantined, row_lines + batch_lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_lines';
    ELSIF batch.status = 'stopped' AND batch_lines <> 1 THEN
        RAISE EXCEPTION 'stopped batch % has no quarantine line for the whole batch', batch.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_lines';
    ELSIF batch.status = 'failed' AND row_lines + batch_lines <> 0 THEN
        RAISE EXCEPTION 'failed batch % has quarantine lines but landed nothing', batch.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_lines';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ops.check_batch_lines IS 'Refuses a batch whose quarantine lines do not match its counts';

CREATE CONSTRAINT TRIGGER batch_lines
AFTER INSERT OR UPDATE ON ops.batch
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ops.check_batch_lines();

CREATE FUNCTION ops.touch_batches() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    UPDATE ops.batch SET rows_quarantined = rows_quarantined WHERE batch_id IN (SELECT DISTINCT c.batch_id FROM changed AS c);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ops.touch_batches IS 'Has every batch whose quarantine lines changed checked at the end of the transaction';

CREATE TRIGGER quarantine_inserted AFTER INSERT ON ops.quarantine
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ops.touch_batches();

CREATE TRIGGER quarantine_deleted AFTER DELETE ON ops.quarantine
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ops.touch_batches();

CREATE TRIGGER quarantine_moved_from AFTER UPDATE ON ops.quarantine
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ops.touch_batches();

CREATE TRIGGER quarantine_moved_to AFTER UPDATE ON ops.quarantine
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ops.touch_batches();
