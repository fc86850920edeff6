-- The six schemas, and who may do what in them: the owner defines, the loader writes rows, the analyst reads marts.
create schema ref;
create schema ops;
create schema facts;
create schema method;
create schema score;
create schema marts;

comment on schema ref is 'Reference data from include/reference: units, regions, aliases, metrics, published indices';
comment on schema ops is 'What the pipeline did: sources, batches, quarantine, quality results';
comment on schema facts is 'Daily facts, one table a feed, replaced by partition';
comment on schema method is 'Frameworks: pillars, composites, indicators, scoring rules';
comment on schema score is 'Index runs: metric values, indicator scores, pillar and composite indices';
comment on schema marts is 'What analysts read; views only';

revoke all on schema public from public;

grant usage on schema ref, ops, facts, method, score, marts to dti_loader;
grant usage on schema marts to dti_analyst;

alter default privileges in schema ref, ops, facts, method, score
grant select, insert, update, delete on tables to dti_loader;

alter default privileges in schema ref, ops, facts, method, score
grant usage on sequences to dti_loader;

-- Statistics after a load: the right to ANALYZE exists since PostgreSQL 17; before it, only the owner may.
do $$
begin
    if current_setting('server_version_num')::int >= 170000 then
        execute 'ALTER DEFAULT PRIVILEGES IN SCHEMA facts, score GRANT MAINTAIN ON TABLES TO dti_loader';
    end if;
end
$$;
