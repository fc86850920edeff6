-- Grain: one row is one feed and one source: facts that cannot be, whatever an agency sent.
with looked as (
    select
        'online_services' as feed,
        source_id,
        greatest(
            dossiers_online, dossiers_with_fee, dossiers_digitised, dossiers_reusing_data, dossiers_population_data,
            dossiers_synchronised, dossiers_direct, dossiers_by_post, dossiers_fee_zero, dossiers_from_citizens
        ) > dossiers_received
        or greatest(dossiers_on_time, dossiers_electronic_result, dossiers_satisfied, dossiers_unpunctual)
        > dossiers_finished
        or dossiers_paid_online > dossiers_with_fee
        or dossiers_early > dossiers_on_time
        or dossiers_online_with_result > dossiers_online
        or dossiers_punctual + dossiers_unpunctual > dossiers_finished
        or dossiers_online + dossiers_direct + dossiers_by_post > dossiers_received as is_wrong,
        format('%s of %s on %s', procedure_code, unit_id, day) as what
    from facts.online_services
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
    union all
    select
        'service_catalogue' as feed,
        source_id,
        services_full_online > services_online
        or services_online > services_total
        or services_eligible_full_online > services_total as is_wrong,
        format('%s on %s', unit_id, day) as what
    from facts.service_catalogue
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
    union all
    select
        'data_centre' as feed,
        source_id,
        data_centre_up_seconds > data_centre_expected_seconds
        or data_centre_expected_seconds > 86400
        or cpu_utilisation_avg_pct not between 0 and 100
        or memory_utilisation_avg_pct not between 0 and 100
        or storage_utilisation_avg_pct not between 0 and 100 as is_wrong,
        format('%s on %s', data_centre_id, day) as what
    from facts.data_centre
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
    union all
    select
        'platform_inventory' as feed,
        source_id,
        greatest(
            systems_level_determined, systems_level_approved, systems_fully_protected, systems_monitored,
            systems_assessed, shared_systems_total
        ) > systems_total
        or shared_systems_on_cloud > shared_systems_total
        or shared_platforms_with_ai > shared_platforms_required
        or workstations_with_antimalware > workstations_total
        or agencies_on_dedicated_network > agencies_total
        or national_databases_connected > national_databases_available as is_wrong,
        format('%s on %s', unit_id, day) as what
    from facts.platform_inventory
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
    union all
    select
        'staffing' as feed,
        source_id,
        greatest(
            staff_digital_transformation, staff_information_technology, staff_information_security, staff_trained_dx,
            staff_trained_digital_skills, staff_trained_data
        ) > staff_total as is_wrong,
        format('%s of %s on %s', agency_code, unit_id, day) as what
    from facts.staffing
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
    union all
    select
        'community_teams' as feed,
        source_id,
        villages_with_team > villages_total or team_members_trained > team_members_total as is_wrong,
        format('%s of %s on %s', commune_code, unit_id, day) as what
    from facts.community_teams
    where day <= :night and day > cast(:night as date) - cast(:days as integer)
)

select
    feed,
    source_id,
    count(*) as checked_count,
    count(*) filter (where is_wrong) as failed_count,
    string_agg(what, ', ' order by what) filter (where is_wrong) as detail
from looked
group by feed, source_id
order by feed, source_id
