-- Grain: the one night.
select
    1 as checked_count,
    case when cast(:run_id as text) is null then 1 else 0 end as failed_count,
    case when cast(:run_id as text) is null then format('no complete index run of %s', cast(:night as date)) end
        as detail
