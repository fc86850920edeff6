"""The sandbox agencies as a process: where they listen and what the clock of their world says."""

from __future__ import annotations

import os
import sys
from datetime import date, timedelta

from dti.settings import Settings
from dti_airflow.environment import port_from_environment

SANDBOX_NIGHT = date(2026, 6, 30)
"""The night that ``make run`` runs when it is given none."""


def sandbox_port() -> int:
    """Port of the sandbox on the loopback address: ``DTI_SANDBOX_PORT``, default 8910."""
    return port_from_environment("DTI_SANDBOX_PORT", 8910)


def sandbox_url() -> str:
    """Address of the sandbox; its source files are filled with it as ``DTI_SANDBOX_URL``."""
    return f"http://127.0.0.1:{sandbox_port()}"


def sandbox_environment(settings: Settings) -> dict[str, str]:
    """What sources and tasks need to reach the sandbox: its address and a connection for each of its agencies."""
    return {"DTI_SANDBOX_URL": sandbox_url()}


def sandbox_command(settings: Settings, night: date) -> list[str]:
    """The command that serves the agencies as they stand at 00:30 on the morning after ``night``."""
    clock = os.environ.get("DTI_SANDBOX_CLOCK", f"{night + timedelta(days=1)}T00:30")
    home = str(settings.home_dir / "sandbox")
    return [sys.executable, "-m", "sandbox", "serve", "--home", home, "--port", str(sandbox_port()), "--clock", clock]
