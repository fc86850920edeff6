-- Grain of what it returns: one row is one pillar or composite of one unit in two runs of the same units.
-- Ranks count the units ahead, on the rounded value. The unit's own part of a move is what its rank would have become
-- had only its own value changed; the rest is what the others' changes did.
create function marts.rank_change(run_a text, run_b text)
returns table (
    unit_id text,
    unit_name text,
    region_code text,
    measure text,
    value_before numeric,
    value_after numeric,
    value_change numeric,
    index_before numeric,
    index_after numeric,
    index_change numeric,
    rank_before integer,
    rank_after integer,
    ranks_gained integer,
    ranks_gained_own integer,
    ranks_gained_others integer,
    rank_region_before integer,
    rank_region_after integer,
    overtook text[],
    overtaken_by text[],
    note text
)
language plpgsql stable strict security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    note_of_pair constant text := marts.comparable_runs(run_a, run_b);
begin
    return query
    with indexed as (
        select p.run_id, p.unit_id, p.pillar_code as measure, p.index_unrounded, p.index_value,
            p.rank_national, p.rank_region
        from score.pillar_index as p
        where p.run_id in (run_a, run_b)
        union all
        select c.run_id, c.unit_id, c.composite_code, c.index_unrounded, c.index_value,
            c.rank_national, c.rank_region
        from score.composite_index as c
        where c.run_id in (run_a, run_b)
    ),

    pair as (
        select
            a.unit_id,
            a.measure,
            a.index_value as value_before,
            b.index_value as value_after,
            round(a.index_unrounded, 12) as index_before,
            round(b.index_unrounded, 12) as index_after,
            a.rank_national as rank_before,
            b.rank_national as rank_after,
            a.rank_region as rank_region_before,
            b.rank_region as rank_region_after
        from indexed as a
        inner join indexed as b on a.unit_id = b.unit_id and a.measure = b.measure
        where a.run_id = run_a and b.run_id = run_b
    ),

    against_others as (
        select
            p.unit_id,
            p.measure,
            1 + count(*) filter (where o.value_before > p.value_after) as rank_alone,
            array_agg(o.unit_id order by o.unit_id)
                filter (where o.value_before > p.value_before and o.value_after <= p.value_after) as overtook,
            array_agg(o.unit_id order by o.unit_id)
                filter (where o.value_before <= p.value_before and o.value_after > p.value_after) as overtaken_by
        from pair as p
        left join pair as o on p.measure = o.measure and p.unit_id <> o.unit_id
        group by p.unit_id, p.measure
    )

    select
        p.unit_id,
        u.name_vi,
        u.region_code,
        p.measure,
        p.value_before,
        p.value_after,
        p.value_after - p.value_before,
        p.index_before,
        p.index_after,
        p.index_after - p.index_before,
        p.rank_before,
        p.rank_after,
        p.rank_before - p.rank_after,
        p.rank_before - o.rank_alone::integer,
        o.rank_alone::integer - p.rank_after,
        p.rank_region_before,
        p.rank_region_after,
        coalesce(o.overtook, '{}'),
        coalesce(o.overtaken_by, '{}'),
        note_of_pair
    from pair as p
    inner join against_others as o on p.unit_id = o.unit_id and p.measure = o.measure
    inner join ref.unit as u on p.unit_id = u.unit_id
    order by p.measure, p.rank_after, p.unit_id;
end
$$;

comment on function marts.rank_change(text, text) is
'From run_a to run_b, one row is one pillar or composite of one unit: how value and rank moved. ranks_gained is above 0
 for a move up and is ranks_gained_own (had only this unit changed) + ranks_gained_others (what the others'' changes did);
 it is also the number of units in overtook less that in overtaken_by. index_change is what the rows of
 marts.rank_contribution add up to. Refused for runs of different units';
