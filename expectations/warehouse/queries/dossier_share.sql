-- Series: a share of the dossiers of one source over seven days; place counts weeks back. A share must be as complete
-- in the newest week as in older ones: of satisfaction, whoever has not answered yet stands in no part of it.
with pulled as (
    select
        b.source_id,
        cast(min(b.since) as date) as first_day
    from ops.batch as b
    where b.feed = 'online_services' and b.status = 'passed'
    group by b.source_id
),

part as (
    select
        f.source_id,
        (cast(:night as date) - f.day) / 7 as place,
        sum(case cast(:share as text)
            when 'online' then f.dossiers_online
            when 'with_fee' then f.dossiers_with_fee
            when 'paid_online' then f.dossiers_paid_online
            when 'digitised' then f.dossiers_digitised
            when 'reusing_data' then f.dossiers_reusing_data
            when 'synchronised' then f.dossiers_synchronised
            when 'on_time' then f.dossiers_on_time
            when 'electronic_result' then f.dossiers_electronic_result
            when 'satisfied' then f.dossiers_satisfied
        end) as numerator,
        sum(case
            when cast(:share as text) in ('on_time', 'electronic_result') then f.dossiers_finished
            when cast(:share as text) = 'satisfied' then f.dossiers_satisfied + f.dossiers_disliked
            when cast(:share as text) = 'paid_online' then f.dossiers_with_fee
            else f.dossiers_received
        end) as denominator
    from facts.online_services as f
    inner join pulled as p on f.source_id = p.source_id
    where
        f.day <= :night
        and f.day > cast(:night as date) - 7 * (cast(:weeks as integer) + 1)
        and cast(:night as date) - 7 * ((cast(:night as date) - f.day) / 7) - 6 >= p.first_day
    group by f.source_id, (cast(:night as date) - f.day) / 7
)

select
    'online_services' as feed,
    source_id,
    cast(null as text) as unit_id,
    place,
    cast(numerator as float8) / nullif(denominator, 0) as value,
    denominator as records
from part
