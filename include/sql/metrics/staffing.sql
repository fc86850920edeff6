-- Grain: one row is one metric of one unit, measured over :from_day to :to_day, both ends included.
-- Each agency counts with its last report of the period.
with last_report as (
    select distinct on (f.unit_id, f.agency_code) f.*
    from staffing as f
    inner join unit as u on f.unit_id = u.unit_id and u.geography = :geography
    where f.day between :from_day and :to_day
    order by f.unit_id asc, f.agency_code asc, f.day desc, f.source_id asc
),

staff as (
    select
        unit_id,
        min(day) as first_day,
        max(day) as last_day,
        array_agg(distinct source_id order by source_id) as source_ids,
        count(*) as agencies_total,
        sum(agencies_with_focal_staff) as agencies_with_focal_staff,
        sum(staff_total) as staff_total,
        sum(staff_digital_transformation) as staff_digital_transformation,
        sum(staff_information_technology) as staff_information_technology,
        sum(staff_information_security) as staff_information_security,
        sum(staff_trained_dx) as staff_trained_dx,
        sum(staff_trained_digital_skills) as staff_trained_digital_skills,
        sum(staff_trained_data) as staff_trained_data
    from last_report
    group by unit_id
)

select
    s.unit_id,
    m.metric,
    'measured' as basis,
    m.value,
    s.first_day,
    s.last_day,
    s.source_ids
from staff as s
inner join lateral (
    values
    ('agencies_total', s.agencies_total),
    ('agencies_with_focal_staff', s.agencies_with_focal_staff),
    ('staff_total', s.staff_total),
    ('staff_digital_transformation', s.staff_digital_transformation),
    ('staff_information_technology', s.staff_information_technology),
    ('staff_information_security', s.staff_information_security),
    ('staff_trained_dx', s.staff_trained_dx),
    ('staff_trained_digital_skills', s.staff_trained_digital_skills),
    ('staff_trained_data', s.staff_trained_data)
) as m (metric, value) on true
