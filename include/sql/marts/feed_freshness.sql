-- Grain: one row is one source, with its newest decided batch and its last good data.
create view marts.feed_freshness as
with newest_night as (
    select (max(b.night) + 1)::timestamp at time zone 'Asia/Ho_Chi_Minh' as ends_at
    from ops.batch as b
),

newest_batch as (
    select distinct on (b.source_id) b.*
    from ops.batch as b
    -- Some released rows are no delivery; a whole batch that was stopped and released stands for itself.
    where b.released_from is null or b.released_rows = 'all'
    order by b.source_id asc, b.night desc, b.started_at desc
),

last_good as (
    select
        b.source_id,
        max(b.until) as interval_end
    from ops.batch as b
    where b.status = 'passed'
    group by b.source_id
),

judged as (
    select
        s.source_id,
        case
            when b.batch_id is null then 'never'
            when b.status <> 'passed' then b.status
            when g.interval_end + make_interval(hours => s.freshness_limit_hours) < n.ends_at then 'stale'
            else 'fresh'
        end as status,
        concat_ws(': ', nullif(b.fault_where, ''), b.fault_what) as fault,
        round(extract(epoch from n.ends_at - g.interval_end) / 3600) as hours_behind
    from ops.source as s
    cross join newest_night as n
    left join newest_batch as b on s.source_id = b.source_id
    left join last_good as g on s.source_id = g.source_id
)

select
    s.feed,
    s.source_id,
    s.agency,
    s.synthetic,
    s.enabled,
    b.finished_at as last_batch_at,
    g.interval_end as last_interval_end,
    b.rows_landed,
    b.rows_loaded,
    b.rows_quarantined,
    j.status,
    case j.status
        when 'never' then 'no batch has been decided yet'
        when 'failed' then concat_ws(' — ', j.fault, nullif(b.fault_remedy, ''))
        when 'stopped' then b.stopped_reason
        when 'stale' then
            concat('good until ', j.hours_behind, ' h before the newest night; limit ', s.freshness_limit_hours, ' h')
    end as detail
from ops.source as s
inner join judged as j on s.source_id = j.source_id
left join newest_batch as b on s.source_id = b.source_id
left join last_good as g on s.source_id = g.source_id;

comment on view marts.feed_freshness is 'One row is one source: how it stands, and until when its data is good';
comment on column marts.feed_freshness.feed is 'The feed it fills';
comment on column marts.feed_freshness.source_id is 'The source: one system of one agency';
comment on column marts.feed_freshness.agency is 'The agency';
comment on column marts.feed_freshness.synthetic is 'True: made up, from the sandbox; not real figures';
comment on column marts.feed_freshness.enabled is 'False: no longer pulled';
comment on column marts.feed_freshness.last_batch_at is 'End of the newest extraction, whatever its outcome';
comment on column marts.feed_freshness.last_interval_end is
'Until when data is good: end of the newest interval that passed the gate';
comment on column marts.feed_freshness.rows_landed is
'Records landed by the newest extraction; always loaded + quarantined';
comment on column marts.feed_freshness.rows_loaded is 'Of these, loaded';
comment on column marts.feed_freshness.rows_quarantined is 'Of these, held back with rule and reason';
comment on column marts.feed_freshness.status is
'fresh; stale (beyond its limit at the end of the newest night); failed (fetch); stopped (by the gate); never';
comment on column marts.feed_freshness.detail is 'Why it is not fresh, in words';
