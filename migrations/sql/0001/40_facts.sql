-- Daily facts, one table a feed. A load deletes partitions and copies them anew, so a row carries its partition_key.
-- The primary key is the grain, partition first; the second index serves one unit over time.

create table facts.online_services (
    partition_key text not null check (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date not null,
    unit_id text not null,
    source_id text not null,
    procedure_code text not null,
    dossiers_received bigint not null,
    dossiers_online bigint not null,
    dossiers_with_fee bigint not null,
    dossiers_paid_online bigint not null,
    dossiers_digitised bigint not null,
    dossiers_reusing_data bigint not null,
    dossiers_population_data bigint not null,
    dossiers_synchronised bigint not null,
    dossiers_finished bigint not null,
    dossiers_on_time bigint not null,
    dossiers_early bigint not null,
    dossiers_electronic_result bigint not null,
    dossiers_satisfied bigint not null,
    primary key (partition_key, day, unit_id, source_id, procedure_code)
);
create index online_services_unit_day on facts.online_services (unit_id, day);
comment on table facts.online_services is
'One row is the dossiers of one procedure, unit and source that count on one day';
comment on column facts.online_services.partition_key is
'Partition of the lake rows behind this row; a load replaces whole partitions';
comment on column facts.online_services.day is
'Day in Việt Nam: of receipt for counts of received, of finish for counts of finished dossiers';
comment on column facts.online_services.unit_id is
'The unit, on the geography valid on the day that decides the records partition';
comment on column facts.online_services.source_id is 'The source that delivered it';
comment on column facts.online_services.procedure_code is 'Administrative procedure (MaTTHC)';
comment on column facts.online_services.dossiers_received is 'Dossiers received on the day';
comment on column facts.online_services.dossiers_online is 'Received ones filed online (channel 2)';
comment on column facts.online_services.dossiers_with_fee is 'Received ones that carry a fee';
comment on column facts.online_services.dossiers_paid_online is 'Received ones whose fee was paid online';
comment on column facts.online_services.dossiers_digitised is 'Received ones with digitised components';
comment on column facts.online_services.dossiers_reusing_data is 'Received ones that reuse digitised data';
comment on column facts.online_services.dossiers_population_data is
'Received ones that use the national population data';
comment on column facts.online_services.dossiers_synchronised is
'Received ones that are on the National Public Service Portal';
comment on column facts.online_services.dossiers_finished is 'Dossiers finished on the day (status 9 or 10)';
comment on column facts.online_services.dossiers_on_time is 'Finished ones that were on time or early';
comment on column facts.online_services.dossiers_early is 'Finished ones that were done before the day they were due';
comment on column facts.online_services.dossiers_electronic_result is 'Finished ones with an electronic result';
comment on column facts.online_services.dossiers_satisfied is 'Finished ones whose applicant was satisfied';

create table facts.service_catalogue (
    partition_key text not null check (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date not null,
    unit_id text not null,
    source_id text not null,
    services_total bigint not null,
    services_online bigint not null,
    services_full_online bigint not null,
    services_eligible_full_online bigint not null,
    primary key (partition_key, day, unit_id, source_id)
);
create index service_catalogue_unit_day on facts.service_catalogue (unit_id, day);
comment on table facts.service_catalogue is
'One row is the catalogue of procedures of one unit and source as it stood on one day';
comment on column facts.service_catalogue.partition_key is
'Partition of the lake rows behind this row; a load replaces whole partitions';
comment on column facts.service_catalogue.day is 'Day of the snapshot';
comment on column facts.service_catalogue.unit_id is
'The unit, on the geography valid on the day that decides the records partition';
comment on column facts.service_catalogue.source_id is 'The source that delivered it';
comment on column facts.service_catalogue.services_total is 'Administrative procedures in force';
comment on column facts.service_catalogue.services_online is 'Of these, offered online, partly or fully (level 3 or 4)';
comment on column facts.service_catalogue.services_full_online is 'Of these, offered fully online (level 4)';
comment on column facts.service_catalogue.services_eligible_full_online is 'Of these, that may be offered fully online';

create table facts.data_centre (
    partition_key text not null check (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date not null,
    unit_id text not null,
    source_id text not null,
    data_centre_id text not null,
    data_centre_up_seconds numeric,
    data_centre_expected_seconds numeric,
    cpu_utilisation_avg_pct double precision,
    memory_utilisation_avg_pct double precision,
    storage_utilisation_avg_pct double precision,
    servers_total bigint,
    servers_with_antimalware bigint,
    primary key (partition_key, day, unit_id, source_id, data_centre_id)
);
create index data_centre_unit_day on facts.data_centre (unit_id, day);
comment on table facts.data_centre is 'One row is one data centre of one unit and source on one day';
comment on column facts.data_centre.partition_key is
'Partition of the lake rows behind this row; a load replaces whole partitions';
comment on column facts.data_centre.day is 'Day in Việt Nam of the samples';
comment on column facts.data_centre.unit_id is
'The unit, on the geography valid on the day that decides the records partition';
comment on column facts.data_centre.source_id is 'The source that delivered it';
comment on column facts.data_centre.data_centre_id is 'The data centre';
comment on column facts.data_centre.data_centre_up_seconds is 'Seconds sampled as up';
comment on column facts.data_centre.data_centre_expected_seconds is
'Seconds it should have been up: the whole day once it was sampled at all, so that silence is not shown as up';
comment on column facts.data_centre.cpu_utilisation_avg_pct is 'Mean processor utilisation, percent';
comment on column facts.data_centre.memory_utilisation_avg_pct is 'Mean memory utilisation, percent';
comment on column facts.data_centre.storage_utilisation_avg_pct is 'Mean storage utilisation, percent';
comment on column facts.data_centre.servers_total is 'Servers, by the last sample of the day; empty: not sampled';
comment on column facts.data_centre.servers_with_antimalware is
'Servers with anti-malware, by the last sample of the day; empty: not sampled';

create table facts.staffing (
    partition_key text not null check (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date not null,
    unit_id text not null,
    source_id text not null,
    agency_code text not null,
    staff_total bigint not null,
    staff_digital_transformation bigint not null,
    staff_information_technology bigint not null,
    staff_information_security bigint not null,
    staff_trained_dx bigint not null,
    staff_trained_digital_skills bigint not null,
    staff_trained_data bigint not null,
    agencies_with_focal_staff bigint not null,
    primary key (partition_key, day, unit_id, source_id, agency_code)
);
create index staffing_unit_day on facts.staffing (unit_id, day);
comment on table facts.staffing is 'One row is the staff of one agency as it reported on one day; counts only';
comment on column facts.staffing.partition_key is
'Partition of the lake rows behind this row; a load replaces whole partitions';
comment on column facts.staffing.day is 'Day the counts stand for';
comment on column facts.staffing.unit_id is
'The unit, on the geography valid on the day that decides the records partition';
comment on column facts.staffing.source_id is 'The source that delivered it';
comment on column facts.staffing.agency_code is 'The agency';
comment on column facts.staffing.staff_total is 'Civil servants and public employees';
comment on column facts.staffing.staff_digital_transformation is 'Assigned to digital transformation';
comment on column facts.staffing.staff_information_technology is 'Assigned to information technology';
comment on column facts.staffing.staff_information_security is 'Assigned to information security';
comment on column facts.staffing.staff_trained_dx is 'Trained in digital transformation';
comment on column facts.staffing.staff_trained_digital_skills is 'Trained in digital skills';
comment on column facts.staffing.staff_trained_data is 'Trained in data use';
comment on column facts.staffing.agencies_with_focal_staff is
'1 when the agency has a focal point for digital transformation and security, else 0';

create table facts.community_teams (
    partition_key text not null check (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date not null,
    unit_id text not null,
    source_id text not null,
    commune_code text not null,
    communes_with_team bigint not null,
    villages_total bigint not null,
    villages_with_team bigint not null,
    team_members_total bigint not null,
    team_members_trained bigint not null,
    population bigint not null,
    primary key (partition_key, day, unit_id, source_id, commune_code)
);
create index community_teams_unit_day on facts.community_teams (unit_id, day);
comment on table facts.community_teams is 'One row is one commune as counted on one day; counts only';
comment on column facts.community_teams.partition_key is
'Partition of the lake rows behind this row; a load replaces whole partitions';
comment on column facts.community_teams.day is 'Day the counts stand for';
comment on column facts.community_teams.unit_id is
'The unit, on the geography valid on the day that decides the records partition';
comment on column facts.community_teams.source_id is 'The source that delivered it';
comment on column facts.community_teams.commune_code is 'The commune';
comment on column facts.community_teams.communes_with_team is
'1 when the commune has a community digital technology team, else 0';
comment on column facts.community_teams.villages_total is 'Villages and residential groups';
comment on column facts.community_teams.villages_with_team is 'Of these, with a team';
comment on column facts.community_teams.team_members_total is 'Members of all teams';
comment on column facts.community_teams.team_members_trained is 'Members trained in the year';
comment on column facts.community_teams.population is 'Inhabitants';

create table facts.platform_inventory (
    partition_key text not null check (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date not null,
    unit_id text not null,
    source_id text not null,
    systems_total bigint,
    systems_level_determined bigint,
    systems_level_approved bigint,
    systems_fully_protected bigint,
    systems_monitored bigint,
    systems_assessed bigint,
    shared_systems_total bigint,
    shared_systems_on_cloud bigint,
    shared_platforms_required bigint,
    shared_platforms_with_ai bigint,
    workstations_total bigint,
    workstations_with_antimalware bigint,
    agencies_total bigint,
    agencies_on_dedicated_network bigint,
    national_databases_available bigint,
    national_databases_connected bigint,
    government_cloud_connected bigint,
    primary key (partition_key, day, unit_id, source_id)
);
create index platform_inventory_unit_day on facts.platform_inventory (unit_id, day);
comment on table facts.platform_inventory is
'One row is the inventory of systems and platforms of one unit and source as it stood on one day';
comment on column facts.platform_inventory.partition_key is
'Partition of the lake rows behind this row; a load replaces whole partitions';
comment on column facts.platform_inventory.day is 'Day of the snapshot';
comment on column facts.platform_inventory.unit_id is
'The unit, on the geography valid on the day that decides the records partition';
comment on column facts.platform_inventory.source_id is 'The source that delivered it';
comment on column facts.platform_inventory.systems_total is 'Information systems';
comment on column facts.platform_inventory.systems_level_determined is 'Of these, with a determined security level';
comment on column facts.platform_inventory.systems_level_approved is 'Of these, with an approved security level';
comment on column facts.platform_inventory.systems_fully_protected is 'Of these, fully protected at their level';
comment on column facts.platform_inventory.systems_monitored is 'Of these, under security monitoring';
comment on column facts.platform_inventory.systems_assessed is
'Of these, assessed in the snapshots year and not after it';
comment on column facts.platform_inventory.shared_systems_total is
'Information systems shared by the agencies of the province';
comment on column facts.platform_inventory.shared_systems_on_cloud is 'Of these, on the data centres cloud';
comment on column facts.platform_inventory.shared_platforms_required is 'Shared digital platforms';
comment on column facts.platform_inventory.shared_platforms_with_ai is 'Of these, with artificial intelligence';
comment on column facts.platform_inventory.workstations_total is 'Workstations';
comment on column facts.platform_inventory.workstations_with_antimalware is 'Of these, with anti-malware';
comment on column facts.platform_inventory.agencies_total is 'State agencies';
comment on column facts.platform_inventory.agencies_on_dedicated_network is 'Of these, on the dedicated data network';
comment on column facts.platform_inventory.national_databases_available is 'National databases that can be connected';
comment on column facts.platform_inventory.national_databases_connected is 'Of these, connected through LGSP/NDXP';
comment on column facts.platform_inventory.government_cloud_connected is
'1 connected to the Government Cloud, 0 not; empty: the inventory has no such item';

create table facts.declarations (
    partition_key text not null check (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date not null,
    unit_id text not null,
    source_id text not null,
    period_year integer not null,
    metric text not null,
    basis text not null,
    value numeric not null,
    evidence_ref text,
    primary key (partition_key, day, unit_id, source_id, period_year, metric, basis)
);
create index declarations_unit_day on facts.declarations (unit_id, day);
comment on table facts.declarations is 'One row is one figure for one year on one basis as a unit stated it on one day';
comment on column facts.declarations.partition_key is
'Partition of the lake rows behind this row; a load replaces whole partitions';
comment on column facts.declarations.day is 'Day the figure was stated';
comment on column facts.declarations.unit_id is
'The unit, on the geography valid on the day that decides the records partition';
comment on column facts.declarations.source_id is 'The source that delivered it';
comment on column facts.declarations.period_year is 'Reporting year';
comment on column facts.declarations.metric is 'The metric';
comment on column facts.declarations.basis is 'declared (tự đánh giá) or appraised (thẩm định)';
comment on column facts.declarations.value is 'The figure, in the metrics own unit';
comment on column facts.declarations.evidence_ref is 'Number, date and title of the evidence';
