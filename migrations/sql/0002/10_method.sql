-- Frameworks as they were read from include/frameworks. A framework is known by its content: another hash is another
-- method, and what a run was computed with never changes.
create table method.framework (
    framework_id text not null,
    framework_hash text not null check (framework_hash ~ '^[0-9a-f]{64}$'),
    decision text not null,
    decided_on date not null,
    name_vi text not null,
    name_en text not null,
    unit_level text not null,
    from_year integer not null,
    to_year integer,
    max_points numeric not null check (max_points > 0),
    decimals integer not null check (decimals between 0 and 9),
    ranking text not null check (ranking = 'competition'),
    basis_order text[] not null check (basis_order <@ array['measured', 'appraised', 'declared']),
    sources text[] not null,
    stored_at timestamptz not null default now(),
    primary key (framework_id, framework_hash),
    check (to_year is null or from_year <= to_year)
);
comment on table method.framework is 'One row is one version of one framework, known by the hash of its content';
comment on column method.framework.framework_id is 'Name of its folder in include/frameworks';
comment on column method.framework.framework_hash is 'sha256 over everything in it that is method';
comment on column method.framework.decision is 'Decision that lays it down';
comment on column method.framework.decided_on is 'Day of the decision';
comment on column method.framework.name_vi is 'Vietnamese name';
comment on column method.framework.name_en is 'English name';
comment on column method.framework.unit_level is 'Level of the units it scores: province';
comment on column method.framework.from_year is 'First reporting year in force';
comment on column method.framework.to_year is 'Last reporting year in force; empty: still in force';
comment on column method.framework.max_points is 'Points of all pillars';
comment on column method.framework.decimals is 'Decimals of a published index, rounded half up once, at the end';
comment on column method.framework.ranking is 'competition: 15, 15, 17';
comment on column method.framework.basis_order is 'Which basis wins, first to last';
comment on column method.framework.sources is 'Where the method was read';
comment on column method.framework.stored_at is 'When this version first arrived here';

create table method.pillar (
    framework_id text not null,
    framework_hash text not null,
    pillar_code text not null,
    position integer not null check (position > 0),
    name_vi text not null,
    name_en text not null,
    group_vi text not null,
    max_points numeric not null check (max_points >= 0),
    provenance text not null,
    primary key (framework_id, framework_hash, pillar_code),
    unique (framework_id, framework_hash, position),
    foreign key (framework_id, framework_hash) references method.framework on delete cascade
);
comment on table method.pillar is 'One row is one pillar (main index) of one framework version';
comment on column method.pillar.framework_id is 'The framework';
comment on column method.pillar.framework_hash is 'Its version';
comment on column method.pillar.pillar_code is 'Short code: NT, TC, HT …';
comment on column method.pillar.position is 'Official order, from 1';
comment on column method.pillar.name_vi is 'Legal name';
comment on column method.pillar.name_en is 'English name';
comment on column method.pillar.group_vi is 'Group of the decision it belongs to';
comment on column method.pillar.max_points is 'Points of all its indicators; a pillar with 0 has no index';
comment on column method.pillar.provenance is 'quoted, inferred or provisional';

create table method.composite (
    framework_id text not null,
    framework_hash text not null,
    composite_code text not null,
    position integer not null check (position > 0),
    name_vi text not null,
    name_en text not null,
    provenance text not null,
    primary key (framework_id, framework_hash, composite_code),
    unique (framework_id, framework_hash, position),
    foreign key (framework_id, framework_hash) references method.framework on delete cascade
);
comment on table method.composite is 'One row is one composite index of one framework version';
comment on column method.composite.framework_id is 'The framework';
comment on column method.composite.framework_hash is 'Its version';
comment on column method.composite.composite_code is 'Short code: PDTI, CHINH_QUYEN_SO …';
comment on column method.composite.position is 'Order in which composites are shown, from 1';
comment on column method.composite.name_vi is 'Legal name';
comment on column method.composite.name_en is 'English name';
comment on column method.composite.provenance is 'quoted, inferred or provisional';

create table method.composite_weight (
    framework_id text not null,
    framework_hash text not null,
    composite_code text not null,
    pillar_code text not null,
    weight numeric not null check (weight > 0),
    primary key (framework_id, framework_hash, composite_code, pillar_code),
    foreign key (framework_id, framework_hash, composite_code) references method.composite on delete cascade,
    foreign key (framework_id, framework_hash, pillar_code) references method.pillar on delete cascade
);
comment on table method.composite_weight is 'One row is the weight of one pillar in one composite';
comment on column method.composite_weight.framework_id is 'The framework';
comment on column method.composite_weight.framework_hash is 'Its version';
comment on column method.composite_weight.composite_code is 'The composite';
comment on column method.composite_weight.pillar_code is 'The pillar';
comment on column method.composite_weight.weight is 'Its weight; a composite is the weighted mean of its pillars';

create table method.indicator (
    framework_id text not null,
    framework_hash text not null,
    indicator_code text not null,
    position integer not null check (position > 0),
    pillar_code text not null,
    name_vi text not null,
    name_en text not null,
    max_points numeric not null check (max_points >= 0),
    rule text not null check (rule in ('yes_no', 'ratio', 'target_ratio', 'target_count', 'steps')),
    numerator_metric text not null,
    denominator_metric text,
    target numeric check (target > 0),
    feed text not null,
    name_provenance text not null,
    points_provenance text not null,
    primary key (framework_id, framework_hash, indicator_code),
    unique (framework_id, framework_hash, position),
    foreign key (framework_id, framework_hash, pillar_code) references method.pillar on delete cascade,
    check ((rule in ('target_ratio', 'target_count')) = (target is not null)),
    check (rule not in ('ratio', 'target_ratio') or denominator_metric is not null)
);
comment on table method.indicator is 'One row is one component indicator of one framework version: a rule over metrics';
comment on column method.indicator.framework_id is 'The framework';
comment on column method.indicator.framework_hash is 'Its version';
comment on column method.indicator.indicator_code is 'Code such as 7.5';
comment on column method.indicator.position is 'Official order over all pillars, from 1';
comment on column method.indicator.pillar_code is 'The pillar it counts for';
comment on column method.indicator.name_vi is 'Vietnamese name; see name_provenance';
comment on column method.indicator.name_en is 'English name';
comment on column method.indicator.max_points is 'Points at full score; see points_provenance';
comment on column method.indicator.rule is 'yes_no, ratio, target_ratio, target_count or steps';
comment on column method.indicator.numerator_metric is 'Metric that is scored';
comment on column method.indicator.denominator_metric is 'Metric it is divided by; empty: not a fraction';
comment on column method.indicator.target is 'Value that earns full points, for target_ratio and target_count';
comment on column method.indicator.feed is 'Feed whose measured values count';
comment on column method.indicator.name_provenance is 'quoted, inferred or provisional';
comment on column method.indicator.points_provenance is 'quoted, inferred or provisional';

create table method.step (
    framework_id text not null,
    framework_hash text not null,
    indicator_code text not null,
    threshold numeric not null,
    share numeric not null check (share between 0 and 1),
    primary key (framework_id, framework_hash, indicator_code, threshold),
    foreign key (framework_id, framework_hash, indicator_code) references method.indicator on delete cascade
);
comment on table method.step is 'One row is one step of an indicator scored by steps';
comment on column method.step.framework_id is 'The framework';
comment on column method.step.framework_hash is 'Its version';
comment on column method.step.indicator_code is 'The indicator';
comment on column method.step.threshold is 'From this value on';
comment on column method.step.share is 'this share of the points is earned';
