-- Grain: one row is one agency of one unit as one source reported it on one day, per lake partition.
select
    partition_key,
    reported_on as day,
    unit_id,
    _source_id as source_id,
    agency_code,
    staff_total,
    staff_digital_transformation,
    staff_information_technology,
    staff_information_security,
    staff_trained_dx,
    staff_trained_digital_skills,
    staff_trained_data,
    cast(case when has_focal_staff then 1 else 0 end as bigint) as agencies_with_focal_staff
from lake
