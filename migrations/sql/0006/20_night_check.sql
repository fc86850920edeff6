-- What the rules beyond one batch found, night by night, and the view they see all feeds through.
create table ops.night_check (
    night date not null,
    rule text not null,
    position integer not null,
    topic text not null,
    feed text,
    source_id text,
    unit_id text,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    status text not null check (status in ('passed', 'failed', 'not_judged')),
    checked_count bigint not null check (checked_count >= 0),
    failed_count bigint not null check (failed_count >= 0),
    detail text not null,
    reason text not null,
    reason_vi text not null,
    run_id text,
    checked_at timestamptz not null default now(),
    primary key (night, rule, position),
    check ((status = 'failed') = (failed_count > 0))
);
create index night_check_source on ops.night_check (source_id, night) where status = 'failed';
comment on table ops.night_check is
'One row is how one thing (a source, a unit, the whole) fared under one rule in one night; kept for good';
comment on column ops.night_check.night is 'The night; a check of it that is repeated replaces its rows';
comment on column ops.night_check.rule is 'Id of the rule, in expectations/warehouse';
comment on column ops.night_check.position is 'Place among the results of the rule';
comment on column ops.night_check.topic is 'The file of the rule: completeness, volume …';
comment on column ops.night_check.feed is 'The feed it is about; empty: none alone';
comment on column ops.night_check.source_id is 'The source it is about; empty: none alone';
comment on column ops.night_check.unit_id is 'The unit it is about; empty: none alone';
comment on column ops.night_check.severity is
'critical: look before the index of the night is trusted; warning: look in working hours; info: recorded';
comment on column ops.night_check.status is
'passed, failed, or not_judged: too little is known to say, such as too short a history';
comment on column ops.night_check.checked_count is
'How many things were looked at: records, days, figures; of a history, how many comparable values it has';
comment on column ops.night_check.failed_count is 'How many of them failed';
comment on column ops.night_check.detail is 'What was seen';
comment on column ops.night_check.reason is 'What is wrong where the rule fails, as the rule said then';
comment on column ops.night_check.reason_vi is 'The same in Vietnamese';
comment on column ops.night_check.run_id is 'The index run of the night; empty: there was none';
comment on column ops.night_check.checked_at is 'When it was judged';

-- Only what every feed has in common; rules that need more read the facts themselves.
create view ops.reported as
select
    'community_teams' as feed,
    f.partition_key,
    f.day,
    f.unit_id,
    f.source_id,
    count(*) as facts_count
from facts.community_teams as f
group by f.partition_key, f.day, f.unit_id, f.source_id
union all
select
    'data_centre' as feed,
    f.partition_key,
    f.day,
    f.unit_id,
    f.source_id,
    count(*) as facts_count
from facts.data_centre as f
group by f.partition_key, f.day, f.unit_id, f.source_id
union all
select
    'declarations' as feed,
    f.partition_key,
    f.day,
    f.unit_id,
    f.source_id,
    count(*) as facts_count
from facts.declarations as f
group by f.partition_key, f.day, f.unit_id, f.source_id
union all
select
    'online_services' as feed,
    f.partition_key,
    f.day,
    f.unit_id,
    f.source_id,
    count(*) as facts_count
from facts.online_services as f
group by f.partition_key, f.day, f.unit_id, f.source_id
union all
select
    'platform_inventory' as feed,
    f.partition_key,
    f.day,
    f.unit_id,
    f.source_id,
    count(*) as facts_count
from facts.platform_inventory as f
group by f.partition_key, f.day, f.unit_id, f.source_id
union all
select
    'service_catalogue' as feed,
    f.partition_key,
    f.day,
    f.unit_id,
    f.source_id,
    count(*) as facts_count
from facts.service_catalogue as f
group by f.partition_key, f.day, f.unit_id, f.source_id
union all
select
    'staffing' as feed,
    f.partition_key,
    f.day,
    f.unit_id,
    f.source_id,
    count(*) as facts_count
from facts.staffing as f
group by f.partition_key, f.day, f.unit_id, f.source_id;
comment on view ops.reported is
'One row is one day of one unit that one source of one feed gave facts for, per partition';
comment on column ops.reported.feed is 'The feed';
comment on column ops.reported.partition_key is 'Partition of the lake rows behind the facts';
comment on column ops.reported.day is 'The day';
comment on column ops.reported.unit_id is 'The unit';
comment on column ops.reported.source_id is 'The source';
comment on column ops.reported.facts_count is 'Rows of the feed''s facts';
