-- Grain: one row is one feed with batches that are in the facts of the nights, and that the run :run_id did not know.
select
    b.feed,
    count(*) as batches_count,
    sum(b.rows_loaded) as rows_count,
    min(b.finished_at) as first_landed_at
from ops.batch as b
left join score.run_input as i on b.feed = i.feed and i.run_id = :run_id
where
    b.rows_loaded > 0
    and (
        i.feed is null
        or b.load_number > i.load_number
        or b.finished_at > i.landed_by
    )
group by b.feed
order by b.feed
