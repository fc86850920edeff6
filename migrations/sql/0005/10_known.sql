-- What a run was computed from, so that it can be computed again: which loads it saw, and which method, corrections and
-- reference data stood at that moment.
create table ops.feed_load (
    feed text primary key,
    load_number bigint not null check (load_number > 0)
);
comment on table ops.feed_load is 'One row is one feed and how many loads it had; loads of one feed follow one another';
comment on column ops.feed_load.feed is 'The feed';
comment on column ops.feed_load.load_number is 'Number of its newest load';

alter table ops.batch
add column load_number bigint not null default 0,
add column units_hash text;
comment on column ops.batch.load_number is
'Load of its feed that decided the batch, counted from 1; 0: before loads were counted. A run knows the batches up to one';
comment on column ops.batch.units_hash is
'Version of the unit aliases it was judged with (kind aliases of ops.input_version); empty: before they were kept';

create table ops.input_version (
    kind text not null check (kind in ('reference', 'aliases', 'corrections')),
    content_hash text not null check (content_hash ~ '^[0-9a-f]{64}$'),
    content jsonb not null,
    stored_at timestamptz not null default now(),
    primary key (kind, content_hash)
);
comment on table ops.input_version is
'One row is one version of what runs are computed with besides records: kept for good, known by its content';
comment on column ops.input_version.kind is 'reference (units, regions, successions, metrics), aliases (how agencies write units) or corrections';
comment on column ops.input_version.content_hash is 'sha256 over the content';
comment on column ops.input_version.content is 'reference, aliases: file → its text; corrections: the list of them';
comment on column ops.input_version.stored_at is 'When it was first stored';

create table ops.input_seen (
    seen_number bigint generated always as identity primary key,
    kind text not null check (kind in ('reference', 'aliases', 'corrections', 'framework')),
    name text not null,
    content_hash text not null,
    seen_at timestamptz not null default clock_timestamp()
);
create index input_seen_by_name on ops.input_seen (kind, name, seen_at);
comment on table ops.input_seen is
'One row is one change of an input: from this moment on, until the next row of its name, this version stood';
comment on column ops.input_seen.seen_number is 'Counts up';
comment on column ops.input_seen.kind is 'reference, aliases, corrections or framework';
comment on column ops.input_seen.name is 'Id of the framework; of the others the kind again';
comment on column ops.input_seen.content_hash is 'Version, in ops.input_version or method.framework';
comment on column ops.input_seen.seen_at is 'When the warehouse first saw it in place of the one before';

alter table score.run
add column data_cut_off timestamptz,
add column corrections_hash text,
add column reference_hash text,
add column sql_hash text,
add column request_id text;
comment on column score.run.data_cut_off is 'What became known after this moment does not count; empty: not recorded';
comment on column score.run.corrections_hash is 'Version of the corrections, in ops.input_version; empty: none were kept';
comment on column score.run.reference_hash is 'Version of the reference data, in ops.input_version; empty: not recorded';
comment on column score.run.sql_hash is
'Checksum of include/sql/rollup, metrics and index as they computed it; empty: not recorded';
comment on column score.run.request_id is 'The annual recomputation that asked for it; empty: none';

create table score.run_input (
    run_id text not null references score.run on delete cascade,
    feed text not null,
    load_number bigint check (load_number >= 0),
    landed_by timestamptz,
    lake_version bigint,
    primary key (run_id, feed),
    check ((load_number is null) <> (landed_by is null))
);
comment on table score.run_input is 'One row is one feed and which of its batches a run knew';
comment on column score.run_input.run_id is 'The run';
comment on column score.run_input.feed is 'The feed';
comment on column score.run_input.load_number is 'It knew the batches of loads up to this one';
comment on column score.run_input.landed_by is 'Or: it knew the batches that had landed by this moment';
comment on column score.run_input.lake_version is
'Version of the lake''s table that the facts reflected; empty: rebuilt from landing';

-- Facts as they were known earlier are laid into temporary tables, beside those of the nights.
do $$
begin
    execute format('grant temporary on database %I to dti_loader', current_database());
end
$$;

alter table method.framework add column geography text;
comment on column method.framework.geography is 'Its units, where it is made for one geography alone; else empty';
