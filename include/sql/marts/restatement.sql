-- Grain: one row is one day of one unit and source that a load changed after it had been loaded, or brought late.
create view marts.restatement as
select
    r.restatement_number,
    r.feed,
    r.source_id,
    s.agency,
    r.unit_id,
    u.name_vi as unit_name,
    r.day,
    extract(year from r.day)::integer as year,
    r.kind,
    r.changes,
    r.batch_ids,
    r.load_number,
    r.recorded_at
from ops.restatement as r
left join ops.source as s on r.source_id = s.source_id
left join ref.unit as u on r.unit_id = u.unit_id;

comment on view marts.restatement is
'One row is one day of one unit and source that a load changed after it had been loaded, or brought late';
comment on column marts.restatement.restatement_number is 'Counts up: later ones were found later';
comment on column marts.restatement.feed is 'The feed';
comment on column marts.restatement.source_id is 'The source';
comment on column marts.restatement.agency is 'The agency that restates';
comment on column marts.restatement.unit_id is 'The unit';
comment on column marts.restatement.unit_name is 'Its name';
comment on column marts.restatement.day is 'The day that says something else than before';
comment on column marts.restatement.year is 'Year of the day: publications of it are outdated';
comment on column marts.restatement.kind is
'restated: the figures changed; late: the day had no facts, and later days had been sent; withdrawn: the facts went';
comment on column marts.restatement.changes is
'Figure → [sum of the day before, after], of figures that changed; empty: no facts; rows: how many facts;
content: fingerprints, where every sum is the same';
comment on column marts.restatement.batch_ids is
'Batches of the source in that load; none: no batch changed it, its facts were rolled up anew';
comment on column marts.restatement.load_number is 'Load of the feed that changed it';
comment on column marts.restatement.recorded_at is 'When';
