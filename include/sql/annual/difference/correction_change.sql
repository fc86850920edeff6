-- Grain: one row is one correction of one value that runs :before and :after do not treat alike.
with told as (
    select
        r.run_id,
        c.correction_id,
        c.unit_id,
        c.target_kind,
        c.target,
        c.feed,
        c.basis,
        c.action,
        c.status,
        c.given_value,
        c.first_day,
        c.last_day,
        c.reason,
        c.document
    from score.run as r
    inner join score.correction as c on c.run_id in (r.run_id, r.parts_run_id)
    where r.run_id in (:before, :after)
),

earlier as (
    select *
    from told
    where run_id = :before
),

later as (
    select *
    from told
    where run_id = :after
),

pair as (
    select
        coalesce(b.correction_id, a.correction_id) as correction_id,
        coalesce(b.unit_id, a.unit_id) as unit_id,
        coalesce(b.target_kind, a.target_kind) as target_kind,
        coalesce(b.target, a.target) as target,
        coalesce(b.action, a.action) as action,
        a.status as status_before,
        b.status as status_after,
        coalesce(b.given_value, a.given_value) as given_value,
        coalesce(b.first_day, a.first_day) as first_day,
        coalesce(b.last_day, a.last_day) as last_day,
        coalesce(b.reason, a.reason) as reason,
        coalesce(b.document, a.document) as document
    from earlier as a
    full join later as b
        on
            a.correction_id = b.correction_id
            and a.unit_id = b.unit_id
            and a.target_kind = b.target_kind
            and a.target = b.target
            and a.feed = b.feed
            and a.basis = b.basis
    where
        a.status is distinct from b.status
        or a.action is distinct from b.action
        or a.given_value is distinct from b.given_value
        or a.first_day is distinct from b.first_day
        or a.last_day is distinct from b.last_day
)

select
    p.correction_id,
    p.unit_id,
    u.name_vi as unit_name,
    s.unit_id_34 as successor_unit_id,
    p.target_kind,
    p.target,
    p.action,
    case
        when p.status_before is null then 'added'
        when p.status_after is null then 'removed'
        else 'changed'
    end as change,
    p.status_before,
    p.status_after,
    p.given_value,
    p.first_day,
    p.last_day,
    p.reason,
    p.document
from pair as p
inner join ref.unit as u on p.unit_id = u.unit_id
left join ref.unit_succession as s on p.unit_id = s.unit_id_63
order by p.correction_id, p.unit_id, p.target
