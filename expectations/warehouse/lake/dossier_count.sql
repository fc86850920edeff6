-- Grain: one row is the dossiers of one source in one partition, as facts count them.
select
    _source_id as source_id,
    partition_key,
    count(received_at) as dossiers_received,
    count(case when status_code in (9, 10) then finished_at end) as dossiers_finished
from lake
group by _source_id, partition_key
