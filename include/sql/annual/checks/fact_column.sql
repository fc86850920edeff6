-- Grain: one row is one feed with facts, the columns of them that can be summed to the last digit, and whether the
-- search path finds other facts of it than those of the nights.
-- Means are left out: a sum of means says nothing, and two ways of adding them differ in the last digit.
select
    c.relname as feed,
    coalesce(
        array_agg(a.attname::text order by a.attnum) filter (where a.atttypid in (
            'bigint'::regtype, 'integer'::regtype, 'numeric'::regtype
        )),
        '{}'
    ) as columns,
    pg_catalog.to_regclass(pg_catalog.quote_ident(c.relname)) <> c.oid::regclass as is_rebuilt
from pg_catalog.pg_class as c
inner join pg_catalog.pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'facts'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
group by c.oid, c.relname
order by c.relname
