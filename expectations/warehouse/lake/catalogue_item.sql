-- Grain: one row is one procedure of one unit as one source listed it on one day.
select
    _source_id as source_id,
    unit_id,
    procedure_code,
    snapshot_on,
    is_active,
    service_level_code
from lake
where snapshot_on <= night()
