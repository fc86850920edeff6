-- One index for two geographies: how metrics of former provinces become those of the province they are part of now,
-- and what a run must say of it.
alter table ref.metric
add column merge text not null default 'sum' check (merge in ('sum', 'min', 'max', 'mean'));
alter table ref.metric alter column merge drop default;
comment on column ref.metric.merge is
'How the values of former provinces become one: sum of counts, min of what all must have, max, or mean of frequencies';

alter table score.run
add column merge_method text not null default 'none' check (merge_method in ('none', 'average', 'recomputed')),
add column parts_run_id text references score.run on delete cascade,
add check ((merge_method = 'average') = (parts_run_id is not null));
create index run_parts on score.run (parts_run_id) where parts_run_id is not null;
comment on column score.run.merge_method is
'none: the units'' own data; average: mean of the former provinces'' points; recomputed: from their merged metrics';
comment on column score.run.parts_run_id is 'For average: the run of the former provinces that was averaged';

alter table score.metric_value add column parts text[] not null default '{}';
comment on column score.metric_value.parts is
'Former provinces whose values were merged into this one; empty: the unit''s own value';

create table score.metric_part (
    run_id text not null references score.run on delete cascade,
    unit_id text not null references ref.unit,
    part_unit_id text not null references ref.unit,
    metric text not null,
    feed text not null,
    basis text not null check (basis in ('measured', 'appraised', 'declared', 'calendar')),
    value numeric not null,
    first_day date not null,
    last_day date not null,
    source_ids text[] not null,
    primary key (run_id, unit_id, metric, feed, basis, part_unit_id),
    check (first_day <= last_day)
);
comment on table score.metric_part is
'One row is what one former province, or the new one itself, gave to one merged metric of a recomputed run';
comment on column score.metric_part.run_id is 'The run';
comment on column score.metric_part.unit_id is 'The unit whose metric it is';
comment on column score.metric_part.part_unit_id is 'The unit that reported: a former province, or the unit itself';
comment on column score.metric_part.metric is 'The metric';
comment on column score.metric_part.feed is 'Feed that gives it';
comment on column score.metric_part.basis is 'measured, appraised, declared, or calendar';
comment on column score.metric_part.value is 'Its value over its own part of the period';
comment on column score.metric_part.first_day is 'First day of the facts behind it';
comment on column score.metric_part.last_day is 'Last day of the facts behind it';
comment on column score.metric_part.source_ids is 'Sources of the facts behind it';

-- An averaged indicator has points and a coverage, but no numerator and so no value of its own.
alter table score.indicator_score
add column coverage numeric not null default 1 check (coverage between 0 and 1),
add column uncapped_share numeric,
drop constraint indicator_score_check1,
add check (status = 'scored' or value is null);
update score.indicator_score set coverage = 0
where status = 'missing';
alter table score.indicator_score alter column coverage drop default;
comment on column score.indicator_score.coverage is
'0: missing, 1: not missing; in between: the share of former provinces that are known';
comment on column score.indicator_score.uncapped_share is
'Share of its points before it is held between 0 and 1; empty: not scored, or averaged';
comment on column score.indicator_score.value is
'What the rule scores: the fraction, or the numerator alone; empty: not scored, or averaged';
