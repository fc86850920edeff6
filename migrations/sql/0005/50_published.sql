-- Publications: what was approved, for good. Written once, children first and the publication last, by the loader, who
-- may insert and read; changing or removing anything is refused for everyone (see 60_sealed.sql and ../../guard). A row
-- carries the names and the provenance it was published with, so that it reads the same whatever method or units become.
create schema published;
comment on schema published is 'Published years: immutable, versioned';
grant usage on schema published to dti_loader;
alter default privileges in schema published grant select, insert on tables to dti_loader;

create table published.publication (
    publication_id text primary key,
    year integer not null,
    version integer not null check (version > 0),
    family text not null,
    geography text not null,
    framework_id text not null,
    framework_hash text not null,
    framework_name text not null,
    framework_name_en text not null,
    decision text not null,
    framework_in_force boolean not null,
    merge_method text not null,
    run_id text not null,
    parts_run_id text,
    request_id text not null unique,
    period_from date not null,
    period_to date not null,
    as_of_date date not null,
    data_cut_off timestamptz not null,
    known jsonb not null,
    corrections_hash text,
    reference_hash text not null,
    sql_hash text not null check (sql_hash ~ '^[0-9a-f]{64}$'),
    synthetic boolean not null,
    units_count integer not null check (units_count > 0),
    reason text not null check (trim(reason) <> ''),
    requester text not null check (trim(requester) <> ''),
    approver text not null check (trim(approver) <> ''),
    approved_at timestamptz not null,
    note text not null,
    published_at timestamptz not null,
    checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
    unique (year, family, geography, version),
    check (publication_id = year::text || '.' || family || '.' || geography || '.v' || version::text)
);
comment on table published.publication is
'One row is one version of one published year; it and all that belongs to it never change';
comment on column published.publication.publication_id is 'Year, family, geography and version: 2025.dti.34.v1';
comment on column published.publication.year is 'Reporting year';
comment on column published.publication.version is 'Counts up for each year, family and geography, from 1';
comment on column published.publication.family is 'What it measures: dti, service_quality';
comment on column published.publication.geography is 'Units it covers';
comment on column published.publication.framework_id is 'The method';
comment on column published.publication.framework_hash is 'Its version: sha256 over its content';
comment on column published.publication.framework_name is 'Vietnamese name of the method';
comment on column published.publication.framework_name_en is 'English name of the method';
comment on column published.publication.decision is 'Decision that lays the method down';
comment on column published.publication.framework_in_force is 'False: the decision does not cover this year: an estimate';
comment on column published.publication.merge_method is
'none: the units'' own data; average: mean of the former provinces'' points; recomputed: from their merged metrics';
comment on column published.publication.run_id is 'The candidate run it was copied from';
comment on column published.publication.parts_run_id is 'For average: the run of the former provinces; else empty';
comment on column published.publication.request_id is 'The recomputation that was approved';
comment on column published.publication.period_from is 'First day that counts';
comment on column published.publication.period_to is 'Last day that counts';
comment on column published.publication.as_of_date is 'Nothing that happened or was stated after this day counts';
comment on column published.publication.data_cut_off is 'What became known after this moment does not count';
comment on column published.publication.known is 'Feed by feed, which of its batches the run knew';
comment on column published.publication.corrections_hash is 'Version of the corrections; empty: none were kept';
comment on column published.publication.reference_hash is 'Version of the reference data';
comment on column published.publication.sql_hash is
'sha256 over the files of include/sql/rollup, metrics and index at the time of publishing';
comment on column published.publication.synthetic is 'True: made-up data, no figure of a real province';
comment on column published.publication.units_count is 'Units that are ranked';
comment on column published.publication.reason is 'Why the recomputation was asked for';
comment on column published.publication.requester is 'Who asked';
comment on column published.publication.approver is 'Who approved';
comment on column published.publication.approved_at is 'When';
comment on column published.publication.note is 'What the approver said';
comment on column published.publication.published_at is 'When it was published';
comment on column published.publication.checksum is
'sha256 over "sha256, two spaces, path" of each CSV file of the bundle, in the order of their names';

create table published.unit (
    publication_id text not null,
    unit_id text not null,
    geography text not null,
    code text not null,
    unit_name text not null,
    unit_name_en text not null,
    unit_level text not null,
    unit_type text not null,
    parent_unit_id text,
    region_code text not null,
    region_name text not null,
    region_name_en text not null,
    merged_into text,
    primary key (publication_id, unit_id)
);
comment on table published.unit is
'One row is one unit of a publication as it was named then; former provinces too, where their data were merged';
comment on column published.unit.publication_id is 'The publication';
comment on column published.unit.unit_id is 'The unit, such as P34-66';
comment on column published.unit.geography is 'Its geography';
comment on column published.unit.code is 'GSO code';
comment on column published.unit.unit_name is 'Vietnamese name';
comment on column published.unit.unit_name_en is 'English name';
comment on column published.unit.unit_level is 'province or commune';
comment on column published.unit.unit_type is 'province, municipality, commune or ward';
comment on column published.unit.parent_unit_id is 'Of a commune: its province';
comment on column published.unit.region_code is 'Region in which it is ranked';
comment on column published.unit.region_name is 'Vietnamese name of the region';
comment on column published.unit.region_name_en is 'English name of the region';
comment on column published.unit.merged_into is
'Of a former province: the ranked unit its data went into; empty: the unit is ranked itself';

create table published.pillar_index (
    publication_id text not null,
    unit_id text not null,
    unit_name text not null,
    unit_name_en text not null,
    region_code text not null,
    region_name text not null,
    pillar_no integer not null,
    pillar_code text not null,
    pillar_name text not null,
    pillar_name_en text not null,
    provenance text not null,
    points numeric not null,
    max_points numeric not null,
    index_value numeric not null check (index_value between 0 and 1),
    index_unrounded numeric not null check (index_unrounded between 0 and 1),
    coverage numeric not null check (coverage between 0 and 1),
    rank_national integer not null check (rank_national > 0),
    rank_region integer not null check (rank_region > 0),
    primary key (publication_id, unit_id, pillar_code)
);
comment on table published.pillar_index is 'One row is one pillar of one unit in one publication';
comment on column published.pillar_index.publication_id is 'The publication';
comment on column published.pillar_index.unit_id is 'The unit';
comment on column published.pillar_index.unit_name is 'Its Vietnamese name then';
comment on column published.pillar_index.unit_name_en is 'Its English name then';
comment on column published.pillar_index.region_code is 'Its region then';
comment on column published.pillar_index.region_name is 'Vietnamese name of the region';
comment on column published.pillar_index.pillar_no is 'Official order, from 1';
comment on column published.pillar_index.pillar_code is 'The pillar';
comment on column published.pillar_index.pillar_name is 'Its legal name';
comment on column published.pillar_index.pillar_name_en is 'Its English name';
comment on column published.pillar_index.provenance is 'Of name and points: quoted, inferred or provisional';
comment on column published.pillar_index.points is 'Points earned, unrounded';
comment on column published.pillar_index.max_points is 'Points at full score';
comment on column published.pillar_index.index_value is 'The index, rounded half up once';
comment on column published.pillar_index.index_unrounded is 'points / max_points, unrounded';
comment on column published.pillar_index.coverage is 'Share of max_points whose indicators are not missing';
comment on column published.pillar_index.rank_national is 'Competition rank of index_value among all units';
comment on column published.pillar_index.rank_region is 'Competition rank of index_value in the region';

create table published.composite_index (
    publication_id text not null,
    unit_id text not null,
    unit_name text not null,
    unit_name_en text not null,
    region_code text not null,
    region_name text not null,
    composite_no integer not null,
    composite_code text not null,
    composite_name text not null,
    composite_name_en text not null,
    provenance text not null,
    index_value numeric not null check (index_value between 0 and 1),
    index_unrounded numeric not null check (index_unrounded between 0 and 1),
    coverage numeric not null check (coverage between 0 and 1),
    rank_national integer not null check (rank_national > 0),
    rank_region integer not null check (rank_region > 0),
    primary key (publication_id, unit_id, composite_code)
);
comment on table published.composite_index is 'One row is one composite index of one unit in one publication';
comment on column published.composite_index.publication_id is 'The publication';
comment on column published.composite_index.unit_id is 'The unit';
comment on column published.composite_index.unit_name is 'Its Vietnamese name then';
comment on column published.composite_index.unit_name_en is 'Its English name then';
comment on column published.composite_index.region_code is 'Its region then';
comment on column published.composite_index.region_name is 'Vietnamese name of the region';
comment on column published.composite_index.composite_no is 'Order in which composites are shown, from 1';
comment on column published.composite_index.composite_code is 'The composite, such as PDTI';
comment on column published.composite_index.composite_name is 'Its legal name';
comment on column published.composite_index.composite_name_en is 'Its English name';
comment on column published.composite_index.provenance is 'quoted, inferred or provisional';
comment on column published.composite_index.index_value is 'The index, rounded half up once';
comment on column published.composite_index.index_unrounded is 'Weighted mean of the unrounded pillar indices';
comment on column published.composite_index.coverage is 'Weighted mean of the pillars'' coverage';
comment on column published.composite_index.rank_national is 'Competition rank of index_value among all units';
comment on column published.composite_index.rank_region is 'Competition rank of index_value in the region';

create table published.indicator_score (
    publication_id text not null,
    unit_id text not null,
    unit_name text not null,
    unit_name_en text not null,
    region_code text not null,
    indicator_no integer not null,
    indicator_code text not null,
    indicator_name text not null,
    indicator_name_en text not null,
    pillar_code text not null,
    pillar_name text not null,
    rule text not null,
    target numeric,
    numerator_metric text not null,
    denominator_metric text,
    feed text not null,
    basis text,
    denominator_basis text,
    numerator numeric,
    denominator numeric,
    value numeric,
    uncapped_share numeric,
    is_capped boolean not null,
    points numeric not null,
    max_points numeric not null check (points between 0 and max_points),
    coverage numeric not null check (coverage between 0 and 1),
    status text not null check (status in ('scored', 'missing', 'undefined')),
    original_value numeric,
    correction_id text,
    name_provenance text not null,
    points_provenance text not null,
    primary key (publication_id, unit_id, indicator_code)
);
comment on table published.indicator_score is 'One row is one indicator of one unit in one publication, known or not';
comment on column published.indicator_score.publication_id is 'The publication';
comment on column published.indicator_score.unit_id is 'The unit';
comment on column published.indicator_score.unit_name is 'Its Vietnamese name then';
comment on column published.indicator_score.unit_name_en is 'Its English name then';
comment on column published.indicator_score.region_code is 'Its region then';
comment on column published.indicator_score.indicator_no is 'Official order over all pillars, from 1';
comment on column published.indicator_score.indicator_code is 'The indicator, such as 7.5';
comment on column published.indicator_score.indicator_name is 'Its Vietnamese name; see name_provenance';
comment on column published.indicator_score.indicator_name_en is 'Its English name';
comment on column published.indicator_score.pillar_code is 'Its pillar';
comment on column published.indicator_score.pillar_name is 'Legal name of the pillar';
comment on column published.indicator_score.rule is 'How the value earns points: yes_no, ratio, target_ratio …';
comment on column published.indicator_score.target is 'Value that earns full points; empty: the rule has none';
comment on column published.indicator_score.numerator_metric is 'Metric that is scored';
comment on column published.indicator_score.denominator_metric is 'Metric it is divided by; empty: none';
comment on column published.indicator_score.feed is 'Feed whose measured values count';
comment on column published.indicator_score.basis is
'measured, appraised or declared; empty: not known, or averaged over several';
comment on column published.indicator_score.denominator_basis is 'Basis of the denominator; empty: not known or none';
comment on column published.indicator_score.numerator is 'Numerator; empty: not known, or averaged';
comment on column published.indicator_score.denominator is 'Denominator; empty: not known or none';
comment on column published.indicator_score.value is
'What the rule scores: the fraction, or the numerator alone; empty: not scored, or averaged';
comment on column published.indicator_score.uncapped_share is
'Share of its points that the value is worth; above 1 it is capped; empty: not scored, or averaged';
comment on column published.indicator_score.is_capped is 'True: above 100 %, held at the maximum';
comment on column published.indicator_score.points is 'Points earned, unrounded; see points_provenance';
comment on column published.indicator_score.max_points is 'Points at full score';
comment on column published.indicator_score.coverage is
'1 where known, 0 where missing; for merged provinces the share of former provinces that is known';
comment on column published.indicator_score.status is 'scored, missing (not known) or undefined (denominator not above 0)';
comment on column published.indicator_score.original_value is 'Value before a correction; empty: not corrected';
comment on column published.indicator_score.correction_id is 'The correction; empty: not corrected';
comment on column published.indicator_score.name_provenance is 'Of the name: quoted, inferred or provisional';
comment on column published.indicator_score.points_provenance is 'Of the points: quoted, inferred or provisional';

create table published.metric_value (
    publication_id text not null,
    unit_id text not null,
    unit_name text not null,
    geography text not null,
    metric text not null,
    metric_name text,
    metric_name_en text,
    metric_unit text,
    feed text not null,
    basis text not null,
    value numeric not null,
    first_day date not null,
    last_day date not null,
    source_ids text[] not null,
    parts text[] not null,
    synthetic boolean not null,
    primary key (publication_id, unit_id, metric, feed, basis),
    check (first_day <= last_day)
);
comment on table published.metric_value is
'One row is one metric of one unit on one basis in one publication; what was not known has no row';
comment on column published.metric_value.publication_id is 'The publication';
comment on column published.metric_value.unit_id is 'The unit; of an averaged publication, the former province';
comment on column published.metric_value.unit_name is 'Its Vietnamese name then';
comment on column published.metric_value.geography is 'Its geography';
comment on column published.metric_value.metric is 'The metric';
comment on column published.metric_value.metric_name is 'Its Vietnamese name; empty: it had none';
comment on column published.metric_value.metric_name_en is 'Its English name';
comment on column published.metric_value.metric_unit is 'Unit of measure; yes_no is 1 or 0';
comment on column published.metric_value.feed is 'Feed that gives it';
comment on column published.metric_value.basis is 'measured, appraised, declared, or calendar';
comment on column published.metric_value.value is 'Value over the period, corrected where a correction says so';
comment on column published.metric_value.first_day is 'First day of the facts behind it';
comment on column published.metric_value.last_day is 'Last day of the facts behind it';
comment on column published.metric_value.source_ids is 'Sources of the facts behind it';
comment on column published.metric_value.parts is 'Former provinces merged into it; empty: the unit''s own value';
comment on column published.metric_value.synthetic is 'True: a source behind it is made-up or unregistered';

create table published.correction (
    publication_id text not null,
    correction_id text not null,
    unit_id text not null,
    unit_name text not null,
    target_kind text not null check (target_kind in ('metric', 'indicator')),
    target text not null,
    feed text not null,
    basis text not null,
    position integer not null check (position > 0),
    action text not null check (action in ('drop', 'override', 'scale', 'flag')),
    status text not null check (status in ('applied', 'flagged', 'expired', 'not_applicable')),
    given_value numeric,
    original_value numeric,
    corrected_value numeric,
    guard_value numeric,
    guard_first_day date,
    guard_last_day date,
    held_value numeric,
    first_day date not null,
    last_day date not null,
    reason text not null,
    document text not null,
    detail text not null,
    primary key (publication_id, correction_id, unit_id, target, feed, basis)
);
comment on table published.correction is 'One row is one correction of one value in one publication, applied or not';
comment on column published.correction.publication_id is 'The publication';
comment on column published.correction.correction_id is 'Its id in include/corrections';
comment on column published.correction.unit_id is 'The unit whose value it corrects';
comment on column published.correction.unit_name is 'Its Vietnamese name then';
comment on column published.correction.target_kind is 'metric or indicator';
comment on column published.correction.target is 'The metric, or code of the indicator';
comment on column published.correction.feed is 'Feed of the metric; empty: an indicator';
comment on column published.correction.basis is 'Basis of the metric; empty: an indicator';
comment on column published.correction.position is 'Order in which the corrections of one value were taken, from 1';
comment on column published.correction.action is 'drop, override, scale or flag';
comment on column published.correction.status is
'applied, flagged (nothing changed), expired (the source no longer held what the guard says) or not_applicable';
comment on column published.correction.given_value is 'override: the new value; scale: the factor; else empty';
comment on column published.correction.original_value is 'Value over the period before it; empty: there was none';
comment on column published.correction.corrected_value is 'Value after it; empty: dropped';
comment on column published.correction.guard_value is 'What the source held when the correction was written';
comment on column published.correction.guard_first_day is 'First day over which the guard compares; empty: no guard';
comment on column published.correction.guard_last_day is 'Last day over which the guard compares';
comment on column published.correction.held_value is 'What the source held when it was published';
comment on column published.correction.first_day is 'First day that it corrects';
comment on column published.correction.last_day is 'Last day that it corrects';
comment on column published.correction.reason is 'Why';
comment on column published.correction.document is 'The document that orders or proves it';
comment on column published.correction.detail is 'What was done or why not, in words';

create table published.check_result (
    publication_id text not null,
    position integer not null,
    check_name text not null,
    status text not null check (status in ('passed', 'warning', 'accepted')),
    message text not null,
    detail jsonb not null,
    primary key (publication_id, check_name)
);
comment on table published.check_result is 'One row is one check of a publication before it was approved';
comment on column published.check_result.publication_id is 'The publication';
comment on column published.check_result.position is 'Order in which they are told';
comment on column published.check_result.check_name is 'The check';
comment on column published.check_result.status is
'passed; warning: left to the approver; accepted: it failed, and the request accepted that';
comment on column published.check_result.message is 'What was seen, in words';
comment on column published.check_result.detail is 'The rows it is about';
