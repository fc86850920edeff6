-- Series: PDTI of one unit in the nightly runs of the same framework and year; place counts runs back.
with subject as (
    select
        run_id,
        as_of_date,
        framework_id,
        geography,
        merge_method,
        year
    from marts.run
    where run_id = cast(:run_id as text)
),

run as (
    select
        r.run_id,
        row_number() over (order by r.as_of_date desc) - 1 as place
    from marts.run as r
    inner join subject as s
        on
            r.framework_id = s.framework_id
            and r.year = s.year
            and r.geography = s.geography
            and r.merge_method = s.merge_method
    where r.kind = 'night' and r.as_of_date <= s.as_of_date and r.as_of_date > s.as_of_date - 30
)

select
    cast(null as text) as feed,
    cast(null as text) as source_id,
    c.unit_id,
    r.place,
    c.index_value as value,
    cast(null as float8) as records
from run as r
inner join score.composite_index as c on r.run_id = c.run_id
where c.composite_code = 'PDTI'
