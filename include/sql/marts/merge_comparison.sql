-- Grain: one row is one measure of one merged unit, for each pair of an averaged and a recomputed run of the same kind,
-- day, year, units and version of the framework.
create view marts.merge_comparison as
with indexed as not materialized (
    select
        p.run_id,
        p.unit_id,
        p.pillar_code as measure,
        p.index_value,
        p.index_unrounded,
        p.coverage,
        p.rank_national
    from score.pillar_index as p
    union all
    select
        c.run_id,
        c.unit_id,
        c.composite_code,
        c.index_value,
        c.index_unrounded,
        c.coverage,
        c.rank_national
    from score.composite_index as c
),

merged as not materialized (
    select
        i.*,
        r.kind,
        r.as_of_date,
        r.year,
        r.framework_id,
        r.framework_hash,
        r.geography,
        r.merge_method,
        r.synthetic
    from indexed as i
    inner join score.run as r on i.run_id = r.run_id and r.status = 'complete'
)

select
    a.kind,
    a.as_of_date,
    a.year,
    a.framework_id,
    a.geography,
    a.unit_id,
    u.name_vi as unit_name,
    a.measure,
    a.index_value as average_value,
    b.index_value as recomputed_value,
    b.index_value - a.index_value as difference,
    a.rank_national as average_rank,
    b.rank_national as recomputed_rank,
    trim_scale(round(a.coverage, 12)) as average_coverage,
    trim_scale(round(b.coverage, 12)) as recomputed_coverage,
    a.synthetic or b.synthetic as synthetic,
    a.run_id as average_run_id,
    b.run_id as recomputed_run_id
from merged as a
inner join merged as b
    on
        a.kind = b.kind
        and a.as_of_date = b.as_of_date
        and a.year = b.year
        and a.framework_id = b.framework_id
        and a.framework_hash = b.framework_hash
        and a.geography = b.geography
        and a.unit_id = b.unit_id
        and a.measure = b.measure
inner join ref.unit as u on a.unit_id = u.unit_id
where a.merge_method = 'average' and b.merge_method = 'recomputed';

comment on view marts.merge_comparison is
'One row is one measure of one merged unit, averaged over its former provinces and recomputed from their counts';
comment on column marts.merge_comparison.kind is 'Kind of both runs';
comment on column marts.merge_comparison.as_of_date is 'Nothing after this day counts';
comment on column marts.merge_comparison.year is 'Reporting year';
comment on column marts.merge_comparison.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.merge_comparison.geography is 'Geography of the merged units';
comment on column marts.merge_comparison.unit_id is 'The merged unit, such as P34-66';
comment on column marts.merge_comparison.unit_name is 'Vietnamese name of the unit';
comment on column marts.merge_comparison.measure is 'PDTI, a pillar or another composite';
comment on column marts.merge_comparison.average_value is 'Mean of the former provinces'' main indices';
comment on column marts.merge_comparison.recomputed_value is 'Index of the metrics merged before scoring';
comment on column marts.merge_comparison.difference is 'recomputed_value - average_value';
comment on column marts.merge_comparison.average_rank is 'National rank by the average';
comment on column marts.merge_comparison.recomputed_rank is 'National rank by the recomputed index';
comment on column marts.merge_comparison.average_coverage is 'Mean of the former provinces'' coverage, 0 to 1';
comment on column marts.merge_comparison.recomputed_coverage is
'Share of the points known, each by the share of former provinces that are known';
comment on column marts.merge_comparison.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.merge_comparison.average_run_id is 'The averaged run';
comment on column marts.merge_comparison.recomputed_run_id is 'The recomputed run';
