-- Annual recomputation: who asked for what, what the checks said, who decided.
create schema annual;
comment on schema annual is 'Annual recomputation: requests, checks, decisions';
grant usage on schema annual to dti_loader;
alter default privileges in schema annual grant select, insert, update, delete on tables to dti_loader;

create table annual.request (
    request_id text primary key,
    request_key text not null unique,
    year integer not null,
    framework_id text not null,
    framework_hash text not null,
    family text not null,
    geography text not null,
    merge_method text not null check (merge_method in ('none', 'average', 'recomputed')),
    as_of_asked text not null default '',
    as_of_run_id text,
    as_of_date date not null,
    data_cut_off timestamptz not null,
    corrections_hash text,
    reference_hash text not null,
    reason text not null check (trim(reason) <> ''),
    requester text not null check (trim(requester) <> ''),
    door text not null check (door in ('form', 'api', 'command', 'calendar')),
    accepted_checks text[] not null default '{}',
    requested_at timestamptz not null default clock_timestamp(),
    status text not null default 'requested'
    check (status in ('requested', 'candidate', 'waiting', 'approved', 'published', 'rejected', 'withdrawn', 'failed')),
    status_at timestamptz not null default clock_timestamp(),
    status_reason text not null default '',
    run_id text,
    publication_id text,
    compared_with jsonb not null default '{}'
);
create unique index one_open_request_a_year on annual.request (year)
where status in ('requested', 'candidate', 'waiting', 'approved');
comment on table annual.request is 'One row is one request to recompute a year; a year has one open request at a time';
comment on column annual.request.request_id is 'Year and a number: 2025-r1';
comment on column annual.request.request_key is 'Who repeats a request with this key gets the same request again';
comment on column annual.request.year is 'Reporting year';
comment on column annual.request.framework_id is 'The framework';
comment on column annual.request.framework_hash is 'Its version that stood at the cut-off';
comment on column annual.request.family is 'What it measures: dti, service_quality';
comment on column annual.request.geography is 'Units';
comment on column annual.request.merge_method is 'How former provinces become one';
comment on column annual.request.as_of_asked is 'The as-of as it was asked; empty: now';
comment on column annual.request.as_of_run_id is 'The run whose knowledge is meant, where a night was asked for';
comment on column annual.request.as_of_date is 'Nothing that happened or was stated after this day counts';
comment on column annual.request.data_cut_off is 'What became known after this moment does not count';
comment on column annual.request.corrections_hash is 'Version of the corrections that stood then; empty: none';
comment on column annual.request.reference_hash is 'Version of the reference data that stood then';
comment on column annual.request.reason is 'Why';
comment on column annual.request.requester is 'Who asked';
comment on column annual.request.door is 'form, api, command or calendar';
comment on column annual.request.accepted_checks is 'Checks that may fail: the requester answers for them';
comment on column annual.request.requested_at is 'When';
comment on column annual.request.status is
'requested, candidate (computed), waiting (for approval), approved; or ended: published, rejected, withdrawn, failed';
comment on column annual.request.status_at is 'Since when';
comment on column annual.request.status_reason is 'Why it ended so, in words';
comment on column annual.request.run_id is 'The candidate run';
comment on column annual.request.publication_id is 'What was published';
comment on column annual.request.compared_with is 'What the report compares with: publication_id, night_run_id';

create table annual.check_result (
    request_id text not null references annual.request on delete cascade,
    position integer not null,
    check_name text not null,
    status text not null check (status in ('passed', 'warning', 'failed', 'accepted')),
    message text not null,
    detail jsonb not null default '[]',
    primary key (request_id, check_name)
);
comment on table annual.check_result is 'One row is one check of a candidate before anyone is asked to approve it';
comment on column annual.check_result.request_id is 'The request';
comment on column annual.check_result.position is 'Order in which they are told';
comment on column annual.check_result.check_name is 'The check';
comment on column annual.check_result.status is
'passed; warning: for the approver to weigh; failed: stops; accepted: failed, and the request accepts it';
comment on column annual.check_result.message is 'What was seen, in words';
comment on column annual.check_result.detail is 'The rows that failed';

create table annual.decision (
    request_id text primary key references annual.request,
    decision text not null check (decision in ('approved', 'rejected')),
    decided_by text not null check (trim(decided_by) <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    note text not null default ''
);
comment on table annual.decision is 'One row is what a person decided on one candidate';
comment on column annual.decision.request_id is 'The request';
comment on column annual.decision.decision is 'approved or rejected';
comment on column annual.decision.decided_by is 'Who';
comment on column annual.decision.decided_at is 'When';
comment on column annual.decision.note is 'What they said';
