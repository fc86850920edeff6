-- Grain: one row is one pillar or composite of one unit, between the two newest nights.
create view marts.latest_rank_change as
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
    c.region_code,
    c.measure,
    c.value_before,
    c.value_after,
    c.value_change,
    c.index_before,
    c.index_after,
    c.index_change,
    c.rank_before,
    c.rank_after,
    c.ranks_gained,
    c.ranks_gained_own,
    c.ranks_gained_others,
    c.rank_region_before,
    c.rank_region_after,
    c.overtook,
    c.overtaken_by,
    c.note
from pair as p
inner join lateral marts.rank_change(p.run_before, p.run_after) as c on true
where p.run_before is not null;

comment on view marts.latest_rank_change is
'One row is one pillar or composite of one unit: how value and rank moved between the two newest nights';
comment on column marts.latest_rank_change.run_before is
'The night before: the newest earlier one with the same framework, units and merging';
comment on column marts.latest_rank_change.run_after is 'The newest night';
comment on column marts.latest_rank_change.unit_id is 'The unit, such as P34-66';
comment on column marts.latest_rank_change.unit_name is 'Vietnamese name of the unit';
comment on column marts.latest_rank_change.region_code is 'Region of the unit';
comment on column marts.latest_rank_change.measure is 'PDTI, another composite, or a pillar';
comment on column marts.latest_rank_change.value_before is 'Published-style value in run_before, 4 decimals';
comment on column marts.latest_rank_change.value_after is 'The same in run_after';
comment on column marts.latest_rank_change.value_change is 'value_after - value_before';
comment on column marts.latest_rank_change.index_before is 'Index before rounding, to 12 decimals';
comment on column marts.latest_rank_change.index_after is 'The same in run_after';
comment on column marts.latest_rank_change.index_change is
'index_after - index_before: what the contributions add up to';
comment on column marts.latest_rank_change.rank_before is 'National rank in run_before';
comment on column marts.latest_rank_change.rank_after is 'National rank in run_after';
comment on column marts.latest_rank_change.ranks_gained is 'rank_before - rank_after: above 0 is a move up';
comment on column marts.latest_rank_change.ranks_gained_own is 'Of these, had only this unit''s value changed';
comment on column marts.latest_rank_change.ranks_gained_others is 'Of these, what the changes of the others did';
comment on column marts.latest_rank_change.rank_region_before is 'Rank in the region in run_before';
comment on column marts.latest_rank_change.rank_region_after is 'Rank in the region in run_after';
comment on column marts.latest_rank_change.overtook is 'Units that were ahead and no longer are';
comment on column marts.latest_rank_change.overtaken_by is 'Units that are ahead now and were not';
comment on column marts.latest_rank_change.note is
'What to keep in mind: different methods, years or merging; empty: nothing';
