-- The guard: what schema published looks like is written down when it is sealed, and whatever would make it look
-- otherwise is refused. All of it belongs to the superuser, so nobody else can replace it or turn it off.
create schema guard;
comment on schema guard is 'Keeps published years as they are; belongs to the superuser';

create table guard.seal (
    owner_role name not null,
    fingerprint text not null,
    sealed_at timestamptz not null default now()
);
create unique index one_seal on guard.seal ((true));
comment on table guard.seal is 'One row: schema published is sealed; none: it is not';
comment on column guard.seal.owner_role is 'Who gets the schema back when nothing has been published';
comment on column guard.seal.fingerprint is 'What the schema looked like when it was sealed';
comment on column guard.seal.sealed_at is 'When it was sealed';

create function guard.fingerprint() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with tables as (
        select c.oid, c.relname, c.relkind, c.relowner, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relacl
        from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = 'published'
    ),
    lines (line) as (
        select concat_ws(' ', 'schema', n.nspowner::regrole, a.grantee::regrole, a.privilege_type)
        from pg_namespace as n left join lateral aclexplode(n.nspacl) as a on a.grantee <> n.nspowner
        where n.nspname = 'published'
        union all
        select concat_ws(' ', 'relation', relname, relkind, relowner::regrole, relpersistence, relrowsecurity,
            relforcerowsecurity, case when relkind = 'i' then pg_get_indexdef(oid) end)
        from tables
        union all
        select concat_ws(' ', 'grant', t.relname, a.grantee::regrole, a.privilege_type, a.is_grantable)
        from tables as t cross join lateral aclexplode(t.relacl) as a
        where a.grantee <> t.relowner
        union all
        select concat_ws(' ', 'column', t.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attgenerated, a.attidentity, a.attacl, pg_get_expr(d.adbin, d.adrelid))
        from tables as t inner join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        union all
        select concat_ws(' ', 'constraint', c.conrelid::regclass, c.conname, c.convalidated, pg_get_constraintdef(c.oid))
        from pg_constraint as c inner join tables as t on t.oid in (c.conrelid, c.confrelid)
        union all
        select concat_ws(' ', 'trigger', t.relname, g.tgenabled, g.tgtype, g.tgfoid::regproc,
            case when g.tgisinternal then '' else pg_get_triggerdef(g.oid) end)
        from pg_trigger as g inner join tables as t on t.oid = g.tgrelid
        union all
        select concat_ws(' ', 'rule', t.relname, pg_get_ruledef(r.oid))
        from pg_rewrite as r inner join tables as t on t.oid = r.ev_class
        union all
        select concat_ws(' ', 'policy', t.relname, p.polname)
        from pg_policy as p inner join tables as t on t.oid = p.polrelid
        union all
        select concat_ws(' ', 'inherits', i.inhrelid::regclass, i.inhparent::regclass)
        from pg_inherits as i inner join tables as t on t.oid in (i.inhrelid, i.inhparent)
        union all
        select concat_ws(' ', 'function', p.proname, p.proowner::regrole, p.prosecdef, p.proconfig, p.prosrc)
        from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname = 'published'
    )
    select encode(sha256(convert_to(string_agg(line, e'\n' order by line collate "C"), 'UTF8')), 'hex') from lines
$$;
comment on function guard.fingerprint() is 'What schema published looks like, its rows apart; empty: it is not there';

create function guard.refuse_ddl() returns event_trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select 1 from guard.seal where fingerprint is distinct from guard.fingerprint()) then
        raise exception 'published years are sealed: % would change schema published', tg_tag
            using errcode = 'insufficient_privilege', hint = 'publish a new version beside the ones that are there';
    end if;
end
$$;
comment on function guard.refuse_ddl() is 'Refuses every command that would change schema published, its rows apart';

-- The rows are read as the keeper, not as the superuser: what the schema's maker laid into it may run then.
create function guard.is_empty() returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return not exists (select 1 from published.publication);
end
$$;
comment on function guard.is_empty() is 'Whether nothing has been published';

create function guard.release() returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    owner_role name := (select seal.owner_role from guard.seal);
    held text;
begin
    if owner_role is null or to_regclass('published.publication') is null then
        return;
    end if;
    -- An older snapshot would not see what was published meanwhile.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'not in a transaction that is %', current_setting('transaction_isolation')
            using errcode = 'invalid_transaction_state', hint = 'begin one that is read committed';
    end if;
    lock table published.publication in access exclusive mode;
    if not guard.is_empty() then
        raise exception 'published years are sealed: something has been published'
            using errcode = 'insufficient_privilege', hint = 'what is published stays; only a superuser could remove it';
    end if;
    delete from guard.seal;
    for held in
        select format('table %s', oid::regclass) from pg_class
        where relnamespace = 'published'::regnamespace and relkind = 'r'
        union all
        select format('function %s', oid::regprocedure) from pg_proc where pronamespace = 'published'::regnamespace
        union all
        select 'schema published'
    loop
        execute format('alter %s owner to %I', held, owner_role);
    end loop;
end
$$;
comment on function guard.release() is
'Gives schema published back to who prepares the warehouse, while nothing has been published: for migrations';

alter function guard.is_empty() owner to dti_keeper;
revoke all on all functions in schema guard from public;
-- Called by release(), which runs as the superuser, who may always.
do $$
begin
    execute format('grant usage on schema guard to %I', current_setting('dti.owner'));
    execute format('grant execute on function guard.release() to %I', current_setting('dti.owner'));
end
$$;
