-- Corrections: what a run changed in measured or stated values, with what was there before.
create table score.correction (
    run_id text not null references score.run on delete cascade,
    correction_id text not null,
    unit_id text not null,
    target_kind text not null check (target_kind in ('metric', 'indicator')),
    target text not null,
    feed text not null default '',
    basis text not null default '',
    position integer not null default 1 check (position > 0),
    action text not null check (action in ('drop', 'override', 'scale', 'flag')),
    status text not null check (status in ('pending', 'applied', 'flagged', 'expired', 'not_applicable')),
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
    detail text not null default '',
    primary key (run_id, correction_id, unit_id, target, feed, basis)
);
comment on table score.correction is 'One row is one correction of one value in one run, applied or not';
comment on column score.correction.run_id is 'The run';
comment on column score.correction.correction_id is 'Its id in include/corrections';
comment on column score.correction.unit_id is 'The unit whose value it corrects';
comment on column score.correction.target_kind is 'metric or indicator';
comment on column score.correction.target is 'The metric, or code of the indicator';
comment on column score.correction.feed is 'Feed of the metric; empty: an indicator';
comment on column score.correction.basis is 'Basis of the metric; empty: an indicator';
comment on column score.correction.position is 'Order in which the corrections of one value were taken, from 1';
comment on column score.correction.action is 'drop, override, scale or flag';
comment on column score.correction.status is
'applied, flagged (shown, nothing changed), expired (the source no longer holds what the guard says: not applied),
not_applicable (no such value in this run, or not known yet: see detail); pending only while the run is computed';
comment on column score.correction.given_value is 'override: the new value; scale: the factor; else empty';
comment on column score.correction.original_value is 'Value over the run''s period before it; empty: none';
comment on column score.correction.corrected_value is 'Value after it; empty: none';
comment on column score.correction.guard_value is
'What the source held when the correction was written; empty: nothing, or, of a flag, no guard';
comment on column score.correction.guard_first_day is
'First day over which that is compared; empty: the value itself is, of an indicator or a stated figure';
comment on column score.correction.guard_last_day is 'Last day over which that is compared';
comment on column score.correction.held_value is 'What the source holds now; empty: nothing, or not looked at';
comment on column score.correction.first_day is 'First day that it corrects';
comment on column score.correction.last_day is 'Last day that it corrects';
comment on column score.correction.reason is 'Why';
comment on column score.correction.document is 'The document that orders or proves it';
comment on column score.correction.detail is 'What was done or why not, in words';

alter table score.indicator_score
add column original_value numeric,
add column correction_id text;
comment on column score.indicator_score.original_value is 'Value before its correction; empty: not corrected, or none';
comment on column score.indicator_score.correction_id is 'The correction that changed it; empty: not corrected';
