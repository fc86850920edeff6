-- Seals of schema published that need no superuser: nothing is updated, deleted or truncated, whoever asks; a row is
-- added only while its publication does not exist yet. What is refused beyond that (dropping, altering) is laid down in
-- ../../guard, by a superuser.
create function published.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'a publication never changes: % of %.% is refused', tg_op, tg_table_schema, tg_table_name
        using errcode = 'integrity_constraint_violation', hint = 'publish a new version beside it';
end
$$;
comment on column ops.prepared.part is 'all, migrations, reference, marts or guard';

comment on function published.refuse_change() is 'Refuses every change';

-- Who adds to a publication first waits for whoever adds to the same one. So the rows of a publication and the
-- publication itself come from one transaction: a row of another one would have to be committed either before, without
-- a publication to belong to, or after, when the publication is there and is seen.
create function published.refuse_late_row() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('published ' || new.publication_id, 0));
    if exists (select 1 from published.publication where publication_id = new.publication_id) then
        raise exception 'a publication never changes: % is complete, nothing can be added to %.%',
            new.publication_id, tg_table_schema, tg_table_name
            using errcode = 'integrity_constraint_violation', hint = 'publish a new version beside it';
    end if;
    return new;
end
$$;
comment on function published.refuse_late_row() is 'Refuses rows of a publication that exists already';

do $$
declare
    sealed regclass;
begin
    for sealed in
        select c.oid from pg_class as c
        where c.relnamespace = 'published'::regnamespace and c.relkind = 'r'
        order by c.relname
    loop
        -- Of a statement, so that it is refused also where it meets no row; of a row, so that it is refused also when
        -- it comes by another table.
        execute format('create trigger refuse_change before update or delete or truncate on %s
            for each statement execute function published.refuse_change()', sealed);
        execute format('create trigger refuse_row_change before update or delete on %s
            for each row execute function published.refuse_change()', sealed);
        execute format('create trigger refuse_late_row before insert on %s
            for each row execute function published.refuse_late_row()', sealed);
        -- Always: also in a session that replays what another server did.
        execute format('alter table %s enable always trigger refuse_change,
            enable always trigger refuse_row_change, enable always trigger refuse_late_row', sealed);
        if sealed <> 'published.publication'::regclass then
            execute format('alter table %s add constraint of_publication foreign key (publication_id)
                references published.publication deferrable initially deferred', sealed);
        end if;
    end loop;
end
$$;
