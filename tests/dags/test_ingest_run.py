"""An ingest DAG as it runs: real tasks, retries and assets, with the library's steps replaced at their boundary."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from dti import flow
from dti.errors import SourceRefused, SourceUnreachable

NIGHT = date(2026, 6, 30)


@pytest.fixture
def steps(monkeypatch):
    """What the DAG asked the library to do, in order; ``faults`` says which source fails and how."""

    made = SimpleNamespace(calls=[], faults={})

    def extract(source_id, night, lookup):
        made.calls.append(("extract", source_id, night))
        if source_id in made.faults:
            raise made.faults[source_id]
        return {"batch_id": source_id, "rows": 3}

    def step(name):
        def call(feed, night):
            made.calls.append((name, feed, night))
            return {"feed": feed, "quality_pages": []}

        return call

    monkeypatch.setattr(flow, "extract", extract)
    monkeypatch.setattr(flow, "gate", step("gate"))
    monkeypatch.setattr(flow, "load", step("load"))
    return made


@pytest.fixture(name="whole_extract")
def _whole_extract():
    """The library's own extract, asked for before ``steps`` replaces it."""
    return flow.extract


def test(bag, dag_id, conf):
    from airflow.utils.session import create_session

    from dti_airflow.notify import without_deadlines

    run = without_deadlines(copy.copy(bag.dags[dag_id])).test(run_conf=conf)
    with create_session() as session:
        instances = run.get_task_instances(session=session)
        return str(run.state), {(ti.task_id, ti.rendered_map_index): (str(ti.state), ti.try_number) for ti in instances}


test.__test__ = False


def test_tasks_of_an_ingest_dag_in_their_order(bag):
    dag = bag.dags["ingest_online_services"]
    downstream = {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
    assert downstream == {
        "agency_alpha.sources": {"agency_alpha.extract"},
        "agency_alpha.extract": {"gate", "everyone_arrived"},
        "agency_beta.sources": {"agency_beta.extract"},
        "agency_beta.extract": {"gate", "everyone_arrived"},
        "gate": {"load"},
        "load": {"everyone_arrived"},
        "everyone_arrived": set(),
    }
    assert dag.get_task("agency_beta.extract").pool == "agency_beta"
    assert dag.get_task("gate").trigger_rule == "all_done"


def test_a_feed_without_sources_still_parses_and_loads_what_landed_before(bag, steps):
    state, _ = test(bag, "ingest_declarations", {"night": NIGHT.isoformat()})
    assert state == "success"
    assert steps.calls == [("gate", "declarations", NIGHT), ("load", "declarations", NIGHT)]


def test_when_everyone_arrives_the_run_succeeds_and_each_pull_is_named_after_its_source(bag, steps):
    state, instances = test(bag, "ingest_online_services", {"night": NIGHT.isoformat()})
    assert state == "success"
    assert set(instances.values()) == {("success", 1)}
    named = {name for task_id, name in instances if task_id.endswith(".extract")}
    assert named == {"alpha-portal", "beta-archive", "beta-portal"}
    assert sorted(steps.calls[:3]) == [("extract", source_id, NIGHT) for source_id in sorted(named)]
    assert steps.calls[3:] == [("gate", "online_services", NIGHT), ("load", "online_services", NIGHT)]


def test_a_refused_source_fails_alone_and_at_once_and_the_run_says_so(bag, steps):
    steps.faults["beta-portal"] = SourceRefused("401", where="https://beta.example", remedy="renew the secret")
    state, instances = test(bag, "ingest_online_services", {"night": NIGHT.isoformat()})
    assert instances.pop(("agency_beta.extract", "beta-portal")) == ("failed", 1)
    assert instances.pop(("everyone_arrived", None))[0] == "upstream_failed"
    assert set(instances.values()) == {("success", 1)}
    assert steps.calls[-2:] == [("gate", "online_services", NIGHT), ("load", "online_services", NIGHT)]
    assert state == "failed"


def test_an_unreachable_source_is_tried_three_times_more(bag, steps):
    steps.faults["alpha-staff"] = SourceUnreachable("timed out", where="https://alpha.example", remedy="wait")
    state, instances = test(bag, "ingest_staffing", {"night": NIGHT.isoformat()})
    assert steps.calls.count(("extract", "alpha-staff", NIGHT)) == 4
    assert instances["agency_alpha.extract", "alpha-staff"] == ("failed", 4)
    assert instances["load", None] == ("success", 1)
    assert state == "failed"


def test_load_tells_the_index_which_night_changed(bag, steps):
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    test(bag, "ingest_platform_inventory", {"night": "2026-05-04"})
    with create_session() as session:
        events = session.scalars(
            select(AssetEvent)
            .join(AssetModel, AssetEvent.asset_id == AssetModel.id)
            .where(AssetModel.name == "dti_feed_platform_inventory")
        ).all()
    assert [event.extra["night"] for event in events] == ["2026-05-04"]


def test_a_day_restated_in_the_afternoon_has_the_running_year_computed_anew(bag, steps):
    """What the load says of a night, and what the index run makes of it that Airflow starts for it."""
    from airflow.models.asset import AssetDagRunQueue, AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    from dti_airflow.nights import nights_to_compute

    with create_session() as session:
        session.execute(delete(AssetDagRunQueue))
    test(bag, "ingest_staffing", {"night": "2026-03-05"})
    with create_session() as session:
        feed = select(AssetModel.id).where(AssetModel.name == "dti_feed_staffing").scalar_subquery()
        events = session.scalars(select(AssetEvent).where(AssetEvent.asset_id == feed).order_by(AssetEvent.id)).all()
        queued = session.scalars(select(AssetDagRunQueue.target_dag_id).where(AssetDagRunQueue.asset_id == feed)).all()
    assert queued == ["compute_indices"]
    context = {
        "params": {"night": None},
        "dag_run": SimpleNamespace(run_after=datetime(2026, 7, 1, 8, tzinfo=UTC), run_type="asset_triggered"),
        "triggering_asset_events": {"dti_feed_staffing": events[-1:]},
    }
    assert nights_to_compute(context, lambda year, before: []) == [date(2026, 3, 5), NIGHT]


@pytest.mark.parametrize(
    ("kind", "queued", "expected"),
    [
        ("backfill", {"ingest_staffing": 2}, True),
        ("backfill", {"ingest_data_centre": 1}, True),
        ("backfill", {}, False),
        ("scheduled", {"ingest_staffing": 2}, False),
    ],
)
def test_a_backfill_leaves_the_index_to_its_last_runs(kind, queued, expected):
    from dti_airflow.ingest import more_to_come

    def count(dag_id, states):
        assert states == ["queued"]
        return queued.get(dag_id, 0)

    context = {"dag_run": SimpleNamespace(run_type=kind), "ti": SimpleNamespace(get_dr_count=count)}
    assert more_to_come(context) is expected


def test_the_index_dag_computes_checks_and_tells_of_the_night_it_is_given(bag, monkeypatch):
    done = []
    made = {"run_id": "night", "corrections": {"expired": []}}
    monkeypatch.setattr(flow, "compute", lambda night: done.append(("compute", night)) or made)
    monkeypatch.setattr(flow, "check_night", lambda night: done.append(("check", night)) or {})
    monkeypatch.setattr(flow, "tell", lambda lookup: done.append(("tell",)) or {})
    monkeypatch.setattr(flow, "run_succeeded", lambda dag_id, lookup: done.append(("ended", dag_id)))
    state, instances = test(bag, "compute_indices", {"night": NIGHT.isoformat()})
    assert state == "success"
    assert done == [("compute", NIGHT), ("check", NIGHT), ("tell",), ("ended", "compute_indices")]
    assert {("compute", "2026-06-30"), ("check", "2026-06-30")} <= set(instances)


def test_credentials_come_from_the_connection_and_their_secret_is_masked_from_then_on(bag, steps, monkeypatch):
    from airflow.sdk.log import redact

    password = "correct-horse-battery"
    given = []

    def extract(source_id, night, lookup):
        found = lookup("alpha")
        given.append((found.login, found.password.get_secret_value()))
        return {}

    monkeypatch.setattr(flow, "extract", extract)
    monkeypatch.setenv("AIRFLOW_CONN_ALPHA", f'{{"conn_type": "http", "login": "us", "password": "{password}"}}')
    assert test(bag, "ingest_staffing", {"night": NIGHT.isoformat()})[0] == "success"
    assert given == [("us", password)]
    assert redact(f"logging in with {password}") == "logging in with ***"


def test_a_connection_that_is_not_there_fails_at_once_and_is_named(bag, steps, monkeypatch, capfd):
    monkeypatch.setattr(flow, "extract", lambda source_id, night, lookup: lookup("nowhere"))
    state, instances = test(bag, "ingest_staffing", {"night": NIGHT.isoformat()})
    assert state == "failed"
    assert instances["agency_alpha.extract", "alpha-staff"] == ("failed", 1)
    assert "nowhere: connection is not defined" in "".join(capfd.readouterr())


def test_a_broken_source_file_fails_the_task_of_that_source_and_is_named(bag, whole_extract, steps, monkeypatch, capfd):
    monkeypatch.setattr(flow, "extract", whole_extract)
    state, instances = test(bag, "ingest_staffing", {"night": NIGHT.isoformat()})
    assert state == "failed"
    assert instances["agency_alpha.extract", "alpha-staff"] == ("failed", 1)
    assert steps.calls == [("gate", "staffing", NIGHT), ("load", "staffing", NIGHT)]
    said = "".join(capfd.readouterr())
    assert "alpha-staff.yml" in said
    assert "alpha-portal.yml" not in said  # as broken, and nobody asked for it


def test_a_night_that_is_no_date_is_refused(bag):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises((ParamValidationError, ValueError)):
        bag.dags["compute_indices"].params.get_param("night").resolve(value="30/06/2026")
