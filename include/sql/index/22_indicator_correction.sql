-- Grain: one row is one correction of one indicator of this run, and what became of it.
-- Whether it was applied is told by the score; the rest says why it was not.
with outcome as (
    select
        c.correction_id,
        c.unit_id,
        c.target,
        c.action,
        c.given_value,
        c.guard_value,
        s.unit_id is not null as is_scored,
        coalesce(s.correction_id = c.correction_id, false) as is_applied,
        case when s.correction_id is null then s.value else s.original_value end as original_value,
        s.value as corrected_value
    from score.correction as c
    left join score.indicator_score as s
        on c.run_id = s.run_id and c.unit_id = s.unit_id and c.target = s.indicator_code
    where c.run_id = :run_id and c.target_kind = 'indicator' and c.status = 'pending'
),

guarded as (
    select
        *,
        case
            when guard_value is null then original_value is null
            else coalesce(guard_value = round(original_value, scale(guard_value)), false)
        end as guard_holds
    from outcome
),

judged as (
    select
        *,
        case
            when not is_scored then 'not_applicable'
            when is_applied then 'applied'
            when action = 'flag' and guard_value is null then 'flagged'
            when not guard_holds then 'expired'
            when action = 'flag' then 'flagged'
            else 'not_applicable'
        end as status,
        coalesce(cast(trim_scale(given_value) as text), 'nothing') as given,
        coalesce(cast(trim_scale(guard_value) as text), 'nothing') as written,
        coalesce(cast(trim_scale(round(original_value, 12)) as text), 'nothing') as held
    from guarded
)

update score.correction as c
set
    status = j.status,
    original_value = j.original_value,
    corrected_value = j.corrected_value,
    held_value = case when c.action = 'flag' and c.guard_value is null then null else j.original_value end,
    detail = case
        when not j.is_scored then 'the framework of this run has no such indicator'
        when j.status = 'flagged' then 'shown as it is'
        when j.status = 'expired'
            then
                'the source now gives ' || j.held || ', the guard says ' || j.written
                || ': not applied; take it out of include/corrections, or renew its guard if the fault is still there'
        when j.status = 'not_applicable' and j.original_value is null then 'there is no value to ' || j.action
        when j.status = 'not_applicable' then 'an indicator without points has no score to correct'
        when j.action = 'drop' then j.held || ' dropped'
        when j.action = 'scale' then j.held || ' times ' || j.given
        else j.given || ' in place of ' || j.held
    end
from judged as j
where
    c.run_id = :run_id
    and c.target_kind = 'indicator'
    and c.correction_id = j.correction_id
    and c.unit_id = j.unit_id
    and c.target = j.target
