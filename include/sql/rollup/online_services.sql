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
        count(case when is_synchronised then 1 end) as dossiers_synchronised
    from lake
    where received_at is not null
    group by partition_key, received_on, unit_id, _source_id, procedure_code
),

-- Without a due date a dossier is neither on time nor early, but it is finished.
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
        count(case when is_satisfied then 1 end) as dossiers_satisfied
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
    coalesce(finished.dossiers_satisfied, 0) as dossiers_satisfied
from received
full outer join finished
    on
        received.partition_key = finished.partition_key
        and received.day = finished.day
        and received.unit_id = finished.unit_id
        and received.source_id = finished.source_id
        and received.procedure_code = finished.procedure_code
