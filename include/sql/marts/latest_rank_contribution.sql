-- Grain: one row is one indicator's part in the change of one measure of one unit, between the two newest nights.
create view marts.latest_rank_contribution as
with pair as materialized (
    select
        l.run_id as run_after,
        (
            select r.run_id
            from marts.run as r
            where
                r.kind = l.kind
                and r.framework_id = l.framework_id
                and r.geography = l.geography
                and r.merge_method = l.merge_method
                and r.as_of_date < l.as_of_date
            order by r.as_of_date desc, r.finished_at desc
            limit 1
        ) as run_before
    from marts.latest_run as l
)

select
    p.run_before,
    p.run_after,
    c.unit_id,
    c.unit_name,
    c.measure,
    c.pillar_code,
    c.indicator_no,
    c.indicator_code,
    c.indicator_name,
    c.points_before,
    c.points_after,
    c.max_points,
    c.status_before,
    c.status_after,
    c.contribution,
    c.note
from pair as p
inner join lateral marts.rank_contribution(p.run_before, p.run_after) as c on true
where p.run_before is not null;

comment on view marts.latest_rank_contribution is
'One row is one indicator''s part in the change of one measure of one unit between the two newest nights';
comment on column marts.latest_rank_contribution.run_before is
'The night before: the newest earlier one with the same framework, units and merging';
comment on column marts.latest_rank_contribution.run_after is 'The newest night';
comment on column marts.latest_rank_contribution.unit_id is 'The unit, such as P34-66';
comment on column marts.latest_rank_contribution.unit_name is 'Vietnamese name of the unit';
comment on column marts.latest_rank_contribution.measure is 'PDTI, another composite, or a pillar';
comment on column marts.latest_rank_contribution.pillar_code is 'Pillar of the indicator';
comment on column marts.latest_rank_contribution.indicator_no is 'Official order over all pillars, from 1';
comment on column marts.latest_rank_contribution.indicator_code is
'Component indicator, such as 7.5; empty: the whole change, between different methods';
comment on column marts.latest_rank_contribution.indicator_name is 'Vietnamese name of the indicator';
comment on column marts.latest_rank_contribution.points_before is
'Points in run_before, to 12 decimals; empty: no such indicator then';
comment on column marts.latest_rank_contribution.points_after is
'Points in run_after; empty: no such indicator any more';
comment on column marts.latest_rank_contribution.max_points is 'Points at full score';
comment on column marts.latest_rank_contribution.status_before is 'scored, missing or undefined in run_before';
comment on column marts.latest_rank_contribution.status_after is 'The same in run_after';
comment on column marts.latest_rank_contribution.contribution is
'Its part of index_change; parts of a unit and measure add up exactly';
comment on column marts.latest_rank_contribution.note is
'What to keep in mind: different methods, years or merging; empty: nothing';
