-- What an index of the quality of services counts. Facts of before hold none of it: they are rolled up anew from the
-- lake, for which the feed's lake version is forgotten, so that the next load takes every partition.
alter table facts.online_services
add column dossiers_direct bigint not null default 0,
add column dossiers_by_post bigint not null default 0,
add column dossiers_fee_zero bigint not null default 0,
add column dossiers_payment_online bigint not null default 0,
add column dossiers_payment_on_portal bigint not null default 0,
add column dossiers_online_with_result bigint not null default 0,
add column dossiers_from_citizens bigint not null default 0,
add column dossiers_citizens_population_data bigint not null default 0,
add column dossiers_punctual bigint not null default 0,
add column dossiers_unpunctual bigint not null default 0,
add column dossiers_disliked bigint not null default 0,
add column dossiers_digitised_with_result bigint not null default 0;
delete from ops.lake_state
where feed = 'online_services';
comment on column facts.online_services.dossiers_direct is
'Received ones filed directly: channel 1, or no channel named';
comment on column facts.online_services.dossiers_by_post is 'Received ones filed by public post (channel 3)';
comment on column facts.online_services.dossiers_fee_zero is 'Received ones whose fee is known to be 0';
comment on column facts.online_services.dossiers_payment_online is
'Received ones paid online, on the national portal or the agency gateway, whose fee is not 0 (it may be unknown)';
comment on column facts.online_services.dossiers_payment_on_portal is
'Those of them that were paid on the national portal';
comment on column facts.online_services.dossiers_online_with_result is
'Received ones filed online that have an electronic result by now';
comment on column facts.online_services.dossiers_from_citizens is
'Received ones of citizens, not of enterprises or agencies';
comment on column facts.online_services.dossiers_citizens_population_data is
'Those of them that use the national population data';
comment on column facts.online_services.dossiers_punctual is
'Finished ones that were on time and were sent back for supplements once at most';
comment on column facts.online_services.dossiers_unpunctual is
'Finished ones that were late, or were sent back for supplements more than once';
comment on column facts.online_services.dossiers_disliked is 'Finished ones whose applicant was not satisfied';
comment on column facts.online_services.dossiers_digitised_with_result is
'Finished ones with digitised components and an electronic result';
