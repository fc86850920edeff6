"""Airflow on a server of one's own: one process a container, its databases elsewhere, all secrets from the environment.

``docker-compose.yaml`` gives the variables that name this installation's servers and secrets. What is the same as on
one machine, options and commands, is the same list: :mod:`dti_airflow.environment` and :mod:`dti_airflow.services`.
"""

from __future__ import annotations

import os
import sys
import time

import psycopg
from rich.console import Console

from dti import flow
from dti.errors import ConfigError
from dti.settings import Settings, places_of
from dti.warehouse import connect
from dti.warehouse.furnish import furnish
from dti_airflow.environment import ADMIN, EXECUTION_API, LOCAL_EXECUTOR, OUR_EXECUTOR, shared_options, variables
from dti_airflow.metadata import create_pools, migrate
from dti_airflow.roster import pools
from dti_airflow.services import AIRFLOW_COMMANDS, WORKER, ServiceError, airflow_command, reports

METADATA = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
EXECUTION_URL = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
EXECUTOR, CELERY = "AIRFLOW__CORE__EXECUTOR", "CeleryExecutor"
BROKER = "AIRFLOW__CELERY__BROKER_URL"
REQUIRED = (
    "DTI_WAREHOUSE_URL",
    "DTI_ANALYST_URL",
    "DTI_PSEUDONYM_KEY",
    METADATA,
    EXECUTION_URL,
    "AIRFLOW__CORE__AUTH_MANAGER",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
)
"""Without these a process would make up its own, or work in another place than the others."""
MIN_PASSWORD_LENGTH = 12
PATIENCE_SECONDS = 60.0
"""With a server that is still starting."""
API_PATIENCE_SECONDS = 300.0
"""With the api-server, whose start takes longer."""


def is_server(settings: Settings) -> bool:
    """Whether this process belongs to such an installation, not to one of ``make up``."""
    return not connect.is_embedded(settings) and METADATA in os.environ


def server_environment(settings: Settings) -> dict[str, str]:
    """The environment of every Airflow process here: this one's, and what is the same everywhere where it says nothing.

    Holds secrets: pass it to processes, never print it. Raises ConfigError naming the variables that are not set.
    """
    if missing := [name for name in REQUIRED if not os.environ.get(name, "").strip()]:
        raise ConfigError("not set", where=", ".join(missing), remedy="see docker-compose.yaml and .env.example")
    shared = shared_options(settings)
    shared["fab"] = {"cookie_secure": str(os.environ.get("AIRFLOW__API__BASE_URL", "").startswith("https://"))}
    environment = variables(shared) | places_of(settings) | os.environ
    if environment[EXECUTOR] == LOCAL_EXECUTOR:
        environment[EXECUTOR] = OUR_EXECUTOR
    return environment


def serve(settings: Settings, name: str) -> None:
    """Become the Airflow process ``name``: api-server, scheduler, dag-processor, triggerer or worker.

    Raises ConfigError when something is not set or does not fit together, ServiceError when a server does not answer.
    """
    if name not in AIRFLOW_COMMANDS:
        raise ConfigError("no such service", where=name, remedy=f"one of: {', '.join(AIRFLOW_COMMANDS)}")
    environment = server_environment(settings)
    by_celery = environment[EXECUTOR] == CELERY
    if name == WORKER and not by_celery:
        raise ConfigError(
            f"is {environment[EXECUTOR]}, so no task would ever reach this worker",
            where=EXECUTOR,
            remedy=f"set DTI_EXECUTOR={CELERY} in .env, or leave the profile celery out",
        )
    _wait_for_database(environment[METADATA])
    if name in (WORKER, "scheduler"):
        _wait_for_api(environment[EXECUTION_URL])
    if by_celery and name in (WORKER, "scheduler"):
        _wait_for_broker(environment.get(BROKER, ""))
    _become(airflow_command(name, environment[EXECUTOR]), environment)


def run_airflow(arguments: list[str], environment: dict[str, str]) -> None:
    """Become one of Airflow's commands; does not return."""
    _become([sys.executable, "-m", "airflow", *arguments], environment)


def _become(command: list[str], environment: dict[str, str]) -> None:
    os.execve(command[0], command, environment)  # noqa: S606 — no shell  # nosec B606


def initialise(settings: Settings, console: Console) -> None:
    """Bring both databases up to date, make missing pools, and the first user. Repeating it is what an upgrade does.

    The only process that has the superuser's URL and the first password. Raises ConfigError, WarehouseError.
    """
    password = os.environ.get("DTI_ADMIN_PASSWORD", "")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise ConfigError(
            f"shorter than {MIN_PASSWORD_LENGTH} characters",
            where="DTI_ADMIN_PASSWORD",
            remedy=f"set the password that the user {ADMIN} logs in with the first time",
        )
    environment = server_environment(settings)
    os.environ.update(environment)
    if connect.superuser_url(settings):
        furnish(settings, connect.parse(METADATA, environment[METADATA]))
        console.print("logins and databases are there")
    flow.prepare(settings)
    console.print("the warehouse is up to date")
    migrate()
    create_pools(wanted := pools())
    console.print(f"Airflow's database is up to date, with pools for {len(wanted)} agencies")
    _create_admin(password)


def _create_admin(password: str) -> None:
    """Make the user ``admin``, unless there is one: passwords of users are changed in Airflow, not by this."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    @providers_configuration_loaded
    def create() -> None:
        with get_application_builder() as builder:
            users = builder.sm
            if users.find_user(ADMIN) is None:
                role = users.find_role("Admin")
                users.add_user(ADMIN, "First", "Administrator", f"{ADMIN}@localhost", role, password)

    create()


def _wait_for_database(url: str) -> None:
    """Return when Airflow's database answers. Raises WarehouseError when it does not, or lets us not in."""
    login = connect.parse(METADATA, url).set(drivername="postgresql")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(login.render_as_string(False), connect_timeout=10).close()
        except psycopg.OperationalError as fault:
            if time.monotonic() > deadline or "authentication failed" in str(fault):
                raise connect.gone(fault, login) from None
            time.sleep(1)
        else:
            return


def _wait_for_api(url: str) -> None:
    """Return when the api-server answers, which every task talks to. Raises ServiceError when it does not."""
    answers = reports("metadatabase", url.removesuffix(EXECUTION_API))
    deadline = time.monotonic() + API_PATIENCE_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            raise ServiceError("does not answer", where=url, remedy="see what the service api-server says")
        time.sleep(1)


def _wait_for_broker(url: str) -> None:
    """Return when Redis answers. Raises ConfigError or ServiceError when it does not, or lets us not in."""
    from redis import Redis
    from redis.exceptions import AuthenticationError, RedisError

    if not url:
        raise ConfigError("not set", where=BROKER, remedy="set it to Redis's URL, with its password")
    deadline = time.monotonic() + PATIENCE_SECONDS
    with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as broker:
        while True:
            try:
                broker.ping()
            except AuthenticationError:
                raise ConfigError("Redis refuses the password", where=BROKER, remedy="use DTI_REDIS_PASSWORD") from None
            except RedisError as fault:
                if time.monotonic() > deadline:
                    remedy = "start it: set COMPOSE_PROFILES=celery in .env"
                    raise ServiceError(f"Redis does not answer: {fault}", where=BROKER, remedy=remedy) from None
                time.sleep(1)
            else:
                return
