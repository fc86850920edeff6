-- Grain of what it returns: one row is one indicator's part in the change of one pillar or composite of one unit.
-- A measure is the sum of its indicators' points, each weighted by its pillar's weight over the pillar's points, so the
-- change of each weighted point is its contribution. They are rounded along the way from the old value to the new one,
-- so that what is shown adds up to the change to the last of its 12 decimals.
create function marts.rank_contribution(run_a text, run_b text)
returns table (
    unit_id text,
    unit_name text,
    measure text,
    pillar_code text,
    indicator_no integer,
    indicator_code text,
    indicator_name text,
    points_before numeric,
    points_after numeric,
    max_points numeric,
    status_before text,
    status_after text,
    contribution numeric,
    note text
)
language plpgsql stable strict security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    note_of_pair constant text := marts.comparable_runs(run_a, run_b);
    is_one_framework constant boolean := count(distinct framework_id) = 1 from score.run where run_id in (run_a, run_b);
begin
    return query
    with weight as (
        select r.run_id, w.composite_code as measure, w.pillar_code, w.weight,
            sum(w.weight) over (partition by r.run_id, w.composite_code) as total_weight
        from score.run as r
        inner join method.composite_weight as w using (framework_id, framework_hash)
        where r.run_id in (run_a, run_b)
        union all
        select r.run_id, p.pillar_code, p.pillar_code, 1, 1
        from score.run as r
        inner join method.pillar as p using (framework_id, framework_hash)
        where r.run_id in (run_a, run_b) and p.max_points > 0
    ),

    weighted as (
        select
            r.run_id,
            s.unit_id,
            w.measure,
            s.pillar_code,
            i.position,
            s.indicator_code,
            i.name_vi,
            s.points,
            s.max_points,
            s.status,
            round(s.points * w.weight, 40) / (w.total_weight * p.max_points) as part
        from score.run as r
        inner join method.indicator as i using (framework_id, framework_hash)
        inner join method.pillar as p using (framework_id, framework_hash, pillar_code)
        inner join score.indicator_score as s on r.run_id = s.run_id and i.indicator_code = s.indicator_code
        inner join weight as w on r.run_id = w.run_id and s.pillar_code = w.pillar_code
        where r.run_id in (run_a, run_b)
    ),

    indexed as (
        select p.run_id, p.unit_id, p.pillar_code as measure, p.index_unrounded
        from score.pillar_index as p
        where p.run_id in (run_a, run_b)
        union all
        select c.run_id, c.unit_id, c.composite_code, c.index_unrounded
        from score.composite_index as c
        where c.run_id in (run_a, run_b)
    ),

    whole as (
        select a.unit_id, a.measure, a.index_unrounded as index_before, b.index_unrounded as index_after
        from indexed as a
        inner join indexed as b on a.unit_id = b.unit_id and a.measure = b.measure
        where a.run_id = run_a and b.run_id = run_b
    ),

    -- An indicator that only one of the two versions has earned nothing in the other.
    change as (
        select
            unit_id,
            measure,
            indicator_code,
            coalesce(b.pillar_code, a.pillar_code) as pillar_code,
            coalesce(b.position, a.position) as indicator_no,
            coalesce(b.name_vi, a.name_vi) as indicator_name,
            a.points as points_before,
            b.points as points_after,
            coalesce(b.max_points, a.max_points) as max_points,
            a.status as status_before,
            b.status as status_after,
            coalesce(b.part, 0) - coalesce(a.part, 0) as change
        from (select * from weighted where run_id = run_a) as a
        full join (select * from weighted where run_id = run_b) as b using (unit_id, measure, indicator_code)
    ),

    ordered as (
        select
            c.*,
            w.index_before,
            w.index_after,
            sum(c.change) over steps as change_so_far,
            row_number() over steps as step,
            count(*) over (partition by c.unit_id, c.measure) as steps_count
        from change as c
        inner join whole as w on c.unit_id = w.unit_id and c.measure = w.measure
        window steps as (
            partition by c.unit_id, c.measure
            order by (c.change <> 0), c.indicator_no, c.indicator_code rows unbounded preceding
        )
    ),

    on_the_way as (
        select
            o.*,
            case when o.step = o.steps_count then round(o.index_after, 12)
                else round(o.index_before + o.change_so_far, 12) end as index_then
        from ordered as o
    ),

    contributed as (
        select
            o.*,
            o.index_then - lag(o.index_then, 1, round(o.index_before, 12)) over (
                partition by o.unit_id, o.measure order by o.step
            ) as contribution
        from on_the_way as o
    )

    select
        c.unit_id,
        u.name_vi,
        c.measure,
        c.pillar_code,
        c.indicator_no,
        c.indicator_code,
        c.indicator_name,
        trim_scale(round(c.points_before, 12)),
        trim_scale(round(c.points_after, 12)),
        c.max_points,
        c.status_before,
        c.status_after,
        trim_scale(c.contribution),
        note_of_pair
    from contributed as c
    inner join ref.unit as u on c.unit_id = u.unit_id
    where is_one_framework
    union all
    select
        w.unit_id,
        u.name_vi,
        w.measure,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        trim_scale(round(w.index_after, 12) - round(w.index_before, 12)),
        note_of_pair
    from whole as w
    inner join ref.unit as u on w.unit_id = u.unit_id
    where not is_one_framework
    order by 3, 1, 5;
end
$$;

comment on function marts.rank_contribution(text, text) is
'From run_a to run_b, one row is one indicator''s part in the change of one pillar or composite of one unit; the
 contributions of a unit and measure add up exactly to index_change of marts.rank_change. Between different frameworks no
 indicator stands for a change: one row holds the whole of it, and note says why. Refused for runs of different units';
