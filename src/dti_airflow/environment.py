"""The environment Airflow runs in, built from the project's own settings: nothing is configured by hand."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

from dti.errors import ConfigError
from dti.observe.metrics import is_on as metrics_are_on
from dti.secrets import known, secret
from dti.settings import Settings, places_of
from dti.warehouse.connect import metadata_url
from dti.warehouse.rotation import BEFORE

ADMIN = "admin"
EXECUTION_API = "/execution/"
"""Where the api-server answers its tasks."""
LOCAL_EXECUTOR, OUR_EXECUTOR = "LocalExecutor", "dti_airflow.executor.LocalExecutor"
"""What people call the executor that runs tasks on this machine, and ours, which stands for it."""

Options = dict[str, dict[str, str]]
"""Section → option → value, as in Airflow's own configuration."""


def airflow_home(settings: Settings) -> Path:
    """Airflow's own folder: task logs and the password file."""
    return settings.local_dir / "airflow"


def airflow_port() -> int:
    """Port of the api-server on the loopback address: ``DTI_AIRFLOW_PORT``, default 8080."""
    return port_from_environment("DTI_AIRFLOW_PORT", 8080)


def lost_task_seconds() -> int:
    """After how long without a sign of life a task is taken for lost and tried again: ``DTI_LOST_TASK_SECONDS``.

    Airflow's own default is five minutes; a night whose machine or scheduler died goes on sooner with two. Raises
    ConfigError when it is no number of at least 10.
    """
    return _seconds_from_environment("DTI_LOST_TASK_SECONDS", 120)


def queued_task_seconds() -> int:
    """After how long a task that no Celery worker began is handed out again: ``DTI_QUEUED_TASK_SECONDS``.

    A worker that dies takes along what it had accepted and not begun, and gives no sign. Nor does one that is busy: so
    this is longer than any task waits for a free one. Airflow hands a task out three times. Raises ConfigError when it
    is no number of at least 10.
    """
    return _seconds_from_environment("DTI_QUEUED_TASK_SECONDS", 600)


def _seconds_from_environment(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) < 10:
        raise ConfigError(f"{text!r} is no number of seconds", where=name, remedy="set it to 10 or more")
    return int(text)


def port_from_environment(name: str, default: int) -> int:
    """A TCP port from environment variable ``name``. Raises ConfigError when it is not one."""
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"{text!r} is not a port", where=name, remedy="set it to a number from 1 to 65535")
    return int(text)


def airflow_url() -> str:
    """Address of the UI and of the REST API on this machine."""
    return f"http://127.0.0.1:{airflow_port()}"


def admin_password(settings: Settings) -> str:
    """Password of the user ``admin``, generated once for this DTI_HOME."""
    return secret(settings, "airflow_admin_password")[:20]  # still 120 bits, and short enough to be typed


def airflow_environment(settings: Settings) -> dict[str, str]:
    """The ``AIRFLOW__*`` variables for every Airflow process of this DTI_HOME.

    One loopback-only instance: metadata on the embedded PostgreSQL, one admin user, no examples.
    Holds secrets: pass it to processes, never print it.
    """
    home, url = airflow_home(settings), airflow_url()
    options: Options = {
        "core": {
            "fernet_key": ",".join(_fernet_keys(settings)),
            "simple_auth_manager_users": f"{ADMIN}:admin",
            "simple_auth_manager_passwords_file": str(password_file(settings)),
            "execution_api_server_url": f"{url}{EXECUTION_API}",
        },
        "database": {"sql_alchemy_conn": metadata_url(settings)},
        "api": {
            "host": "127.0.0.1",
            "port": str(airflow_port()),
            "base_url": url,
            "secret_key": secret(settings, "airflow_secret_key"),
        },
        "api_auth": {"jwt_secret": secret(settings, "airflow_jwt_secret")},
    }
    both = variables(shared_options(settings)) | variables(options)
    return both | {"AIRFLOW_HOME": str(home)} | places_of(settings)


def shared_options(settings: Settings) -> Options:
    """Airflow's options that are the same wherever this project runs, on one machine or in containers."""
    return {
        "core": {
            "executor": OUR_EXECUTOR,
            "dags_folder": str(settings.project / "dags"),
            "plugins_folder": str(settings.project / "plugins"),
            "load_examples": "False",
            "unit_test_mode": "False",
            "parallelism": str(max(2, min(8, 2 * (os.cpu_count() or 1)))),
            "default_timezone": "Asia/Ho_Chi_Minh",
            "dags_are_paused_at_creation": "False",
        },
        "api": {"workers": "1", "instance_name": "DTI warehouse"},
        "dag_processor": {"refresh_interval": "30"},
        # Who watches a task's process sleeps this long where its pipes close before it has ended, and holds its slot.
        "workers": {"min_heartbeat_interval": "1"},
        "scheduler": {
            "task_instance_heartbeat_timeout": str(lost_task_seconds()),
            # Nobody but this look notices the tasks of a scheduler that died.
            "orphaned_tasks_check_interval": str(lost_task_seconds()),
            "task_queued_timeout": str(queued_task_seconds()),
            "task_queued_timeout_check_interval": "30",
        },
        "logging": {"base_log_folder": str(airflow_home(settings) / "logs"), "colored_console_log": "False"},
        "metrics": {"otel_on": str(metrics_are_on())},
    }


def variables(options: Options) -> dict[str, str]:
    """Options as the environment variables that Airflow reads them from."""
    return {f"AIRFLOW__{s.upper()}__{k.upper()}": v for s, keys in options.items() for k, v in keys.items()}


def password_file(settings: Settings) -> Path:
    """Where Airflow's simple auth manager reads the passwords of its users."""
    return airflow_home(settings) / "passwords.json"


def write_password_file(settings: Settings) -> None:
    """Write the admin's password where Airflow looks for it, readable by this user only."""
    path = password_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps({ADMIN: admin_password(settings)}) + "\n", "utf-8")


def _fernet_keys(settings: Settings) -> list[str]:
    """The key that Airflow writes with, and during a rotation the one before, which it still reads with."""
    before = known(settings, BEFORE)
    return [_fernet_key(key) for key in (secret(settings, "airflow_fernet_key"), before) if key]


def _fernet_key(text: str) -> str:
    """A Fernet key is 32 bytes in URL-safe base64; a generated secret is text of any length."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
