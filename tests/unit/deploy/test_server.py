"""A process of a server of one's own says what is missing before it starts anything."""

from __future__ import annotations

import pytest

from dti.errors import ConfigError, WarehouseError
from dti.settings import get_settings
from dti.warehouse import connect
from dti.warehouse.furnish import furnish
from dti_airflow import server, services
from dti_airflow.environment import OUR_EXECUTOR
from tests.builders.airflow import free_port

OWNER, ANALYST = "postgresql://dti_owner:pw@db/dti", "postgresql://dti_analyst:pw@db/dti"
AIRFLOW = "postgresql+psycopg2://airflow:pw@db/airflow"


@pytest.fixture
def given(settings, monkeypatch):
    """An installation of which everything is set; what a test sets besides counts too."""
    monkeypatch.setenv("DTI_WAREHOUSE_URL", OWNER)
    monkeypatch.setenv("DTI_ANALYST_URL", ANALYST)
    monkeypatch.setenv("DTI_SUPERUSER_URL", "postgresql://postgres:pw@db/postgres")
    for name in server.REQUIRED[2:]:
        monkeypatch.setenv(name, "set-by-the-test-0123456789")
    monkeypatch.setenv(server.METADATA, AIRFLOW)

    def installation(**more: str):
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        return get_settings()

    return installation


@pytest.mark.parametrize("name", server.REQUIRED[2:])
def test_what_is_not_set_is_named(given, name):
    with pytest.raises(ConfigError, match=name):
        server.server_environment(given(**{name: " "}))


def test_what_is_the_same_everywhere_comes_from_the_list_of_make_up_unless_it_is_set(given):
    settings = given(AIRFLOW__API__WORKERS="3", AIRFLOW__API__BASE_URL="https://dti.example.gov.vn")
    environment = server.server_environment(settings)
    assert environment["AIRFLOW__API__WORKERS"] == "3"
    assert environment["AIRFLOW__CORE__DEFAULT_TIMEZONE"] == "Asia/Ho_Chi_Minh"
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(settings.project / "dags")
    assert environment["AIRFLOW__FAB__COOKIE_SECURE"] == "True", "behind TLS the cookie is for TLS only"
    assert environment[server.METADATA] == AIRFLOW


@pytest.mark.parametrize(
    ("asked_for", "executor"),
    [(None, OUR_EXECUTOR), ("LocalExecutor", OUR_EXECUTOR), (server.CELERY, server.CELERY)],
)
def test_ours_stands_for_airflows_local_executor(given, asked_for, executor):
    environment = server.server_environment(given(**({server.EXECUTOR: asked_for} if asked_for else {})))
    assert environment[server.EXECUTOR] == executor


@pytest.mark.parametrize(
    ("name", "option", "default"),
    [
        ("DTI_LOST_TASK_SECONDS", "TASK_INSTANCE_HEARTBEAT_TIMEOUT", "120"),
        ("DTI_LOST_TASK_SECONDS", "ORPHANED_TASKS_CHECK_INTERVAL", "120"),
        ("DTI_QUEUED_TASK_SECONDS", "TASK_QUEUED_TIMEOUT", "600"),
    ],
)
def test_patience_with_tasks_is_a_number_of_seconds(given, name, option, default):
    assert server.server_environment(given())[f"AIRFLOW__SCHEDULER__{option}"] == default
    assert server.server_environment(given(**{name: "60"}))[f"AIRFLOW__SCHEDULER__{option}"] == "60"
    for wrong in ("9", "an hour", ""):
        with pytest.raises(ConfigError, match="no number of seconds") as caught:
            server.server_environment(given(**{name: wrong}))
        assert caught.value.where == name


def test_make_up_starts_four_of_the_listed_processes():
    commands = {service.name: service.command[3:] for service in services.airflow_services()}
    assert commands == {name: services.AIRFLOW_COMMANDS[name] for name in services.COMPONENTS}


def test_a_worker_without_celery_would_wait_for_ever_and_refuses(given):
    with pytest.raises(ConfigError, match="DTI_EXECUTOR=CeleryExecutor"):
        server.serve(given(**{server.EXECUTOR: "LocalExecutor"}), "worker")


def test_an_unknown_service_is_refused_with_those_there_are(given):
    with pytest.raises(ConfigError, match="dag-processor"):
        server.serve(given(), "webserver")


def test_a_short_first_password_is_refused(given, monkeypatch):
    from rich.console import Console

    monkeypatch.setenv("DTI_ADMIN_PASSWORD", "admin")
    with pytest.raises(ConfigError, match="DTI_ADMIN_PASSWORD: shorter than 12"):
        server.initialise(given(), Console())


def test_a_broker_that_is_not_started_is_told_with_the_remedy(given, monkeypatch):
    monkeypatch.setattr(server, "PATIENCE_SECONDS", 0)
    with pytest.raises(services.ServiceError, match="COMPOSE_PROFILES=celery"):
        server._wait_for_broker(f"redis://:pw@127.0.0.1:{free_port()}/0")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DTI_WAREHOUSE_URL", "postgresql://postgres:pw@db/dti"),
        ("DTI_WAREHOUSE_URL", "postgresql://dti_owner:pw@db/warehouse"),
        ("DTI_ANALYST_URL", "postgresql://dti_analyst@db/dti"),
    ],
)
def test_other_logins_than_the_ones_it_makes_are_refused_before_anything_is_made(given, name, url):
    with pytest.raises(ConfigError, match=name):
        furnish(given(**{name: url}), connect.parse("x", AIRFLOW))


def test_a_server_that_does_not_answer_is_named_without_its_password(given):
    address = f"127.0.0.1:{free_port()}"
    settings = given(DTI_SUPERUSER_URL=f"postgresql://postgres:hidden-word@{address}/postgres")
    with pytest.raises(WarehouseError, match=r"postgres@127\.0\.0\.1") as refused:
        furnish(settings, connect.parse("x", AIRFLOW))
    assert "hidden-word" not in str(refused.value)
