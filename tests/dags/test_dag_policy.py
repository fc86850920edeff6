"""What every DAG of this project owes to those who run it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

INGEST_AT_MINUTE = {
    "ingest_online_services": 0,
    "ingest_service_catalogue": 5,
    "ingest_data_centre": 10,
    "ingest_staffing": 15,
    "ingest_community_teams": 20,
    "ingest_platform_inventory": 25,
    "ingest_declarations": 30,
}
NIGHTLY = {*INGEST_AT_MINUTE, "compute_indices"}
ALL = NIGHTLY | {"annual_recomputation", "annual_calendar", "maintain"}


def test_exactly_these_dags_and_no_import_error(bag):
    assert bag.import_errors == {}
    assert set(bag.dags) == ALL


@pytest.mark.parametrize("dag_id", sorted(ALL))
def test_dag_says_whose_it_is_and_what_it_does(bag, dag_id):
    dag = bag.dags[dag_id]
    assert dag.owner == "data-engineering"
    assert "dti" in dag.tags
    assert len(dag.tags) >= 2
    assert dag.doc_md.startswith("### ")
    assert len(dag.doc_md) > 300
    assert not any(line.startswith("    ") for line in dag.doc_md.splitlines()), "would be shown as code"


@pytest.mark.parametrize("dag_id", sorted(NIGHTLY))
def test_dag_runs_one_night_at_a_time_and_never_floods(bag, dag_id):
    dag = bag.dags[dag_id]
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    night = dag.params.get_param("night")
    assert night.schema["format"] == "date"
    assert night.description
    assert night.resolve() is None


@pytest.mark.parametrize("dag_id", sorted(ALL))
def test_every_working_task_has_retries_by_policy_and_a_time_limit(bag, dag_id):
    for task in bag.dags[dag_id].tasks:
        if task.task_id in {"everyone_arrived", "all_computed", "all_tidied"}:
            continue
        assert task.retries >= 2, task.task_id
        assert task.retry_policy is not None, task.task_id
        assert task.retry_exponential_backoff == 2.0, task.task_id
        most = timedelta(hours=3 if dag_id == "annual_recomputation" else 1)
        assert timedelta() < task.execution_timeout <= most, task.task_id


def test_ingest_is_spread_over_half_an_hour_from_one_and_the_index_is_at_half_past_two(bag):
    zone = "Asia/Ho_Chi_Minh"
    for dag_id, minute in INGEST_AT_MINUTE.items():
        timetable = bag.dags[dag_id].timetable
        assert (timetable.expression, str(timetable.timezone)) == (f"{minute} 1 * * *", zone)
    index = bag.dags["compute_indices"].timetable.timetable
    assert (index.expression, str(index.timezone)) == ("30 2 * * *", zone)


def test_index_listens_to_every_feed(bag):
    condition = bag.dags["compute_indices"].timetable.asset_condition
    heard = {asset.name for asset in condition.objects}
    told = {
        outlet.name.removesuffix("_loaded")
        for dag_id in INGEST_AT_MINUTE
        for outlet in bag.dags[dag_id].get_task("load").outlets
    }
    assert heard == told
    assert len(heard) == 7
    assert type(condition).__name__ == "AssetAny"


def test_every_pool_a_task_names_exists(bag):
    from airflow.models.pool import Pool

    used = {task.pool for dag in bag.dags.values() for task in dag.tasks}
    assert used == {"default_pool", "agency_alpha", "agency_beta"}
    assert {name for name in used if Pool.get_pool(name) is None} == set()
    assert Pool.get_pool("agency_alpha").slots == 2


def test_a_pool_keeps_the_size_an_operator_gave_it(bag):
    from airflow.models.pool import Pool

    from dti_airflow.metadata import create_pools
    from dti_airflow.roster import pools

    Pool.create_or_update_pool("agency_beta", slots=7, description="by hand", include_deferred=True)
    create_pools(pools())
    assert Pool.get_pool("agency_beta").slots == 7


def test_dag_files_fit_on_a_screen():
    files = sorted((Path(__file__).parents[2] / "dags").glob("*.py"))
    assert len(files) == len(ALL)
    assert all(len(file.read_text("utf-8").splitlines()) <= 60 for file in files)


def test_maintenance_has_a_task_a_step_in_their_order_every_sunday_morning(bag):
    from dti.maintenance.steps import STEPS

    dag = bag.dags["maintain"]
    assert [task.task_id for task in dag.topological_sort()] == [*STEPS, "all_tidied"]
    assert (dag.timetable.expression, str(dag.timetable.timezone)) == ("0 5 * * 0", "Asia/Ho_Chi_Minh")
    assert {dag.get_task(step).trigger_rule for step in STEPS} == {"all_done"}
    assert dag.get_task("all_tidied").upstream_task_ids == set(STEPS)
