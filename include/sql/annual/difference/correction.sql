-- Grain: one row is one correction of one value in run :run_id or in the run it averages, applied or not.
select
    c.correction_id,
    c.unit_id,
    u.name_vi as unit_name,
    c.target,
    c.action,
    c.status,
    c.original_value,
    c.corrected_value,
    c.guard_value,
    c.held_value,
    c.first_day,
    c.last_day,
    c.reason,
    c.document,
    c.detail
from score.run as r
inner join score.correction as c on c.run_id in (r.run_id, r.parts_run_id)
inner join ref.unit as u on c.unit_id = u.unit_id
where r.run_id = :run_id and c.status <> 'not_applicable'
order by c.correction_id, c.unit_id, c.target
