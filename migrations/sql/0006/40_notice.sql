-- What people are told: one row a cause while it lasts, what became of each message, and runs of our own that failed.
create table ops.notice (
    notice_id bigint generated always as identity primary key,
    key text not null,
    kind text not null,
    severity text not null check (severity in ('critical', 'warning')),
    fingerprint text not null,
    content jsonb not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    changed_at timestamptz not null,
    resolved_at timestamptz,
    check (first_seen <= changed_at and first_seen <= last_seen)
);
create unique index one_open_notice_a_cause on ops.notice (key) where resolved_at is null;
comment on table ops.notice is
'One row is one cause that needs a person, from first seen until gone; one that returns is a new row';
comment on column ops.notice.notice_id is 'Counts up';
comment on column ops.notice.key is 'The cause: source_failed/dvc-ca-mau';
comment on column ops.notice.kind is 'The kind of cause, the key up to its slash';
comment on column ops.notice.severity is 'critical or warning, as last seen';
comment on column ops.notice.fingerprint is 'What of it is worth telling again when it changes';
comment on column ops.notice.content is 'The cause as last seen: agency, what, effect on the index, remedy, runbook';
comment on column ops.notice.first_seen is 'When it was first seen';
comment on column ops.notice.last_seen is 'When it was last seen';
comment on column ops.notice.changed_at is 'When it last became another: worse, better, or of another kind';
comment on column ops.notice.resolved_at is 'When it was seen to be gone; empty: it lasts';

create table ops.notice_told (
    notice_id bigint not null references ops.notice on delete cascade,
    channel text not null,
    told text check (told in ('new', 'changed', 'reminder', 'resolved')),
    fingerprint text,
    told_at timestamptz,
    messages_count integer not null default 0 check (messages_count >= 0),
    failing_since timestamptz,
    failures_count integer not null default 0 check (failures_count >= 0),
    fault text,
    primary key (notice_id, channel),
    check ((told is null) = (told_at is null) and (told is null) = (messages_count = 0)),
    check ((failing_since is null) = (fault is null))
);
comment on table ops.notice_told is
'One row is one cause on one channel: what was told last, and what keeps it from being told';
comment on column ops.notice_told.notice_id is 'The cause';
comment on column ops.notice_told.channel is 'Name of the channel in include/notify.yml';
comment on column ops.notice_told.told is 'The last message that the channel took; empty: none yet';
comment on column ops.notice_told.fingerprint is 'What the cause was then';
comment on column ops.notice_told.told_at is 'When it took it';
comment on column ops.notice_told.messages_count is 'How many messages it took';
comment on column ops.notice_told.failing_since is
'Since when the next message cannot be delivered; empty: it can, or there is none';
comment on column ops.notice_told.failures_count is 'How often it was tried in vain since the last that was taken';
comment on column ops.notice_told.fault is 'Why, in words; never an address or a secret';

create table ops.run_fault (
    dag_id text primary key,
    run_id text not null,
    tasks text[] not null,
    reason text not null,
    since timestamptz not null default clock_timestamp(),
    failed_at timestamptz not null default clock_timestamp()
);
comment on table ops.run_fault is
'One row is one DAG whose newest ended run failed, or is late, by a fault of ours; gone when a later run succeeds';
comment on column ops.run_fault.dag_id is 'The DAG';
comment on column ops.run_fault.run_id is 'Its newest run that failed or is late';
comment on column ops.run_fault.tasks is 'The tasks that failed, where they are known';
comment on column ops.run_fault.reason is 'What Airflow says';
comment on column ops.run_fault.since is 'When the first of them failed since the last that succeeded';
comment on column ops.run_fault.failed_at is 'When the newest failed';
