-- Daily facts, one table a feed. A load deletes partitions and copies them anew, so a row carries its partition_key.
-- The primary key is the grain, partition first; the second index serves one unit over time.

CREATE TABLE facts.online_services (
    partition_key text NOT NULL CHECK (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date NOT NULL,
    unit_id text NOT NULL,
    source_id text NOT NULL,
    procedure_code text NOT NULL,
    dossiers_received bigint NOT NULL,
    dossiers_online bigint NOT NULL,
    dossiers_with_fee bigint NOT NULL,
    dossiers_paid_online bigint NOT NULL,
    dossiers_digitised bigint NOT NULL,
    dossiers_reusing_data bigint NOT NULL,
    dossiers_population_data bigint NOT NULL,
    dossiers_synchronised bigint NOT NULL,
    dossiers_finished bigint NOT NULL,
    dossiers_on_time bigint NOT NULL,
    dossiers_early bigint NOT NULL,
    dossiers_electronic_result bigint NOT NULL,
    dossiers_satisfied bigint NOT NULL,
    PRIMARY KEY (partition_key, day, unit_id, source_id, procedure_code)
);
CREATE INDEX online_services_unit_day ON facts.online_services (unit_id, day);
COMMENT ON TABLE facts.online_services IS 'One row is the dossiers of one procedure, unit and source that count on one day';
COMMENT ON COLUMN facts.online_services.partition_key IS 'Partition of the lake rows behind this row; a load replaces whole partitions';
COMMENT ON COLUMN facts.online_services.day IS 'Day in Việt Nam: of receipt for counts of received, of finish for counts of finished dossiers';
COMMENT ON COLUMN facts.online_services.unit_id IS 'The unit, on the geography valid on the day that decides the records partition';
COMMENT ON COLUMN facts.online_services.source_id IS 'The source that delivered it';
COMMENT ON COLUMN facts.online_services.procedure_code IS 'Administrative procedure (MaTTHC)';
COMMENT ON COLUMN facts.online_services.dossiers_received IS 'Dossiers received on the day';
COMMENT ON COLUMN facts.online_services.dossiers_online IS 'Received ones filed online (channel 2)';
COMMENT ON COLUMN facts.online_services.dossiers_with_fee IS 'Received ones that carry a fee';
COMMENT ON COLUMN facts.online_services.dossiers_paid_online IS 'Received ones whose fee was paid online';
COMMENT ON COLUMN facts.online_services.dossiers_digitised IS 'Received ones with digitised components';
COMMENT ON COLUMN facts.online_services.dossiers_reusing_data IS 'Received ones that reuse digitised data';
COMMENT ON COLUMN facts.online_services.dossiers_population_data IS 'Received ones that use the national population data';
COMMENT ON COLUMN facts.online_services.dossiers_synchronised IS 'Received ones that are on the National Public Service Portal';
COMMENT ON COLUMN facts.online_services.dossiers_finished IS 'Dossiers finished on the day (status 9 or 10)';
COMMENT ON COLUMN facts.online_services.dossiers_on_time IS 'Finished ones that were on time or early';
COMMENT ON COLUMN facts.online_services.dossiers_early IS 'Finished ones that were done before the day they were due';
COMMENT ON COLUMN facts.online_services.dossiers_electronic_result IS 'Finished ones with an electronic result';
COMMENT ON COLUMN facts.online_services.dossiers_satisfied IS 'Finished ones whose applicant was satisfied';

CREATE TABLE facts.service_catalogue (
    partition_key text NOT NULL CHECK (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date NOT NULL,
    unit_id text NOT NULL,
    source_id text NOT NULL,
    services_total bigint NOT NULL,
    services_online bigint NOT NULL,
    services_full_online bigint NOT NULL,
    services_eligible_full_online bigint NOT NULL,
    PRIMARY KEY (partition_key, day, unit_id, source_id)
);
CREATE INDEX service_catalogue_unit_day ON facts.service_catalogue (unit_id, day);
COMMENT ON TABLE facts.service_catalogue IS 'One row is the catalogue of procedures of one unit and source as it stood on one day';
COMMENT ON COLUMN facts.service_catalogue.partition_key IS 'Partition of the lake rows behind this row; a load replaces whole partitions';
COMMENT ON COLUMN facts.service_catalogue.day IS 'Day of the snapshot';
COMMENT ON COLUMN facts.service_catalogue.unit_id IS 'The unit, on the geography valid on the day that decides the records partition';
COMMENT ON COLUMN facts.service_catalogue.source_id IS 'The source that delivered it';
COMMENT ON COLUMN facts.service_catalogue.services_total IS 'Administrative procedures in force';
COMMENT ON COLUMN facts.service_catalogue.services_online IS 'Of these, offered online, partly or fully (level 3 or 4)';
COMMENT ON COLUMN facts.service_catalogue.services_full_online IS 'Of these, offered fully online (level 4)';
COMMENT ON COLUMN facts.service_catalogue.services_eligible_full_online IS 'Of these, that may be offered fully online';

CREATE TABLE facts.data_centre (
    partition_key text NOT NULL CHECK (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date NOT NULL,
    unit_id text NOT NULL,
    source_id text NOT NULL,
    data_centre_id text NOT NULL,
    data_centre_up_seconds numeric,
    data_centre_expected_seconds numeric,
    cpu_utilisation_avg_pct double precision,
    memory_utilisation_avg_pct double precision,
    storage_utilisation_avg_pct double precision,
    servers_total bigint,
    servers_with_antimalware bigint,
    PRIMARY KEY (partition_key, day, unit_id, source_id, data_centre_id)
);
CREATE INDEX data_centre_unit_day ON facts.data_centre (unit_id, day);
COMMENT ON TABLE facts.data_centre IS 'One row is one data centre of one unit and source on one day';
COMMENT ON COLUMN facts.data_centre.partition_key IS 'Partition of the lake rows behind this row; a load replaces whole partitions';
COMMENT ON COLUMN facts.data_centre.day IS 'Day in Việt Nam of the samples';
COMMENT ON COLUMN facts.data_centre.unit_id IS 'The unit, on the geography valid on the day that decides the records partition';
COMMENT ON COLUMN facts.data_centre.source_id IS 'The source that delivered it';
COMMENT ON COLUMN facts.data_centre.data_centre_id IS 'The data centre';
COMMENT ON COLUMN facts.data_centre.data_centre_up_seconds IS 'Seconds sampled as up';
COMMENT ON COLUMN facts.data_centre.data_centre_expected_seconds IS 'Seconds it should have been up: the whole day once it was sampled at all, so that silence is not shown as up';
COMMENT ON COLUMN facts.data_centre.cpu_utilisation_avg_pct IS 'Mean processor utilisation, percent';
COMMENT ON COLUMN facts.data_centre.memory_utilisation_avg_pct IS 'Mean memory utilisation, percent';
COMMENT ON COLUMN facts.data_centre.storage_utilisation_avg_pct IS 'Mean storage utilisation, percent';
COMMENT ON COLUMN facts.data_centre.servers_total IS 'Servers, by the last sample of the day; empty: not sampled';
COMMENT ON COLUMN facts.data_centre.servers_with_antimalware IS 'Servers with anti-malware, by the last sample of the day; empty: not sampled';

CREATE TABLE facts.staffing (
    partition_key text NOT NULL CHECK (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date NOT NULL,
    unit_id text NOT NULL,
    source_id text NOT NULL,
    agency_code text NOT NULL,
    staff_total bigint NOT NULL,
    staff_digital_transformation bigint NOT NULL,
    staff_information_technology bigint NOT NULL,
    staff_information_security bigint NOT NULL,
    staff_trained_dx bigint NOT NULL,
    staff_trained_digital_skills bigint NOT NULL,
    staff_trained_data bigint NOT NULL,
    agencies_with_focal_staff bigint NOT NULL,
    PRIMARY KEY (partition_key, day, unit_id, source_id, agency_code)
);
CREATE INDEX staffing_unit_day ON facts.staffing (unit_id, day);
COMMENT ON TABLE facts.staffing IS 'One row is the staff of one agency as it reported on one day; counts only';
COMMENT ON COLUMN facts.staffing.partition_key IS 'Partition of the lake rows behind this row; a load replaces whole partitions';
COMMENT ON COLUMN facts.staffing.day IS 'Day the counts stand for';
COMMENT ON COLUMN facts.staffing.unit_id IS 'The unit, on the geography valid on the day that decides the records partition';
COMMENT ON COLUMN facts.staffing.source_id IS 'The source that delivered it';
COMMENT ON COLUMN facts.staffing.agency_code IS 'The agency';
COMMENT ON COLUMN facts.staffing.staff_total IS 'Civil servants and public employees';
COMMENT ON COLUMN facts.staffing.staff_digital_transformation IS 'Assigned to digital transformation';
COMMENT ON COLUMN facts.staffing.staff_information_technology IS 'Assigned to information technology';
COMMENT ON COLUMN facts.staffing.staff_information_security IS 'Assigned to information security';
COMMENT ON COLUMN facts.staffing.staff_trained_dx IS 'Trained in digital transformation';
COMMENT ON COLUMN facts.staffing.staff_trained_digital_skills IS 'Trained in digital skills';
COMMENT ON COLUMN facts.staffing.staff_trained_data IS 'Trained in data use';
COMMENT ON COLUMN facts.staffing.agencies_with_focal_staff IS '1 when the agency has a focal point for digital transformation and security, else 0';

CREATE TABLE facts.community_teams (
    partition_key text NOT NULL CHECK (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date NOT NULL,
    unit_id text NOT NULL,
    source_id text NOT NULL,
    commune_code text NOT NULL,
    communes_with_team bigint NOT NULL,
    villages_total bigint NOT NULL,
    villages_with_team bigint NOT NULL,
    team_members_total bigint NOT NULL,
    team_members_trained bigint NOT NULL,
    population bigint NOT NULL,
    PRIMARY KEY (partition_key, day, unit_id, source_id, commune_code)
);
CREATE INDEX community_teams_unit_day ON facts.community_teams (unit_id, day);
COMMENT ON TABLE facts.community_teams IS 'One row is one commune as counted on one day; counts only';
COMMENT ON COLUMN facts.community_teams.partition_key IS 'Partition of the lake rows behind this row; a load replaces whole partitions';
COMMENT ON COLUMN facts.community_teams.day IS 'Day the counts stand for';
COMMENT ON COLUMN facts.community_teams.unit_id IS 'The unit, on the geography valid on the day that decides the records partition';
COMMENT ON COLUMN facts.community_teams.source_id IS 'The source that delivered it';
COMMENT ON COLUMN facts.community_teams.commune_code IS 'The commune';
COMMENT ON COLUMN facts.community_teams.communes_with_team IS '1 when the commune has a community digital technology team, else 0';
COMMENT ON COLUMN facts.community_teams.villages_total IS 'Villages and residential groups';
COMMENT ON COLUMN facts.community_teams.villages_with_team IS 'Of these, with a team';
COMMENT ON COLUMN facts.community_teams.team_members_total IS 'Members of all teams';
COMMENT ON COLUMN facts.community_teams.team_members_trained IS 'Members trained in the year';
COMMENT ON COLUMN facts.community_teams.population IS 'Inhabitants';

CREATE TABLE facts.platform_inventory (
    partition_key text NOT NULL CHECK (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date NOT NULL,
    unit_id text NOT NULL,
    source_id text NOT NULL,
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
    PRIMARY KEY (partition_key, day, unit_id, source_id)
);
CREATE INDEX platform_inventory_unit_day ON facts.platform_inventory (unit_id, day);
COMMENT ON TABLE facts.platform_inventory IS 'One row is the inventory of systems and platforms of one unit and source as it stood on one day';
COMMENT ON COLUMN facts.platform_inventory.partition_key IS 'Partition of the lake rows behind this row; a load replaces whole partitions';
COMMENT ON COLUMN facts.platform_inventory.day IS 'Day of the snapshot';
COMMENT ON COLUMN facts.platform_inventory.unit_id IS 'The unit, on the geography valid on the day that decides the records partition';
COMMENT ON COLUMN facts.platform_inventory.source_id IS 'The source that delivered it';
COMMENT ON COLUMN facts.platform_inventory.systems_total IS 'Information systems';
COMMENT ON COLUMN facts.platform_inventory.systems_level_determined IS 'Of these, with a determined security level';
COMMENT ON COLUMN facts.platform_inventory.systems_level_approved IS 'Of these, with an approved security level';
COMMENT ON COLUMN facts.platform_inventory.systems_fully_protected IS 'Of these, fully protected at their level';
COMMENT ON COLUMN facts.platform_inventory.systems_monitored IS 'Of these, under security monitoring';
COMMENT ON COLUMN facts.platform_inventory.systems_assessed IS 'Of these, assessed in the snapshots year and not after it';
COMMENT ON COLUMN facts.platform_inventory.shared_systems_total IS 'Information systems shared by the agencies of the province';
COMMENT ON COLUMN facts.platform_inventory.shared_systems_on_cloud IS 'Of these, on the data centres cloud';
COMMENT ON COLUMN facts.platform_inventory.shared_platforms_required IS 'Shared digital platforms';
COMMENT ON COLUMN facts.platform_inventory.shared_platforms_with_ai IS 'Of these, with artificial intelligence';
COMMENT ON COLUMN facts.platform_inventory.workstations_total IS 'Workstations';
COMMENT ON COLUMN facts.platform_inventory.workstations_with_antimalware IS 'Of these, with anti-malware';
COMMENT ON COLUMN facts.platform_inventory.agencies_total IS 'State agencies';
COMMENT ON COLUMN facts.platform_inventory.agencies_on_dedicated_network IS 'Of these, on the dedicated data network';
COMMENT ON COLUMN facts.platform_inventory.national_databases_available IS 'National databases that can be connected';
COMMENT ON COLUMN facts.platform_inventory.national_databases_connected IS 'Of these, connected through LGSP/NDXP';
COMMENT ON COLUMN facts.platform_inventory.government_cloud_connected IS '1 connected to the Government Cloud, 0 not; empty: the inventory has no such item';

CREATE TABLE facts.declarations (
    partition_key text NOT NULL CHECK (partition_key ~ '^\d{4}(-\d{2})?$'),
    day date NOT NULL,
    unit_id text NOT NULL,
    source_id text NOT NULL,
    period_year integer NOT NULL,
    metric text NOT NULL,
    basis text NOT NULL,
    value numeric NOT NULL,
    evidence_ref text,
    PRIMARY KEY (partition_key, day, unit_id, source_id, period_year, metric, basis)
);
CREATE INDEX declarations_unit_day ON facts.declarations (unit_id, day);
COMMENT ON TABLE facts.declarations IS 'One row is one figure for one year on one basis as a unit stated it on one day';
COMMENT ON COLUMN facts.declarations.partition_key IS 'Partition of the lake rows behind this row; a load replaces whole partitions';
COMMENT ON COLUMN facts.declarations.day IS 'Day the figure was stated';
COMMENT ON COLUMN facts.declarations.unit_id IS 'The unit, on the geography valid on the day that decides the records partition';
COMMENT ON COLUMN facts.declarations.source_id IS 'The source that delivered it';
COMMENT ON COLUMN facts.declarations.period_year IS 'Reporting year';
COMMENT ON COLUMN facts.declarations.metric IS 'The metric';
COMMENT ON COLUMN facts.declarations.basis IS 'declared (tự đánh giá) or appraised (thẩm định)';
COMMENT ON COLUMN facts.declarations.value IS 'The figure, in the metrics own unit';
COMMENT ON COLUMN facts.declarations.evidence_ref IS 'Number, date and title of the evidence';
