-- Grain: one row is one publication: one version of one year, family and geography.
create view marts.published_version as
with used as (
    select distinct
        publication_id,
        feed
    from published.indicator_score
    union
    -- Stated figures come by declarations, whatever feed measures them.
    select
        publication_id,
        'declarations' as feed
    from published.publication
),

restated as (
    select
        p.publication_id,
        r.feed,
        r.recorded_at,
        r.day,
        r.batch_ids
    from published.publication as p
    inner join ops.restatement as r
        on r.day between p.period_from and p.period_to and p.data_cut_off < r.recorded_at
    inner join published.unit as u on p.publication_id = u.publication_id and r.unit_id = u.unit_id
    inner join used as f on p.publication_id = f.publication_id and r.feed = f.feed
),

outdated as (
    select
        publication_id,
        min(recorded_at) as since,
        string_agg(distinct feed, ', ' order by feed) as feeds,
        count(distinct day) as days_count
    from restated
    group by publication_id
),

batch as (
    select
        r.publication_id,
        array_agg(distinct b.batch_id order by b.batch_id) as batch_ids
    from restated as r
    cross join lateral unnest(r.batch_ids) as b (batch_id)
    group by r.publication_id
)

select
    p.publication_id,
    p.year,
    p.version,
    p.version = max(p.version) over (partition by p.year, p.family, p.geography) as is_newest,
    p.published_at,
    p.family,
    p.geography,
    p.framework_id,
    p.framework_hash,
    p.framework_name,
    p.framework_name_en,
    p.decision,
    p.framework_in_force,
    p.merge_method,
    p.synthetic,
    p.units_count,
    p.period_from,
    p.period_to,
    p.as_of_date,
    p.data_cut_off,
    p.reason,
    p.requester,
    p.approver,
    p.approved_at,
    p.note,
    p.run_id,
    p.request_id,
    p.corrections_hash,
    p.reference_hash,
    p.sql_hash,
    p.known,
    p.checksum,
    o.publication_id is not null as is_outdated,
    o.since as outdated_since,
    o.feeds as outdated_by,
    coalesce(o.days_count, 0) as outdated_days,
    coalesce(b.batch_ids, '{}') as outdated_batch_ids
from published.publication as p
left join outdated as o on p.publication_id = o.publication_id
left join batch as b on p.publication_id = b.publication_id;

comment on view marts.published_version is
'One row is one version of a year that this system published, for good; the ministry''s official results are in
published_index';
comment on column marts.published_version.publication_id is 'Year, family, geography and version: 2025.dti.34.v1';
comment on column marts.published_version.year is 'Reporting year';
comment on column marts.published_version.version is 'Counts up for each year, family and geography, from 1';
comment on column marts.published_version.is_newest is 'True: no later version of it exists';
comment on column marts.published_version.published_at is 'When it was published';
comment on column marts.published_version.family is 'What it measures: dti, service_quality';
comment on column marts.published_version.geography is
'63 (until 30 June 2025) or 34 provinces, or another set of units';
comment on column marts.published_version.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.published_version.framework_hash is 'Its version: sha256 over its content';
comment on column marts.published_version.framework_name is 'Vietnamese name of the method';
comment on column marts.published_version.framework_name_en is 'English name of the method';
comment on column marts.published_version.decision is 'Decision that lays the method down';
comment on column marts.published_version.framework_in_force is
'False: the decision does not cover this year; an estimate';
comment on column marts.published_version.merge_method is
'none: the units'' own data; average: mean of the former provinces'' points; recomputed: from their merged metrics';
comment on column marts.published_version.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.published_version.units_count is 'Units that are ranked';
comment on column marts.published_version.period_from is 'First day that counts';
comment on column marts.published_version.period_to is 'Last day that counts';
comment on column marts.published_version.as_of_date is 'Nothing that happened or was stated after this day counts';
comment on column marts.published_version.data_cut_off is 'What became known after this moment does not count';
comment on column marts.published_version.reason is 'Why it was recomputed';
comment on column marts.published_version.requester is 'Who asked';
comment on column marts.published_version.approver is 'Who approved';
comment on column marts.published_version.approved_at is 'When it was approved';
comment on column marts.published_version.note is 'What the approver said';
comment on column marts.published_version.run_id is 'The run it was copied from';
comment on column marts.published_version.request_id is 'The recomputation that was approved';
comment on column marts.published_version.corrections_hash is 'Version of the corrections; empty: none were kept';
comment on column marts.published_version.reference_hash is 'Version of the reference data';
comment on column marts.published_version.sql_hash is
'sha256 over the SQL that computes an index, when it was published';
comment on column marts.published_version.known is 'Feed by feed, which of its batches the run knew';
comment on column marts.published_version.checksum is
'sha256 over the checksums of its CSV files; see docs/publications.md';
comment on column marts.published_version.is_outdated is
'True: a source has since restated, or brought late, a day that counts in it; the figures stay as published';
comment on column marts.published_version.outdated_since is 'When the first of them was loaded; empty: not outdated';
comment on column marts.published_version.outdated_by is 'Feeds that were restated; empty: not outdated';
comment on column marts.published_version.outdated_days is 'Days that say something else now';
comment on column marts.published_version.outdated_batch_ids is 'Batches that say so; details in marts.restatement';
