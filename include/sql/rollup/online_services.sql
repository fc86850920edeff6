-- Grain: one row is one procedure of one unit as one source reported it on one day, per lake partition.
-- A dossier counts twice in time: on the day it was received, and on the day it was finished.
-- A partition follows the day a dossier was opened, so its facts may fall into later months.
with received as (
    select
        partition_key,
        received_on as day,
        unit_id,
        _source_id as source_id,
        procedure_code,
        count(*) as dossiers_received,
        count(case when channel_code = 2 then 1 end) as dossiers_online,
        count(case when fee_vnd > 0 then 1 end) as dossiers_with_fee,
        count(case when fee_vnd > 0 and online_payment_code in (1, 2) then 1 end) as dossiers_paid_online,
        count(case when is_digitised then 1 end) as dossiers_digitised,
        count(case when reuses_data then 1 end) as dossiers_reusing_data,
        count(case when uses_population_data then 1 end) as dossiers_population_data,
        count(case when is_synchronised then 1 end) as dossiers_synchronised,
        count(case when coalesce(channel_code, 1) = 1 then 1 end) as dossiers_direct,
        count(case when channel_code = 3 then 1 end) as dossiers_by_post,
        count(case when fee_vnd = 0 then 1 end) as dossiers_fee_zero,
        count(case when online_payment_code in (1, 2) and coalesce(fee_vnd, 1) > 0 then 1 end)
            as dossiers_payment_online,
        count(case when online_payment_code = 1 and coalesce(fee_vnd, 1) > 0 then 1 end) as dossiers_payment_on_portal,
        count(case when channel_code = 2 and has_electronic_result then 1 end) as dossiers_online_with_result,
        count(case when applicant_type_code = 1 then 1 end) as dossiers_from_citizens,
        count(case when applicant_type_code = 1 and uses_population_data then 1 end)
            as dossiers_citizens_population_data
    from lake
    where received_at is not null
    group by partition_key, received_on, unit_id, _source_id, procedure_code
),

-- Without a due date a dossier is neither on time nor early, but it is finished.
-- A request to supplement stops the clock: the agency moves the due date by as long as it waited. A second one is the
-- agency's own delay, so such a dossier is not punctual, whatever its due date became.
finished as (
    select
        partition_key,
        finished_on as day,
        unit_id,
        _source_id as source_id,
        procedure_code,
        count(*) as dossiers_finished,
        count(case when finished_at <= due_at then 1 end) as dossiers_on_time,
        count(case when finished_on < due_on then 1 end) as dossiers_early,
        count(case when has_electronic_result then 1 end) as dossiers_electronic_result,
        count(case when is_satisfied then 1 end) as dossiers_satisfied,
        count(case when finished_at <= due_at and coalesce(supplement_request_count, 0) <= 1 then 1 end)
            as dossiers_punctual,
        count(case when finished_at > due_at or supplement_request_count > 1 then 1 end) as dossiers_unpunctual,
        count(case when not is_satisfied then 1 end) as dossiers_disliked,
        count(case when is_digitised and has_electronic_result then 1 end) as dossiers_digitised_with_result
    from lake
    where status_code in (9, 10) and finished_at is not null
    group by partition_key, finished_on, unit_id, _source_id, procedure_code
)

select
    coalesce(received.partition_key, finished.partition_key) as partition_key,
    coalesce(received.day, finished.day) as day,
    coalesce(received.unit_id, finished.unit_id) as unit_id,
    coalesce(received.source_id, finished.source_id) as source_id,
    coalesce(received.procedure_code, finished.procedure_code) as procedure_code,
    coalesce(received.dossiers_received, 0) as dossiers_received,
    coalesce(received.dossiers_online, 0) as dossiers_online,
    coalesce(received.dossiers_with_fee, 0) as dossiers_with_fee,
    coalesce(received.dossiers_paid_online, 0) as dossiers_paid_online,
    coalesce(received.dossiers_digitised, 0) as dossiers_digitised,
    coalesce(received.dossiers_reusing_data, 0) as dossiers_reusing_data,
    coalesce(received.dossiers_population_data, 0) as dossiers_population_data,
    coalesce(received.dossiers_synchronised, 0) as dossiers_synchronised,
    coalesce(finished.dossiers_finished, 0) as dossiers_finished,
    coalesce(finished.dossiers_on_time, 0) as dossiers_on_time,
    coalesce(finished.dossiers_early, 0) as dossiers_early,
    coalesce(finished.dossiers_electronic_result, 0) as dossiers_electronic_result,
    coalesce(finished.dossiers_satisfied, 0) as dossiers_satisfied,
    coalesce(received.dossiers_direct, 0) as dossiers_direct,
    coalesce(received.dossiers_by_post, 0) as dossiers_by_post,
    coalesce(received.dossiers_fee_zero, 0) as dossiers_fee_zero,
    coalesce(received.dossiers_payment_online, 0) as dossiers_payment_online,
    coalesce(received.dossiers_payment_on_portal, 0) as dossiers_payment_on_portal,
    coalesce(received.dossiers_online_with_result, 0) as dossiers_online_with_result,
    coalesce(received.dossiers_from_citizens, 0) as dossiers_from_citizens,
    coalesce(received.dossiers_citizens_population_data, 0) as dossiers_citizens_population_data,
    coalesce(finished.dossiers_punctual, 0) as dossiers_punctual,
    coalesce(finished.dossiers_unpunctual, 0) as dossiers_unpunctual,
    coalesce(finished.dossiers_disliked, 0) as dossiers_disliked,
    coalesce(finished.dossiers_digitised_with_result, 0) as dossiers_digitised_with_result
from received
full outer join finished
    on
        received.partition_key = finished.partition_key
        and received.day = finished.day
        and received.unit_id = finished.unit_id
        and received.source_id = finished.source_id
        and received.procedure_code = finished.procedure_code
