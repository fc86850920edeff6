-- Grain: one row is one correction of the run :run_id, or of the run it averages, that its source no longer bears out.
select
    c.correction_id,
    c.unit_id,
    u.name_vi as unit_name,
    c.target,
    c.action,
    c.guard_value,
    c.held_value,
    c.first_day,
    c.last_day,
    c.detail
from score.run as r
inner join score.correction as c on c.run_id in (r.run_id, r.parts_run_id)
inner join ref.unit as u on c.unit_id = u.unit_id
where r.run_id = :run_id and c.status = 'expired'
order by c.correction_id, c.unit_id, c.target
