-- Grain: one row is one table that a publication holds of its run, and the columns it has in common with the table of
-- the same name in schema score, but for what names the run.
select
    p.relname as name,
    array_agg(a.attname::text order by a.attnum) as columns
from pg_catalog.pg_class as p
inner join pg_catalog.pg_class as s on p.relname = s.relname
inner join pg_catalog.pg_attribute as a on p.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
inner join pg_catalog.pg_attribute as b
    on s.oid = b.attrelid and a.attname = b.attname and b.attnum > 0 and not b.attisdropped
where
    p.relnamespace = 'published'::regnamespace
    and s.relnamespace = 'score'::regnamespace
    and p.relname in ('metric_value', 'indicator_score', 'pillar_index', 'composite_index', 'correction')
    and a.attname not in ('run_id', 'publication_id')
group by p.relname
order by p.relname
