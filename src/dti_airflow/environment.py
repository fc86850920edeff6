"""The environment Airflow runs in, built from the project's own settings: nothing is configured by hand."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

from dti.errors import ConfigError
from dti.secrets import secret
from dti.settings import Settings
from dti.warehouse.connect import metadata_url

ADMIN = "admin"


def airflow_home(settings: Settings) -> Path:
    """Airflow's own folder: task logs and the password file."""
    return settings.home_dir / "airflow"


def airflow_port() -> int:
    """Port of the api-server on the loopback address: ``DTI_AIRFLOW_PORT``, default 8080."""
    return port_from_environment("DTI_AIRFLOW_PORT", 8080)


def port_from_environment(name: str, default: int) -> int:
    """A TCP port from environment variable ``name``. Raises ConfigError when it is not one."""
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"{text!r} is not a port", where=name, remedy="set it to a number from 1 to 65535")
    return int(text)


def airflow_url() -> str:
    """Address of the UI and of the REST API."""
    return f"http://127.0.0.1:{airflow_port()}"


def admin_password(settings: Settings) -> str:
    """Password of the user ``admin``, generated once for this DTI_HOME."""
    return secret(settings, "airflow_admin_password")[:20]  # still 120 bits, and short enough to be typed


def airflow_environment(settings: Settings) -> dict[str, str]:
    """The ``AIRFLOW__*`` variables for every Airflow process of this DTI_HOME.

    One loopback-only instance: LocalExecutor, metadata on the embedded PostgreSQL, one admin user, no examples.
    Holds secrets: pass it to processes, never print it.
    """
    home, url = airflow_home(settings), airflow_url()
    options: dict[str, dict[str, str]] = {
        "core": {
            "dags_folder": str(settings.project / "dags"),
            "plugins_folder": str(settings.project / "plugins"),
            "load_examples": "False",
            "unit_test_mode": "False",
            "executor": "LocalExecutor",
            "parallelism": str(max(2, min(8, 2 * (os.cpu_count() or 1)))),
            "default_timezone": "Asia/Ho_Chi_Minh",
            "dags_are_paused_at_creation": "False",
            "fernet_key": _fernet_key(secret(settings, "airflow_fernet_key")),
            "simple_auth_manager_users": f"{ADMIN}:admin",
            "simple_auth_manager_passwords_file": str(password_file(settings)),
            "execution_api_server_url": f"{url}/execution/",
        },
        "database": {"sql_alchemy_conn": metadata_url(settings)},
        "api": {
            "host": "127.0.0.1",
            "port": str(airflow_port()),
            "base_url": url,
            "workers": "1",
            "instance_name": "DTI warehouse",
            "secret_key": secret(settings, "airflow_secret_key"),
        },
        "api_auth": {"jwt_secret": secret(settings, "airflow_jwt_secret")},
        "dag_processor": {"refresh_interval": "30"},
        "logging": {"base_log_folder": str(home / "logs"), "colored_console_log": "False"},
    }
    variables = {f"AIRFLOW__{s.upper()}__{k.upper()}": v for s, keys in options.items() for k, v in keys.items()}
    return variables | {"AIRFLOW_HOME": str(home), "DTI_HOME": str(settings.home_dir)}


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


def _fernet_key(text: str) -> str:
    """A Fernet key is 32 bytes in URL-safe base64; a generated secret is text of any length."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
