-- Grain: one row is one request to recompute a year, with what was decided on it.
create view marts.annual_request as
select
    q.request_id,
    q.year,
    q.status,
    q.status_at,
    q.status_reason,
    q.reason,
    q.requester,
    q.door,
    q.requested_at,
    q.framework_id,
    q.framework_hash,
    q.family,
    q.geography,
    q.merge_method,
    q.as_of_asked,
    q.as_of_run_id,
    q.as_of_date,
    q.data_cut_off,
    q.corrections_hash,
    q.reference_hash,
    q.accepted_checks,
    q.run_id,
    q.compared_with ->> 'publication_id' as compared_publication_id,
    q.compared_with ->> 'night_run_id' as compared_night_run_id,
    d.decision,
    d.decided_by,
    d.decided_at,
    d.note as decision_note,
    q.publication_id
from annual.request as q
left join annual.decision as d on q.request_id = d.request_id;

comment on view marts.annual_request is
'One row is one request to recompute a year: who asked for what and why, how far it is, and what was decided';
comment on column marts.annual_request.request_id is 'Year and a number: 2025-r1';
comment on column marts.annual_request.year is 'Reporting year';
comment on column marts.annual_request.status is
'requested, candidate (computed), waiting (for approval), approved; or ended: published, rejected, withdrawn, failed';
comment on column marts.annual_request.status_at is 'Since when';
comment on column marts.annual_request.status_reason is
'Why it ended so, in words; empty: it goes on, or was published';
comment on column marts.annual_request.reason is 'Why the year is recomputed';
comment on column marts.annual_request.requester is 'Who asked';
comment on column marts.annual_request.door is 'form, api, command or calendar';
comment on column marts.annual_request.requested_at is 'When';
comment on column marts.annual_request.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.annual_request.framework_hash is 'Its version that stood at the cut-off';
comment on column marts.annual_request.family is 'What it measures: dti, service_quality';
comment on column marts.annual_request.geography is 'Units: 63 (until 30 June 2025) or 34 provinces, or communes';
comment on column marts.annual_request.merge_method is
'none: the units'' own data; average: mean of the former provinces'' points; recomputed: from their merged metrics';
comment on column marts.annual_request.as_of_asked is 'The as-of as it was asked; empty: now';
comment on column marts.annual_request.as_of_run_id is 'The run whose knowledge is meant, where a night was asked for';
comment on column marts.annual_request.as_of_date is 'Nothing that happened or was stated after this day counts';
comment on column marts.annual_request.data_cut_off is 'What became known after this moment does not count';
comment on column marts.annual_request.corrections_hash is 'Version of the corrections that stood then; empty: none';
comment on column marts.annual_request.reference_hash is 'Version of the reference data that stood then';
comment on column marts.annual_request.accepted_checks is 'Checks that may fail: the requester answers for them';
comment on column marts.annual_request.run_id is 'The candidate run, in marts.run; empty: not computed';
comment on column marts.annual_request.compared_publication_id is
'Publication that the report compares with; empty: none, or not reviewed yet';
comment on column marts.annual_request.compared_night_run_id is
'Night that the report compares with; empty: none, or not reviewed yet';
comment on column marts.annual_request.decision is 'approved or rejected; empty: nobody decided';
comment on column marts.annual_request.decided_by is 'Who decided';
comment on column marts.annual_request.decided_at is 'When';
comment on column marts.annual_request.decision_note is 'What they said';
comment on column marts.annual_request.publication_id is 'What was published; empty: nothing';
