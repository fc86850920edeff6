-- Grain: one row is one metric that is the sum of a column of its feed's facts, where the search path finds them.
select
    m.feed,
    m.metric
from metric as m
inner join pg_catalog.pg_attribute as a
    on
        a.attrelid = pg_catalog.to_regclass(pg_catalog.quote_ident(m.feed))
        and m.metric = a.attname
        and not a.attisdropped
where m.aggregation = 'sum'
order by m.feed, m.metric
