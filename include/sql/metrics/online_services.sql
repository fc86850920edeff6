-- Grain: one row is one metric of one unit, measured over :from_day to :to_day, both ends included.
-- Dossiers are summed; services come from the last catalogue each source sent in the period.
with counted_unit as (
    select unit_id
    from unit
    where geography = :geography
),

-- Per procedure first, so that procedures can be counted once however many days and sources report them.
dossiers_of_procedure as (
    select
        f.unit_id,
        f.source_id,
        f.procedure_code,
        min(f.day) as first_day,
        max(f.day) as last_day,
        sum(f.dossiers_received) as dossiers_received,
        sum(f.dossiers_online) as dossiers_online,
        sum(f.dossiers_with_fee) as dossiers_with_fee,
        sum(f.dossiers_paid_online) as dossiers_paid_online,
        sum(f.dossiers_digitised) as dossiers_digitised,
        sum(f.dossiers_reusing_data) as dossiers_reusing_data,
        sum(f.dossiers_population_data) as dossiers_population_data,
        sum(f.dossiers_synchronised) as dossiers_synchronised,
        sum(f.dossiers_finished) as dossiers_finished,
        sum(f.dossiers_on_time) as dossiers_on_time,
        sum(f.dossiers_early) as dossiers_early,
        sum(f.dossiers_electronic_result) as dossiers_electronic_result,
        sum(f.dossiers_satisfied) as dossiers_satisfied,
        sum(f.dossiers_direct) as dossiers_direct,
        sum(f.dossiers_by_post) as dossiers_by_post,
        sum(f.dossiers_fee_zero) as dossiers_fee_zero,
        sum(f.dossiers_payment_online) as dossiers_payment_online,
        sum(f.dossiers_payment_on_portal) as dossiers_payment_on_portal,
        sum(f.dossiers_online_with_result) as dossiers_online_with_result,
        sum(f.dossiers_from_citizens) as dossiers_from_citizens,
        sum(f.dossiers_citizens_population_data) as dossiers_citizens_population_data,
        sum(f.dossiers_punctual) as dossiers_punctual,
        sum(f.dossiers_unpunctual) as dossiers_unpunctual,
        sum(f.dossiers_disliked) as dossiers_disliked,
        sum(f.dossiers_digitised_with_result) as dossiers_digitised_with_result
    from online_services as f
    inner join counted_unit as u on f.unit_id = u.unit_id
    where f.day between :from_day and :to_day
    group by f.unit_id, f.source_id, f.procedure_code
),

-- A procedure carries a fee when any of its dossiers did, whichever source reported it.
fee_known as (
    select
        d.*,
        sum(d.dossiers_with_fee) over (partition by d.unit_id, d.procedure_code) > 0 as has_fee
    from dossiers_of_procedure as d
),

dossiers as (
    select
        d.unit_id,
        min(d.first_day) as first_day,
        max(d.last_day) as last_day,
        array_agg(distinct d.source_id order by d.source_id) as source_ids,
        sum(d.dossiers_received) as dossiers_received,
        sum(d.dossiers_online) as dossiers_online,
        sum(d.dossiers_with_fee) as dossiers_with_fee,
        sum(d.dossiers_paid_online) as dossiers_paid_online,
        sum(d.dossiers_digitised) as dossiers_digitised,
        sum(d.dossiers_reusing_data) as dossiers_reusing_data,
        sum(d.dossiers_population_data) as dossiers_population_data,
        sum(d.dossiers_synchronised) as dossiers_synchronised,
        sum(d.dossiers_finished) as dossiers_finished,
        sum(d.dossiers_on_time) as dossiers_on_time,
        sum(d.dossiers_early) as dossiers_early,
        sum(d.dossiers_electronic_result) as dossiers_electronic_result,
        sum(d.dossiers_satisfied) as dossiers_satisfied,
        sum(d.dossiers_direct) as dossiers_direct,
        sum(d.dossiers_by_post) as dossiers_by_post,
        sum(d.dossiers_online_with_result) as dossiers_online_with_result,
        sum(d.dossiers_from_citizens) as dossiers_from_citizens,
        sum(d.dossiers_citizens_population_data) as dossiers_citizens_population_data,
        sum(d.dossiers_punctual) as dossiers_punctual,
        sum(d.dossiers_unpunctual) as dossiers_unpunctual,
        sum(d.dossiers_disliked) as dossiers_disliked,
        sum(d.dossiers_digitised_with_result) as dossiers_digitised_with_result,
        coalesce(sum(d.dossiers_received - d.dossiers_fee_zero) filter (where d.has_fee), 0)
            as dossiers_of_fee_services,
        coalesce(sum(d.dossiers_payment_online) filter (where d.has_fee), 0) as dossiers_of_fee_services_paid_online,
        count(distinct d.procedure_code) filter (where d.dossiers_online > 0) as services_with_online_dossier,
        count(distinct d.procedure_code) filter (where d.has_fee) as services_with_fee,
        count(distinct d.procedure_code) filter (where d.has_fee and d.dossiers_payment_on_portal > 0)
            as services_paid_on_portal
    from fee_known as d
    group by d.unit_id
),

last_catalogue as (
    select distinct on (f.unit_id, f.source_id) f.*
    from service_catalogue as f
    inner join counted_unit as u on f.unit_id = u.unit_id
    where f.day between :from_day and :to_day
    order by f.unit_id asc, f.source_id asc, f.day desc
),

services as (
    select
        c.unit_id,
        min(c.day) as first_day,
        max(c.day) as last_day,
        array_agg(distinct c.source_id order by c.source_id) as source_ids,
        sum(c.services_total) as services_total,
        sum(c.services_online) as services_online,
        sum(c.services_full_online) as services_full_online,
        sum(c.services_eligible_full_online) as services_eligible_full_online
    from last_catalogue as c
    group by c.unit_id
)

select
    d.unit_id,
    m.metric,
    'measured' as basis,
    m.value,
    d.first_day,
    d.last_day,
    d.source_ids
from dossiers as d
inner join lateral (
    values
    ('dossiers_received', d.dossiers_received),
    ('dossiers_online', d.dossiers_online),
    ('dossiers_with_fee', d.dossiers_with_fee),
    ('dossiers_paid_online', d.dossiers_paid_online),
    ('dossiers_digitised', d.dossiers_digitised),
    ('dossiers_reusing_data', d.dossiers_reusing_data),
    ('dossiers_population_data', d.dossiers_population_data),
    ('dossiers_synchronised', d.dossiers_synchronised),
    ('dossiers_finished', d.dossiers_finished),
    ('dossiers_on_time', d.dossiers_on_time),
    ('dossiers_early', d.dossiers_early),
    ('dossiers_electronic_result', d.dossiers_electronic_result),
    ('dossiers_satisfied', d.dossiers_satisfied),
    ('dossiers_direct', d.dossiers_direct),
    ('dossiers_by_post', d.dossiers_by_post),
    ('dossiers_online_with_result', d.dossiers_online_with_result),
    ('dossiers_from_citizens', d.dossiers_from_citizens),
    ('dossiers_citizens_population_data', d.dossiers_citizens_population_data),
    ('dossiers_punctual', d.dossiers_punctual),
    ('dossiers_unpunctual', d.dossiers_unpunctual),
    ('dossiers_disliked', d.dossiers_disliked),
    ('dossiers_digitised_with_result', d.dossiers_digitised_with_result),
    ('dossiers_less_unpunctual_and_disliked', d.dossiers_finished - d.dossiers_unpunctual - d.dossiers_disliked),
    ('dossiers_of_fee_services', d.dossiers_of_fee_services),
    ('dossiers_of_fee_services_paid_online', d.dossiers_of_fee_services_paid_online),
    ('services_with_online_dossier', d.services_with_online_dossier),
    ('services_with_fee', d.services_with_fee),
    ('services_paid_on_portal', d.services_paid_on_portal)
) as m (metric, value) on true
union all
select
    s.unit_id,
    m.metric,
    'measured' as basis,
    m.value,
    s.first_day,
    s.last_day,
    s.source_ids
from services as s
inner join lateral (
    values
    ('services_total', s.services_total),
    ('services_online', s.services_online),
    ('services_full_online', s.services_full_online),
    ('services_eligible_full_online', s.services_eligible_full_online)
) as m (metric, value) on true
