-- Grain of what it returns: one value: what to keep in mind when two runs are compared; empty when there is nothing.
-- Raises when they cannot be compared: a run that is not there, or runs of different units.
create function marts.comparable_runs(run_a text, run_b text)
returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    a score.run%rowtype;
    b score.run%rowtype;
    missing_run text;
begin
    select r.* into a from score.run as r where r.run_id = run_a and r.status = 'complete';
    select r.* into b from score.run as r where r.run_id = run_b and r.status = 'complete';
    missing_run := case when a.run_id is null then run_a when b.run_id is null then run_b end;
    if a.run_id is null or b.run_id is null then
        raise exception 'no complete run %', coalesce(missing_run, '(empty)')
        using hint = 'choose two from: select run_id from marts.run order by as_of_date desc';
    end if;
    if a.geography <> b.geography then
        raise exception 'a run of geography % and one of % have no unit in common', a.geography, b.geography
        using hint = 'compute the earlier day for the later units too: dti compute --date D --geography G --merge M';
    end if;
    return nullif(concat_ws(
        '; ',
        case
            when a.framework_id <> b.framework_id
                then format('different methods (%s, %s): values are not comparable', a.framework_id, b.framework_id)
            when a.framework_hash <> b.framework_hash
                then 'the framework was edited between the runs: changed weights and points are part of the change'
        end,
        case when a.merge_method <> b.merge_method
            then format('different ways to merge provinces (%s, %s)', a.merge_method, b.merge_method) end,
        case when a.year <> b.year then format('different years (%s, %s)', a.year, b.year) end
    ), '');
end
$$;

comment on function marts.comparable_runs(text, text) is
'What to keep in mind when two runs are compared (different methods, years or merging); empty when there is nothing';
