-- Who owns what must never change: a role nobody can be. Run by a superuser, each time anew; dti.owner is the login that
-- prepares the warehouse, dti.loader the one that writes rows.
drop event trigger if exists dti_sealed;
drop schema if exists guard cascade;

do $$
begin
    if not exists (select 1 from pg_roles where rolname = 'dti_keeper') then
        create role dti_keeper nologin;
    end if;
end
$$;

-- Who owns a database may drop it, from another one. Its schema public belongs to whoever that is, so it is given away
-- first. Where the login is a superuser itself there is nobody to keep the database from.
do $$
declare
    login name := current_setting('dti.owner');
    here name := current_database();
begin
    if not (select rolsuper from pg_roles where rolname = login) then
        execute format('alter schema public owner to %I', login);
        execute format('alter database %I owner to %I', here, current_user);
        execute format('grant create, connect, temporary on database %I to %I with grant option', here, login);
    end if;
end
$$;
