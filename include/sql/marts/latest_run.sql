-- Grain: the one newest complete nightly run: the newest night, not the newest computation.
create view marts.latest_run as
select
    run_id,
    kind,
    as_of_date,
    year,
    framework_id,
    framework_hash,
    geography,
    merge_method,
    parts_run_id,
    framework_in_force,
    synthetic,
    period_from,
    period_to,
    started_at,
    finished_at,
    units_count
from marts.run
where kind = 'night'
order by as_of_date desc, finished_at desc, run_id asc
limit 1;

comment on view marts.latest_run is 'One row: the run of the newest night, whenever it was computed';
comment on column marts.latest_run.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.latest_run.kind is 'night: the scheduled run; any other: on request';
comment on column marts.latest_run.as_of_date is 'Nothing after this day counts';
comment on column marts.latest_run.year is 'Reporting year';
comment on column marts.latest_run.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.latest_run.framework_hash is 'Its version: sha256 over its content';
comment on column marts.latest_run.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.latest_run.merge_method is
'none: the units'' own data; average: mean of the former provinces'' points; recomputed: from their merged metrics';
comment on column marts.latest_run.parts_run_id is 'For average: the run of the former provinces that was averaged';
comment on column marts.latest_run.framework_in_force is 'False: the decision does not cover this year; an estimate';
comment on column marts.latest_run.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.latest_run.period_from is 'First day that counts';
comment on column marts.latest_run.period_to is 'Last day that counts';
comment on column marts.latest_run.started_at is 'Start of the computation';
comment on column marts.latest_run.finished_at is 'End of the computation';
comment on column marts.latest_run.units_count is 'Units the run covers';
