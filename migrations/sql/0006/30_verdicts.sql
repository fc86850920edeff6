-- Verdicts kept: every rule a held-back row broke, batches that land again because a person vouches for their rows, and
-- keys that the agency has sent again in good order since.
alter table ops.quarantine add column rules text[];
comment on column ops.quarantine.rules is
'Every rule it broke, the first first; empty: held back before all were kept, see rule';

alter table ops.batch
add column delivered_at timestamptz,
add column released_from text references ops.batch,
add column released_rows text,
add column released_by text,
add column release_reason text,
add column waived_rules text[];

alter table ops.batch
add constraint batch_release_says_who_and_why check (
    (released_from is null) = (released_rows is null)
    and (released_from is null) = (released_by is null)
    and (released_from is null) = (release_reason is null)
    and (released_from is null) = (waived_rules is null)
    and (released_from is null) = (delivered_at is null)
    and released_from <> batch_id
),
add constraint batch_release_has_a_name check (released_by <> '' and release_reason <> '');
create index batch_released_from on ops.batch (released_from) where released_from is not null;
comment on column ops.batch.delivered_at is
'Of released rows: when the agency gave them, the end of the extraction they came with; empty: finished_at';
comment on column ops.batch.released_from is
'The batch whose quarantined rows these are, landed again because a person vouches for them; empty: an extraction';
comment on column ops.batch.released_rows is
'Numbers of these rows there, such as 3,7-9; all: the whole of a stopped batch';
comment on column ops.batch.released_by is 'Who vouches for them';
comment on column ops.batch.release_reason is 'Why';
comment on column ops.batch.waived_rules is 'Rules that were judged and recorded but held nothing of this batch back';

create table ops.released_row (
    batch_id text not null references ops.batch,
    row_number bigint not null check (row_number >= -1),
    released_in text not null references ops.batch,
    primary key (batch_id, row_number)
);
create index released_row_by_release on ops.released_row (released_in);
comment on table ops.released_row is
'One row is one quarantined row, or one stopped batch, that a person released; once each';
comment on column ops.released_row.batch_id is 'The batch it was held back in';
comment on column ops.released_row.row_number is 'Its number there; -1: the whole batch';
comment on column ops.released_row.released_in is 'The batch it landed in again';

create table ops.resubmitted_row (
    batch_id text not null references ops.batch,
    row_number bigint not null,
    resubmitted_in text not null references ops.batch,
    primary key (batch_id, row_number)
);
comment on table ops.resubmitted_row is
'One row is one quarantined row whose key the same source has sent again since, in good order';
comment on column ops.resubmitted_row.batch_id is 'The batch it was held back in';
comment on column ops.resubmitted_row.row_number is 'Its number there';
comment on column ops.resubmitted_row.resubmitted_in is 'The first batch of a later delivery that holds its key';
