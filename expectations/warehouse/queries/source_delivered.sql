-- Grain: one row is one source that is pulled.
with newest as (
    select distinct on (b.source_id) b.*
    from ops.batch as b
    where b.night = :night
    order by b.source_id asc, (b.status = 'passed') desc, b.started_at desc
)

select
    s.feed,
    s.source_id,
    1 as checked_count,
    case when n.status = 'passed' then 0 else 1 end as failed_count,
    case coalesce(n.status, 'never')
        when 'never' then 'no batch of this night was decided'
        when 'failed'
            then concat_ws(' — ', concat_ws(': ', nullif(n.fault_where, ''), n.fault_what), nullif(n.fault_remedy, ''))
        when 'stopped' then n.stopped_reason
    end as detail
from ops.source as s
left join newest as n on s.source_id = n.source_id
where s.enabled
order by s.feed, s.source_id
