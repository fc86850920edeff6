-- Days that say something else than they said before.
create table ops.restatement (
    restatement_number bigint generated always as identity primary key,
    feed text not null,
    load_number bigint not null,
    source_id text not null,
    unit_id text not null,
    day date not null,
    kind text not null check (kind in ('restated', 'late', 'withdrawn')),
    changes jsonb not null,
    batch_ids text[] not null,
    recorded_at timestamptz not null default clock_timestamp()
);
create index restatement_day on ops.restatement (day, unit_id);
create index restatement_load on ops.restatement (feed, load_number);
comment on table ops.restatement is
'One row is one day of one unit and source whose facts a load changed after they had been loaded, or brought late';
comment on column ops.restatement.restatement_number is 'Counts up';
comment on column ops.restatement.feed is 'The feed';
comment on column ops.restatement.load_number is 'The load that changed it; see ops.batch';
comment on column ops.restatement.source_id is 'The source';
comment on column ops.restatement.unit_id is 'The unit';
comment on column ops.restatement.day is 'The day of the facts';
comment on column ops.restatement.kind is
'restated: the figures changed; late: the day had no facts and the source had sent later days; withdrawn: the facts went';
comment on column ops.restatement.changes is
'Figure → [sum of the day before, after], of figures that changed; empty: no facts; rows: how many facts;
content: fingerprints, where every sum is the same';
comment on column ops.restatement.batch_ids is
'Batches of the source in that load; none: no batch changed it, its facts were rolled up anew';
comment on column ops.restatement.recorded_at is 'When';
