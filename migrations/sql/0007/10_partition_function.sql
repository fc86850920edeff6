-- Facts lie in one partition a year of their day, so that the metrics of a year read that year. The loader may not define
-- anything, so the partitions of new years are laid by this function, which runs as the owner.
create function facts.lay_partitions(feed text, first_year integer, last_year integer) returns integer
language plpgsql strict security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    about text;
    part text;
    year_no integer;
    laid integer := 0;
begin
    select obj_description(c.oid, 'pg_class') into about
    from pg_class as c
    where c.relnamespace = 'facts'::regnamespace and c.relname = feed and c.relkind = 'p';
    if not found then
        raise exception 'facts.% is no partitioned table', feed using errcode = 'undefined_table';
    end if;
    -- A day far off is an error of an agency: it stays in the default partition and gets none of its own.
    for year_no in
        select y from generate_series(
            greatest(first_year, 2000), least(last_year, extract(year from now())::integer + 1)
        ) as y
    loop
        part := feed || '_' || year_no;
        continue when to_regclass(format('facts.%I', part)) is not null;
        execute format('create table facts.%I (like facts.%I including all)', part, feed);
        execute format('comment on table facts.%I is %L', part, about || ', of ' || year_no);
        -- Rows of the year that came before its partition are in the default one, and would forbid it.
        execute format(
            'with moved as (delete from facts.%I where day >= %L and day < %L returning *) '
            'insert into facts.%I select * from moved',
            feed || '_other', make_date(year_no, 1, 1), make_date(year_no + 1, 1, 1), part
        );
        execute format(
            'alter table facts.%I attach partition facts.%I for values from (%L) to (%L)',
            feed, part, make_date(year_no, 1, 1), make_date(year_no + 1, 1, 1)
        );
        laid := laid + 1;
    end loop;
    return laid;
end
$$;
comment on function facts.lay_partitions(text, integer, integer) is
'Lays the partitions of a feed''s facts for these years where they are missing, and returns how many it laid';
revoke all on function facts.lay_partitions(text, integer, integer) from public;
grant execute on function facts.lay_partitions(text, integer, integer) to dti_loader;
