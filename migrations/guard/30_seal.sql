-- Sealed from now on: the keeper owns the schema and all in it. Who prepares the warehouse reads it (for the marts), who
-- loads it (dti.loader) reads and inserts; on a server of one's own both are one login.
do $$
declare
    held text;
begin
    for held in
        select format('table %s', oid::regclass) from pg_class
        where relnamespace = 'published'::regnamespace and relkind = 'r' and relowner <> 'dti_keeper'::regrole
        union all
        select format('function %s', oid::regprocedure) from pg_proc
        where pronamespace = 'published'::regnamespace and proowner <> 'dti_keeper'::regrole
        union all
        select 'schema published' from pg_namespace
        where nspname = 'published' and nspowner <> 'dti_keeper'::regrole
    loop
        execute format('alter %s owner to dti_keeper', held);
    end loop;
    execute format('grant usage on schema published to %I', current_setting('dti.owner'));
    execute format('grant select on all tables in schema published to %I', current_setting('dti.owner'));
    execute format('grant usage on schema published to %I', current_setting('dti.loader'));
    execute format('grant select, insert on all tables in schema published to %I', current_setting('dti.loader'));
end
$$;

insert into guard.seal (owner_role, fingerprint) values (current_setting('dti.owner'), guard.fingerprint());

create event trigger dti_sealed on ddl_command_end execute function guard.refuse_ddl();
