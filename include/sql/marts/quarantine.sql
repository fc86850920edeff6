-- Grain: one row is one record held back, or one batch that was stopped; what the record says is not shown.
create view marts.quarantine as
select
    q.night,
    q.feed,
    q.source_id,
    q.agency,
    s.synthetic,
    q.batch_id,
    q.row_number,
    q.rows_count,
    q.rule,
    q.rules,
    case
        when q.row_number < 0 then 'batch'
        when q.rule like 'type:%' then 'type'
        when q.rule like 'required:%' then 'missing'
        when q.rule = 'unit' then 'unit'
        else 'rule'
    end as category,
    split_part(q.rule, ':', 2) as column_name,
    q.severity,
    q.status,
    q.status_batch_id,
    q.released_from,
    q.held_at
from marts.quarantine_record as q
left join ops.source as s on q.source_id = s.source_id;

comment on view marts.quarantine is
'One row is one record held back, or one stopped batch (row_number -1): where it came from and why, not what it says';
comment on column marts.quarantine.night is 'The night it was pulled for';
comment on column marts.quarantine.feed is 'The feed';
comment on column marts.quarantine.source_id is 'The source: one system of one agency';
comment on column marts.quarantine.agency is 'The agency';
comment on column marts.quarantine.synthetic is 'True: made up, from the sandbox';
comment on column marts.quarantine.batch_id is 'The batch it came in';
comment on column marts.quarantine.row_number is 'Its number in the batch, from 0; -1: the whole batch';
comment on column marts.quarantine.rows_count is 'Rows it stands for: 1, or all of a stopped batch; sum it up';
comment on column marts.quarantine.rule is 'The first rule it broke: each row counts once under it';
comment on column marts.quarantine.rules is 'Every rule it broke, the first first';
comment on column marts.quarantine.category is
'type: a value cannot be read; missing: a required value is empty; unit: no such unit; rule: one of the feed''s suite;
batch: the whole batch was stopped';
comment on column marts.quarantine.column_name is 'Of type and missing: the column; else empty';
comment on column marts.quarantine.severity is 'warning: the row was held back; critical: the batch was stopped';
comment on column marts.quarantine.status is
'held; repeated: the same key was held back again later, see there; resubmitted: it has come in good order since;
released: a person vouched for this very record';
comment on column marts.quarantine.status_batch_id is
'The batch that repeats, resubmits or releases it; empty while held';
comment on column marts.quarantine.released_from is
'Where it was held back in a release: the batch it was released from; empty: in a delivery';
comment on column marts.quarantine.held_at is 'When this was recorded';
