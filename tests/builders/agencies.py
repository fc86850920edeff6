"""A handle on the running sandbox: what a process needs to pull from it, and its clock."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import requests

CLIENT = ("dti-tests", "only-for-tests-4711")


@dataclass(frozen=True)
class Agencies:
    """The running sandbox."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to pull from it."""
        connection = {"conn_type": "http", "login": CLIENT[0], "password": CLIENT[1]}
        return {"DTI_SANDBOX_URL": self.url, "AIRFLOW_CONN_SANDBOX": json.dumps(connection)}

    def after(self, night: date, home: Path) -> None:
        """Move the clock to two in the morning after ``night``, and write that day's drop folder into ``home``."""
        clock = self.set_clock(night)
        command = [sys.executable, "-m", "sandbox", "drop", "--home", str(home), "--clock", clock]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def set_clock(self, night: date) -> str:
        """Move the clock to two in the morning after ``night``."""
        clock = f"{night + timedelta(days=1)}T02:00"
        requests.put(f"{self.url}/control/clock", json={"clock": clock}, auth=CLIENT, timeout=30).raise_for_status()
        return clock
