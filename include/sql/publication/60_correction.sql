-- Grain: one row is one correction of one value, applied or not; of an averaged run, those of the former provinces too.
insert into published.correction (
    publication_id, correction_id, unit_id, unit_name, target_kind, target, feed, basis, position, action, status,
    given_value, original_value, corrected_value, guard_value, guard_first_day, guard_last_day, held_value, first_day,
    last_day, reason, document, detail
)
select
    :publication_id as publication_id,
    c.correction_id,
    c.unit_id,
    coalesce(u.name_vi, c.unit_id) as unit_name,
    c.target_kind,
    c.target,
    c.feed,
    c.basis,
    c.position,
    c.action,
    c.status,
    trim_scale(c.given_value) as given_value,
    trim_scale(c.original_value) as original_value,
    trim_scale(c.corrected_value) as corrected_value,
    trim_scale(c.guard_value) as guard_value,
    c.guard_first_day,
    c.guard_last_day,
    trim_scale(c.held_value) as held_value,
    c.first_day,
    c.last_day,
    c.reason,
    c.document,
    c.detail
from score.correction as c
left join unit as u on c.unit_id = u.unit_id
where c.run_id = :run_id or c.run_id = :parts_run_id
