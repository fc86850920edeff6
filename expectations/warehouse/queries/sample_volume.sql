-- Series: samples of one unit's data centres in one day; place counts days back. A day without any has none.
with pulled as (
    select
        b.source_id,
        cast(min(b.since) as date) as first_day
    from ops.batch as b
    where b.feed = 'data_centre' and b.status = 'passed'
    group by b.source_id
),

subject as (
    select distinct
        source_id,
        unit_id
    from sample_day
)

select
    'data_centre' as feed,
    s.source_id,
    s.unit_id,
    w.place,
    coalesce(d.samples, 0) as value,
    cast(null as float8) as records
from subject as s
inner join pulled as p on s.source_id = p.source_id
cross join generate_series(0, 21) as w (place)
left join sample_day as d
    on s.source_id = d.source_id and s.unit_id = d.unit_id and cast(:night as date) - w.place = d.day
where cast(:night as date) - w.place >= p.first_day
