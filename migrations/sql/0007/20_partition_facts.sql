-- Every table of facts becomes a partitioned one with the same columns, keys, comments and rows.
do $$
declare
    feed text;
    about text;
    key text;
    first_year integer;
    last_year integer;
    held bigint;
    kept bigint;
    -- Read before anything is renamed, and defined anew after it, the view finds the new tables by the old names.
    reported constant text := pg_get_viewdef('ops.reported'::regclass);
begin
    for feed in
        select relname from pg_class where relnamespace = 'facts'::regnamespace and relkind = 'r' order by relname
    loop
        select obj_description(c.oid, 'pg_class'), pg_get_constraintdef(k.oid) into about, key
        from pg_class as c inner join pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'
        where c.relnamespace = 'facts'::regnamespace and c.relname = feed;
        execute format('alter table facts.%I rename to %I', feed, feed || '_whole');
        execute format(
            'create table facts.%I (like facts.%I including comments including defaults including constraints '
            'including storage) partition by range (day)', feed, feed || '_whole'
        );
        execute format('comment on table facts.%I is %L', feed, about);
        execute format('create table facts.%I (like facts.%I including all)', feed || '_other', feed);
        execute format('comment on table facts.%I is %L', feed || '_other', about || ', of years without a partition');
        execute format('alter table facts.%I attach partition facts.%I default', feed, feed || '_other');
        execute format(
            'select extract(year from min(day))::integer, extract(year from max(day))::integer, count(*) from facts.%I',
            feed || '_whole'
        ) into first_year, last_year, held;
        perform facts.lay_partitions(feed, first_year, last_year);
        execute format('insert into facts.%I select * from facts.%I', feed, feed || '_whole');
        get diagnostics kept = row_count;
        if kept <> held then
            raise exception 'facts.%: % of % rows were kept', feed, kept, held;
        end if;
        execute format('alter table facts.%I drop constraint %I', feed || '_whole', feed || '_pkey');
        execute format('drop index facts.%I', feed || '_unit_day');
        execute format('alter table facts.%I add %s', feed, key);
        execute format('create index %I on facts.%I (unit_id, day)', feed || '_unit_day', feed);
        execute format('analyze facts.%I', feed);
    end loop;
    execute 'create or replace view ops.reported as ' || reported;
    for feed in
        select relname from pg_class
        where relnamespace = 'facts'::regnamespace and relkind = 'r' and not relispartition
    loop
        execute format('drop table facts.%I', feed);
    end loop;
end
$$;
comment on schema facts is
'Daily facts, one table a feed in one partition a year; a load replaces the days behind a partition of the lake';
