-- Grain: one row is one record held back, as it landed, or one batch that was stopped. For data stewards only.
create view marts.quarantine_record as
with held as (
    select
        q.*,
        b.night,
        b.feed,
        b.source_id,
        b.rows_quarantined,
        b.released_from,
        b.loaded_at,
        -- A key without one of its parts is no key: two such records need not be one.
        case
            when q.row_number < 0 or q.key_text = '' or q.key_text ~ '= nothing(,|$)' then q.batch_id || q.row_number
            else q.key_text
        end as same_key,
        coalesce(b.delivered_at, b.finished_at) as delivered_at
    from ops.quarantine as q
    inner join ops.batch as b on q.batch_id = b.batch_id
),

-- A record that was released comes again every night the agency is asked for that day: it is the same record.
vouched as (
    select distinct on (b.source_id, content)
        b.source_id,
        md5((q.record - 'source_row')::text) as content,
        r.released_in
    from ops.released_row as r
    inner join ops.batch as b on r.batch_id = b.batch_id
    inner join ops.quarantine as q on r.batch_id = q.batch_id and r.row_number = q.row_number
    where r.row_number >= 0
    order by b.source_id asc, content asc, r.released_in asc
),

followed as (
    select
        h.*,
        lead(h.batch_id) over (
            partition by h.source_id, h.same_key order by h.delivered_at, h.batch_id, h.row_number
        ) as repeated_in
    from held as h
)

select
    h.night,
    h.feed,
    h.source_id,
    s.agency,
    h.batch_id,
    h.row_number,
    case when h.row_number < 0 then h.rows_quarantined else 1 end as rows_count,
    h.source_row,
    h.key_text,
    h.rule,
    coalesce(h.rules, array[h.rule]) as rules,
    h.severity,
    h.reason,
    h.record,
    case
        when coalesce(r.released_in, v.released_in) is not null then 'released'
        when a.resubmitted_in is not null then 'resubmitted'
        when h.repeated_in is not null then 'repeated'
        else 'held'
    end as status,
    coalesce(r.released_in, v.released_in, a.resubmitted_in, h.repeated_in) as status_batch_id,
    h.released_from,
    h.loaded_at as held_at
from followed as h
left join ops.source as s on h.source_id = s.source_id
left join ops.released_row as r on h.batch_id = r.batch_id and h.row_number = r.row_number
left join vouched as v on h.source_id = v.source_id and md5((h.record - 'source_row')::text) = v.content
left join ops.resubmitted_row as a on h.batch_id = a.batch_id and h.row_number = a.row_number;

comment on view marts.quarantine_record is
'One row is one record held back, as it landed, or one stopped batch (row_number -1). For the role dti_steward only';
comment on column marts.quarantine_record.night is 'The night it was pulled for';
comment on column marts.quarantine_record.feed is 'The feed';
comment on column marts.quarantine_record.source_id is 'The source: one system of one agency';
comment on column marts.quarantine_record.agency is 'The agency';
comment on column marts.quarantine_record.batch_id is 'The batch it came in';
comment on column marts.quarantine_record.row_number is 'Its number in the batch, from 0; -1: the whole batch';
comment on column marts.quarantine_record.rows_count is 'Rows it stands for: 1, or all of a stopped batch';
comment on column marts.quarantine_record.source_row is
'Where it stands at the agency: page and record, or sheet and row';
comment on column marts.quarantine_record.key_text is 'Its key, for people';
comment on column marts.quarantine_record.rule is 'The first rule it broke';
comment on column marts.quarantine_record.rules is 'Every rule it broke, the first first';
comment on column marts.quarantine_record.severity is 'warning: the row was held back; critical: the batch was stopped';
comment on column marts.quarantine_record.reason is 'Every rule it broke, in words, with the values';
comment on column marts.quarantine_record.record is 'The record as it landed; personal data never lands';
comment on column marts.quarantine_record.status is
'held; repeated: the same key was held back again later, see there; resubmitted: it has come in good order since;
released: a person vouched for this very record';
comment on column marts.quarantine_record.status_batch_id is
'The batch that repeats, resubmits or releases it; empty while held';
comment on column marts.quarantine_record.released_from is
'Where it was held back in a release: the batch it was released from; empty: in a delivery';
comment on column marts.quarantine_record.held_at is 'When this was recorded';
