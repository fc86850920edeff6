-- What the pipeline did: one row a source, a batch, a quarantined row, a rule's result.
create table ops.prepared (
    part text primary key,
    content_hash text not null,
    prepared_at timestamptz not null default now()
);
comment on table ops.prepared is
'One row is one part of the warehouse that is made from files: skipped while the files stay the same';
comment on column ops.prepared.part is 'all, reference or marts';
comment on column ops.prepared.content_hash is 'sha256 over the files';
comment on column ops.prepared.prepared_at is 'When it was made';

create table ops.source (
    source_id text primary key,
    feed text not null,
    agency text not null,
    owner text not null,
    licence text not null,
    synthetic boolean not null,
    pool text not null,
    enabled boolean not null,
    freshness_limit_hours integer not null check (freshness_limit_hours > 0)
);
comment on table ops.source is
'One row is one system of one agency that fills one feed, also after its description was removed';
comment on column ops.source.source_id is 'Name of its file in include/sources';
comment on column ops.source.feed is 'The feed it fills';
comment on column ops.source.agency is 'The agency';
comment on column ops.source.owner is 'Who answers for the data';
comment on column ops.source.licence is 'Terms under which the data may be used';
comment on column ops.source.synthetic is 'True: made up, from the sandbox';
comment on column ops.source.pool is 'Airflow pool that limits how hard the agency is asked';
comment on column ops.source.enabled is 'False: no longer pulled';
comment on column ops.source.freshness_limit_hours is 'Older than this at the newest night''s end: stale';

create table ops.batch (
    batch_id text primary key,
    feed text not null,
    source_id text not null references ops.source,
    night date not null,
    since timestamptz not null,
    until timestamptz not null,
    outcome text not null check (outcome in ('landed', 'failed')),
    status text not null check (status in ('passed', 'stopped', 'failed')),
    rows_landed bigint not null check (rows_landed >= 0),
    rows_loaded bigint not null check (rows_loaded >= 0),
    rows_quarantined bigint not null check (rows_quarantined >= 0),
    stopped_reason text,
    requests_count integer not null,
    retries_count integer not null,
    passes_count integer not null,
    bytes_received bigint not null,
    warnings jsonb not null,
    unmapped_fields jsonb not null,
    source_files jsonb not null,
    fault_kind text,
    fault_where text,
    fault_what text,
    fault_remedy text,
    sha256 text not null,
    source_hash text not null,
    contract_hash text not null,
    synthetic boolean not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    loaded_at timestamptz not null default now(),
    constraint batch_every_row_accounted_for check (rows_landed = rows_loaded + rows_quarantined),
    constraint batch_stopped_loads_nothing check (status <> 'stopped' or rows_loaded = 0),
    constraint batch_stopped_says_why check ((status = 'stopped') = (stopped_reason is not null)),
    constraint batch_failed_says_why check ((outcome = 'failed') = (fault_what is not null)),
    constraint batch_failed_is_failed check ((outcome = 'failed') = (status = 'failed')),
    constraint batch_failed_lands_nothing check (outcome <> 'failed' or rows_landed = 0)
);
create index batch_source_night on ops.batch (source_id, night, started_at);
create index batch_feed on ops.batch (feed);
comment on table ops.batch is 'One row is one decided extraction; landed = loaded + quarantined, always';
comment on column ops.batch.batch_id is 'Source, night and start of the extraction';
comment on column ops.batch.feed is 'The feed';
comment on column ops.batch.source_id is 'The source';
comment on column ops.batch.night is 'Day in Việt Nam at whose end the source was to be seen';
comment on column ops.batch.since is 'Start of the interval of changes asked for';
comment on column ops.batch.until is 'End of that interval, not in it';
comment on column ops.batch.outcome is 'landed, or failed: the fetch did not end well';
comment on column ops.batch.status is 'passed, stopped by the gate, or failed';
comment on column ops.batch.rows_landed is 'Records that reached landing';
comment on column ops.batch.rows_loaded is 'Records that passed the gate into the lake';
comment on column ops.batch.rows_quarantined is 'Records held back, each with rule and reason';
comment on column ops.batch.stopped_reason is 'Why the gate stopped the whole batch';
comment on column ops.batch.requests_count is 'Requests made to the agency''s system';
comment on column ops.batch.retries_count is 'Requests that had to be repeated';
comment on column ops.batch.passes_count is 'How often a shifting list was read until it stood still';
comment on column ops.batch.bytes_received is 'Bytes received';
comment on column ops.batch.warnings is 'List of what was odd but not wrong';
comment on column ops.batch.unmapped_fields is 'List of fields the agency sent and no one asked for';
comment on column ops.batch.source_files is 'List of the files read, for tables';
comment on column ops.batch.fault_kind is 'Kind of fault of a failed fetch';
comment on column ops.batch.fault_where is 'Source, file or URL of the fault';
comment on column ops.batch.fault_what is 'The fault in words';
comment on column ops.batch.fault_remedy is 'What a person should do';
comment on column ops.batch.sha256 is 'Checksum over the landed files';
comment on column ops.batch.source_hash is 'Checksum of the source''s description at the time';
comment on column ops.batch.contract_hash is 'Checksum of the feed''s contract at the time';
comment on column ops.batch.synthetic is 'True: made up, from the sandbox';
comment on column ops.batch.started_at is 'Start of the extraction';
comment on column ops.batch.finished_at is 'End of the extraction';
comment on column ops.batch.loaded_at is 'When the batch was recorded here';

create table ops.quarantine (
    batch_id text not null references ops.batch,
    row_number bigint not null check (row_number >= -1),
    source_row text,
    key_text text,
    rule text not null,
    severity text not null,
    reason text not null,
    record jsonb,
    primary key (batch_id, row_number)
);
comment on table ops.quarantine is 'One row is one record held back, or one batch (row_number -1)';
comment on column ops.quarantine.batch_id is 'The batch';
comment on column ops.quarantine.row_number is 'Position in the batch; -1: the whole batch';
comment on column ops.quarantine.source_row is 'Where it stands at the agency: page and record, or sheet and row';
comment on column ops.quarantine.key_text is 'The record''s key, for people';
comment on column ops.quarantine.rule is 'The first rule it broke';
comment on column ops.quarantine.severity is 'critical or warning';
comment on column ops.quarantine.reason is 'Every rule it broke, in words';
comment on column ops.quarantine.record is 'The record as landed';

create table ops.quality_result (
    batch_id text not null references ops.batch,
    position integer not null,
    rule text not null,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    passed boolean not null,
    checked_count bigint not null,
    failed_count bigint not null,
    detail text,
    primary key (batch_id, position)
);
comment on table ops.quality_result is 'One row is the result of one rule on one batch';
comment on column ops.quality_result.batch_id is 'The batch';
comment on column ops.quality_result.position is 'Order in which the gate applied its rules';
comment on column ops.quality_result.rule is 'The rule';
comment on column ops.quality_result.severity is
'critical: stops the batch; warning: quarantines rows; info: only recorded';
comment on column ops.quality_result.passed is 'Whether it held';
comment on column ops.quality_result.checked_count is 'Records checked';
comment on column ops.quality_result.failed_count is 'Records that broke it';
comment on column ops.quality_result.detail is 'What was seen, in words';

create table ops.lake_state (
    feed text primary key,
    version bigint not null,
    updated_at timestamptz not null default now()
);
comment on table ops.lake_state is 'One row is one feed and the version of its lake table that the facts reflect';
comment on column ops.lake_state.feed is 'The feed';
comment on column ops.lake_state.version is 'Version of the Delta table';
comment on column ops.lake_state.updated_at is 'When the facts last followed';

-- Landed = loaded + quarantined must hold for the lines too. It is checked once a batch when a transaction ends:
-- changed lines are gathered a statement at a time and touch their batch, whose deferred trigger then counts.
create function ops.check_batch_lines() returns trigger language plpgsql set search_path = '' as $$
declare
    batch ops.batch;
    row_lines bigint;
    batch_lines bigint;
begin
    select b.* into batch from ops.batch as b where b.batch_id = new.batch_id;
    if not found then
        return null;
    end if;
    select count(*) filter (where q.row_number >= 0), count(*) filter (where q.row_number = -1)
    into row_lines, batch_lines
    from ops.quarantine as q where q.batch_id = batch.batch_id;
    if batch.status = 'passed' and (row_lines <> batch.rows_quarantined or batch_lines <> 0) then
        raise exception 'batch % has % rows in quarantine but % quarantine lines',
            batch.batch_id, batch.rows_quarantined, row_lines + batch_lines
            using errcode = 'check_violation', constraint = 'batch_lines';
    elsif batch.status = 'stopped' and batch_lines <> 1 then
        raise exception 'stopped batch % has no quarantine line for the whole batch', batch.batch_id
            using errcode = 'check_violation', constraint = 'batch_lines';
    elsif batch.status = 'failed' and row_lines + batch_lines <> 0 then
        raise exception 'failed batch % has quarantine lines but landed nothing', batch.batch_id
            using errcode = 'check_violation', constraint = 'batch_lines';
    end if;
    return null;
end
$$;
comment on function ops.check_batch_lines is 'Refuses a batch whose quarantine lines do not match its counts';

create constraint trigger batch_lines
after insert or update on ops.batch
deferrable initially deferred
for each row execute function ops.check_batch_lines();

create function ops.touch_batches() returns trigger language plpgsql set search_path = '' as $$
begin
    update ops.batch set rows_quarantined = rows_quarantined where batch_id in (select distinct c.batch_id from changed as c);
    return null;
end
$$;
comment on function ops.touch_batches is
'Has every batch whose quarantine lines changed checked at the end of the transaction';

create trigger quarantine_inserted after insert on ops.quarantine
referencing new table as changed for each statement execute function ops.touch_batches();

create trigger quarantine_deleted after delete on ops.quarantine
referencing old table as changed for each statement execute function ops.touch_batches();

create trigger quarantine_moved_from after update on ops.quarantine
referencing old table as changed for each statement execute function ops.touch_batches();

create trigger quarantine_moved_to after update on ops.quarantine
referencing new table as changed for each statement execute function ops.touch_batches();
