-- Grain: one row is one complete index run.
create view marts.run as
select
    r.run_id,
    r.kind,
    r.as_of_date,
    r.year,
    r.framework_id,
    r.framework_hash,
    r.geography,
    r.merge_method,
    r.parts_run_id,
    r.framework_in_force,
    r.synthetic,
    r.period_from,
    r.period_to,
    r.started_at,
    r.finished_at,
    (
        select count(distinct c.unit_id)
        from score.composite_index as c
        where c.run_id = r.run_id
    ) as units_count
from score.run as r
where r.status = 'complete';

comment on view marts.run is 'One row is one complete index run: a framework applied to a period of a geography';
comment on column marts.run.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.run.kind is 'night: the scheduled run; any other: on request';
comment on column marts.run.as_of_date is 'Nothing after this day counts';
comment on column marts.run.year is 'Reporting year';
comment on column marts.run.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.run.framework_hash is 'Its version: sha256 over its content';
comment on column marts.run.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.run.merge_method is
'none: the units'' own data; average: mean of the former provinces'' points; recomputed: from their merged metrics';
comment on column marts.run.parts_run_id is 'For average: the run of the former provinces that was averaged';
comment on column marts.run.framework_in_force is 'False: the decision does not cover this year; an estimate';
comment on column marts.run.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.run.period_from is 'First day that counts';
comment on column marts.run.period_to is 'Last day that counts';
comment on column marts.run.started_at is 'Start of the computation';
comment on column marts.run.finished_at is 'End of the computation';
comment on column marts.run.units_count is 'Units the run covers';
