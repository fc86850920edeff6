-- Grain: one row is how one thing (a source, a unit, the whole) fared under one rule in one night.
create view marts.night_check as
with told as (
    select
        c.*,
        max(c.night) filter (where c.status = 'passed') over (
            partition by c.rule, c.feed, c.source_id, c.unit_id
            order by c.night
        ) as last_passed
    from ops.night_check as c
)

select
    t.night,
    t.rule,
    t.topic,
    t.severity,
    t.status,
    t.feed,
    t.source_id,
    s.agency,
    t.unit_id,
    u.name_vi as unit_name,
    t.checked_count,
    t.failed_count,
    t.detail,
    t.reason,
    t.reason_vi,
    case
        when t.status = 'failed'
            then min(t.night) filter (where t.status = 'failed') over (
                partition by t.rule, t.feed, t.source_id, t.unit_id, t.last_passed
            )
    end as failed_since,
    t.night = max(t.night) over () as is_newest_night,
    t.run_id,
    t.checked_at
from told as t
left join ops.source as s on t.source_id = s.source_id
left join ref.unit as u on t.unit_id = u.unit_id;

comment on view marts.night_check is
'One row is how one source, unit or the whole fared under one rule beyond single batches in one night; all nights';
comment on column marts.night_check.night is 'The night';
comment on column marts.night_check.rule is 'Id of the rule, in expectations/warehouse';
comment on column marts.night_check.topic is
'completeness, distribution, freshness, marts, reconciliation, references, volume';
comment on column marts.night_check.severity is
'critical: look before the index of the night is trusted; warning: look in working hours; info: recorded';
comment on column marts.night_check.status is
'passed, failed, or not_judged: too little is known to say, such as too short a history';
comment on column marts.night_check.feed is 'The feed it is about; empty: none alone';
comment on column marts.night_check.source_id is 'The source it is about; empty: none alone';
comment on column marts.night_check.agency is 'The agency of the source';
comment on column marts.night_check.unit_id is 'The unit it is about; empty: none alone';
comment on column marts.night_check.unit_name is 'Its name';
comment on column marts.night_check.checked_count is
'How many things were looked at: records, days, figures; of a history, how many comparable values it has';
comment on column marts.night_check.failed_count is 'How many of them failed';
comment on column marts.night_check.detail is 'What was seen';
comment on column marts.night_check.reason is 'What is wrong where the rule fails';
comment on column marts.night_check.reason_vi is 'The same in Vietnamese';
comment on column marts.night_check.failed_since is
'Of a failure: the first night of the row of nights in which it did not pass again; nights not judged do not end it';
comment on column marts.night_check.is_newest_night is 'True: of the newest night that was checked';
comment on column marts.night_check.run_id is 'The index run of the night; empty: there was none';
comment on column marts.night_check.checked_at is 'When it was judged; a check that is repeated replaces its results';
