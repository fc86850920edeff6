-- Grain: one row is the result of one rule on one batch.
create view marts.quality_result as
with judged as (
    select
        b.*,
        -- Numbers the deliveries that had rows; an empty one says nothing of a rule, so it ends no streak.
        count(*) filter (where b.rows_landed > 0)
            over (partition by b.source_id order by b.night, b.started_at, b.batch_id) as delivery_number,
        row_number() over (partition by b.source_id order by b.night desc, b.started_at desc, b.batch_id desc) as age
    from ops.batch as b
    where b.status <> 'failed' and b.released_from is null
),

failing as (
    select
        r.batch_id,
        r.position,
        j.source_id,
        r.rule,
        j.night,
        -- Failures in deliveries that follow one another share this difference.
        j.delivery_number - count(*) filter (where j.rows_landed > 0)
            over (partition by j.source_id, r.rule order by j.night, j.started_at, j.batch_id) as streak
    from ops.quality_result as r
    inner join judged as j on r.batch_id = j.batch_id
    where not r.passed
),

since as (
    select
        f.batch_id,
        f.position,
        min(f.night) over (partition by f.source_id, f.rule, f.streak) as failing_since
    from failing as f
)

select
    b.night,
    b.feed,
    b.source_id,
    s.agency,
    b.synthetic,
    b.batch_id,
    b.status as batch_status,
    b.released_from,
    coalesce(j.age = 1, false) as is_newest,
    r.rule,
    r.severity,
    coalesce(r.rule = any(b.waived_rules), false) as is_waived,
    r.passed,
    r.checked_count,
    r.failed_count,
    i.failing_since
from ops.quality_result as r
inner join ops.batch as b on r.batch_id = b.batch_id
left join ops.source as s on b.source_id = s.source_id
left join judged as j on r.batch_id = j.batch_id
left join since as i on r.batch_id = i.batch_id and r.position = i.position;

comment on view marts.quality_result is
'One row is the result of one rule on one batch: which agency sends bad rows, and since when';
comment on column marts.quality_result.night is 'The night the batch was pulled for';
comment on column marts.quality_result.feed is 'The feed';
comment on column marts.quality_result.source_id is 'The source: one system of one agency';
comment on column marts.quality_result.agency is 'The agency';
comment on column marts.quality_result.synthetic is 'True: made up, from the sandbox';
comment on column marts.quality_result.batch_id is 'The batch';
comment on column marts.quality_result.batch_status is 'passed, or stopped: nothing of it was loaded';
comment on column marts.quality_result.released_from is
'The batch whose rows were released with this one; empty: a delivery of the agency';
comment on column marts.quality_result.is_newest is 'True: the newest delivery of its source that was judged';
comment on column marts.quality_result.rule is
'Rule of the suite in expectations/; of what every feed is held to (type:…, required:…, unit) those that failed';
comment on column marts.quality_result.severity is
'critical stops the batch, warning holds the row back, info is only recorded';
comment on column marts.quality_result.is_waived is 'True: judged, but a person released the rows in spite of it';
comment on column marts.quality_result.passed is 'True: no row of the batch broke it';
comment on column marts.quality_result.checked_count is 'Rows it speaks of; 1 for a rule about the whole batch';
comment on column marts.quality_result.failed_count is 'Rows that broke it; 1 for a rule about the whole batch';
comment on column marts.quality_result.failing_since is
'Where it failed in a delivery: the first night since which every delivery of the source that had rows failed';
