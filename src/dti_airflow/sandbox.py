"""The sandbox agencies as a process: where they listen, what their clock says, and the secret both sides share."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta

from dti.secrets import secret
from dti.settings import Settings
from dti_airflow.environment import port_from_environment

SANDBOX_NIGHT = date(2026, 6, 30)
"""The night that ``make run`` runs when it is given none."""

CLIENT_ID = "dti-warehouse"
CONNECTION_ID = "sandbox"


def sandbox_port() -> int:
    """Port of the sandbox on the loopback address: ``DTI_SANDBOX_PORT``, default 18410."""
    return port_from_environment("DTI_SANDBOX_PORT", 18410)


def sandbox_url() -> str:
    """Address of the sandbox."""
    return f"http://127.0.0.1:{sandbox_port()}"


def sandbox_environment(settings: Settings) -> dict[str, str]:
    """What both sides need: the server its client's secret, the sources its address and a connection with that secret.

    Holds a secret: pass it to processes, never print it.
    """
    client_secret = secret(settings, "sandbox_client_secret")
    connection = {"conn_type": "http", "login": CLIENT_ID, "password": client_secret}
    return {
        "DTI_SANDBOX_URL": sandbox_url(),
        "SANDBOX_CLIENT_ID": CLIENT_ID,
        "SANDBOX_CLIENT_SECRET": client_secret,
        f"AIRFLOW_CONN_{CONNECTION_ID.upper()}": json.dumps(connection),
    }


def sandbox_command(settings: Settings, night: date | None) -> list[str]:
    """The command that serves the agencies: as they stand half an hour after ``night`` ended, or by the real time."""
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "serve",
        "--home",
        str(settings.local_dir),
        "--port",
        str(sandbox_port()),
    ]
    return command if night is None else [*command, "--clock", f"{night + timedelta(days=1)}T00:30"]
