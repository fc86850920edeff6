-- Series: the rows that one source's newest good batch of a night landed; place counts nights back.
with night_list as (
    select distinct on (b.source_id, b.night)
        b.feed,
        b.source_id,
        b.night,
        b.rows_landed
    from ops.batch as b
    where
        b.status = 'passed'
        and b.night <= :night
        and b.released_from is null
        and b.night > cast(:night as date) - 60
        and b.feed in (select f.feed from jsonb_array_elements_text(cast(:feeds as jsonb)) as f (feed))
    order by b.source_id asc, b.night asc, b.started_at desc
)

select
    feed,
    source_id,
    cast(null as text) as unit_id,
    row_number() over (partition by source_id order by night desc)
    - case when max(night) over (partition by source_id) = :night then 1 else 0 end as place,
    rows_landed as value,
    cast(null as float8) as records
from night_list
