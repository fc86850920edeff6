-- Points that a person states, the decision's own words beside our rule, and several indices for one kind of unit.
alter table method.framework
alter column decided_on drop not null,
add column family text not null default 'dti';
alter table method.framework alter column family drop default;
comment on column method.framework.decided_on is 'Day of the decision; empty: not known';
comment on column method.framework.family is 'What it measures: dti, service_quality';
comment on column method.framework.unit_level is 'Level of the units it scores: province, commune';

alter table method.indicator
drop constraint indicator_rule_check,
add constraint indicator_rule_check
check (rule in ('yes_no', 'ratio', 'target_ratio', 'target_count', 'steps', 'manual')),
add column official_scoring text not null default '',
add column official_evidence text not null default '',
add column official_source text not null default '',
add column official_verifier text not null default '',
add column attention text not null default '';
comment on column method.indicator.rule is
'yes_no, ratio, target_ratio, target_count, steps, or manual: the points themselves are stated';
comment on column method.indicator.official_scoring is
'Cách xác định và tính điểm, in the words of the source; empty: not known';
comment on column method.indicator.official_evidence is 'Tài liệu kiểm chứng, in the words of the source';
comment on column method.indicator.official_source is 'Nguồn thu thập dữ liệu, in the words of the source';
comment on column method.indicator.official_verifier is 'Đơn vị phối hợp xác minh, in the words of the source';
comment on column method.indicator.attention is 'What a person should know or check before relying on the rule';
