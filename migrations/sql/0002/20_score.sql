-- Index runs. A run is written whole in one transaction and replaced whole; nothing in it outlives it.
-- Numbers are kept unrounded, with 24 decimals or more; only index_value is rounded.
create table score.run (
    run_id text primary key,
    kind text not null check (kind ~ '^[a-z][a-z0-9_]*$'),
    as_of_date date not null,
    year integer not null,
    framework_id text not null,
    framework_hash text not null,
    geography text not null,
    period_from date not null,
    period_to date not null,
    framework_in_force boolean not null,
    synthetic boolean not null default true,
    status text not null default 'running' check (status in ('running', 'complete')),
    started_at timestamptz not null,
    finished_at timestamptz,
    foreign key (framework_id, framework_hash) references method.framework,
    check (period_from <= period_to and period_to <= as_of_date),
    check ((status = 'complete') = (finished_at is not null))
);
create index run_framework on score.run (framework_id, framework_hash);
comment on table score.run is 'One row is one index run: one framework applied to one period of one geography';
comment on column score.run.run_id is 'Kind, day, framework and geography';
comment on column score.run.kind is 'night: the scheduled run of the latest views; any other: on request';
comment on column score.run.as_of_date is 'Nothing that happened or was stated after this day counts';
comment on column score.run.year is 'Reporting year';
comment on column score.run.framework_id is 'The framework';
comment on column score.run.framework_hash is 'Its version';
comment on column score.run.geography is 'Units it covers: 63 or 34';
comment on column score.run.period_from is 'First day that counts';
comment on column score.run.period_to is 'Last day that counts';
comment on column score.run.framework_in_force is 'False: the framework does not cover this year: an estimate';
comment on column score.run.synthetic is 'True: a chosen value comes from a made-up or unregistered source';
comment on column score.run.status is 'running until every table of the run is written, then complete';
comment on column score.run.started_at is 'Start';
comment on column score.run.finished_at is 'End';

create table score.metric_value (
    run_id text not null references score.run on delete cascade,
    unit_id text not null references ref.unit,
    metric text not null,
    feed text not null,
    basis text not null check (basis in ('measured', 'appraised', 'declared', 'calendar')),
    value numeric not null,
    first_day date not null,
    last_day date not null,
    source_ids text[] not null,
    primary key (run_id, unit_id, metric, feed, basis),
    check (first_day <= last_day)
);
comment on table score.metric_value is 'One row is one metric of one unit on one basis; what is not known has no row';
comment on column score.metric_value.run_id is 'The run';
comment on column score.metric_value.unit_id is 'The unit';
comment on column score.metric_value.metric is 'The metric';
comment on column score.metric_value.feed is 'Feed that gives it';
comment on column score.metric_value.basis is 'measured, appraised, declared, or calendar';
comment on column score.metric_value.value is 'The value over the period';
comment on column score.metric_value.first_day is 'First day of the facts behind it';
comment on column score.metric_value.last_day is 'Last day of the facts behind it';
comment on column score.metric_value.source_ids is 'Sources of the facts behind it';

create table score.indicator_input (
    run_id text not null references score.run on delete cascade,
    unit_id text not null references ref.unit,
    indicator_code text not null,
    part text not null check (part in ('numerator', 'denominator')),
    metric text not null,
    feed text not null,
    basis text not null,
    primary key (run_id, unit_id, indicator_code, part)
);
comment on table score.indicator_input is 'One row is the metric value chosen for one part of one unit''s indicator';
comment on column score.indicator_input.run_id is 'The run';
comment on column score.indicator_input.unit_id is 'The unit';
comment on column score.indicator_input.indicator_code is 'The indicator';
comment on column score.indicator_input.part is 'numerator or denominator';
comment on column score.indicator_input.metric is 'Metric of the chosen value';
comment on column score.indicator_input.feed is 'Its feed';
comment on column score.indicator_input.basis is 'Its basis';

create table score.indicator_score (
    run_id text not null references score.run on delete cascade,
    unit_id text not null references ref.unit,
    indicator_code text not null,
    pillar_code text not null,
    basis text,
    denominator_basis text,
    numerator numeric,
    denominator numeric,
    value numeric,
    status text not null check (status in ('scored', 'missing', 'undefined')),
    is_capped boolean not null,
    points numeric not null,
    max_points numeric not null,
    primary key (run_id, unit_id, indicator_code),
    check (points between 0 and max_points),
    check ((status = 'scored') = (value is not null)),
    check (status = 'scored' or points = 0)
);
comment on table score.indicator_score is 'One row is one indicator of one unit, known or not';
comment on column score.indicator_score.run_id is 'The run';
comment on column score.indicator_score.unit_id is 'The unit';
comment on column score.indicator_score.indicator_code is 'The indicator';
comment on column score.indicator_score.pillar_code is 'Its pillar';
comment on column score.indicator_score.basis is 'Basis of the numerator; empty: not known';
comment on column score.indicator_score.denominator_basis is 'Basis of the denominator; empty: not known or not needed';
comment on column score.indicator_score.numerator is 'Numerator; empty: not known';
comment on column score.indicator_score.denominator is 'Denominator; empty: not known or not needed';
comment on column score.indicator_score.value is 'What the rule scores: the fraction, or the numerator alone';
comment on column score.indicator_score.status is 'scored, missing (not known) or undefined (denominator not above 0)';
comment on column score.indicator_score.is_capped is 'True: above 100 %, held at the maximum';
comment on column score.indicator_score.points is 'Points earned';
comment on column score.indicator_score.max_points is 'Points at full score';

create table score.pillar_index (
    run_id text not null references score.run on delete cascade,
    unit_id text not null references ref.unit,
    pillar_code text not null,
    points numeric not null,
    max_points numeric not null,
    index_unrounded numeric not null check (index_unrounded between 0 and 1),
    index_value numeric not null check (index_value between 0 and 1),
    coverage numeric not null check (coverage between 0 and 1),
    rank_national integer not null check (rank_national > 0),
    rank_region integer not null check (rank_region > 0),
    primary key (run_id, unit_id, pillar_code)
);
comment on table score.pillar_index is 'One row is one pillar of one unit; a pillar without points has none';
comment on column score.pillar_index.run_id is 'The run';
comment on column score.pillar_index.unit_id is 'The unit';
comment on column score.pillar_index.pillar_code is 'The pillar';
comment on column score.pillar_index.points is 'Points of its indicators';
comment on column score.pillar_index.max_points is 'Points at full score';
comment on column score.pillar_index.index_unrounded is 'points / max_points';
comment on column score.pillar_index.index_value is 'The index as published: rounded half up, once';
comment on column score.pillar_index.coverage is 'Share of max_points whose indicators are not missing';
comment on column score.pillar_index.rank_national is 'Competition rank of index_value over all units';
comment on column score.pillar_index.rank_region is 'Competition rank of index_value in the region';

create table score.composite_index (
    run_id text not null references score.run on delete cascade,
    unit_id text not null references ref.unit,
    composite_code text not null,
    index_unrounded numeric not null check (index_unrounded between 0 and 1),
    index_value numeric not null check (index_value between 0 and 1),
    coverage numeric not null check (coverage between 0 and 1),
    rank_national integer not null check (rank_national > 0),
    rank_region integer not null check (rank_region > 0),
    primary key (run_id, unit_id, composite_code)
);
comment on table score.composite_index is 'One row is one composite index of one unit';
comment on column score.composite_index.run_id is 'The run';
comment on column score.composite_index.unit_id is 'The unit';
comment on column score.composite_index.composite_code is 'The composite';
comment on column score.composite_index.index_unrounded is 'Weighted mean of the unrounded pillar indices';
comment on column score.composite_index.index_value is 'The index as published: rounded half up, once';
comment on column score.composite_index.coverage is 'Weighted mean of the pillars'' coverage';
comment on column score.composite_index.rank_national is 'Competition rank of index_value over all units';
comment on column score.composite_index.rank_region is 'Competition rank of index_value in the region';
