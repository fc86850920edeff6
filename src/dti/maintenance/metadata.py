"""Airflow's own database: old runs, task instances, rendered fields and XComs go by Airflow's own command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta

from dti import clock
from dti.errors import DtiError
from dti.maintenance.model import Tidied
from dti.settings import Settings, places_of

PATIENCE_SECONDS = 25 * 60
_FOUND = re.compile(r"Found (\d+) rows meeting deletion criteria")


class MetadataError(DtiError):
    """Airflow's command failed; what it had committed by then is gone, the rest stays."""

    kind = "metadata"


def clean(settings: Settings, dry_run: bool) -> Tidied:
    """Have ``airflow db clean`` remove what is older than ``airflow_run_days``, without keeping archive tables.

    A process of its own, since a task may not touch that database. The newest run of every DAG stays, so that its
    schedule goes on from there. Raises MetadataError with the end of what the command said.
    """
    before = clock.now() - timedelta(days=settings.airflow_run_days)
    arguments = ["db", "clean", "--clean-before-timestamp", before.isoformat(timespec="seconds"), "--verbose"]
    arguments += ["--dry-run"] if dry_run else ["--yes", "--skip-archive", "--error-on-cleanup-failure"]
    # Inside a task, Airflow marks the environment as a task's; the command is none.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("_AIRFLOW", "__AIRFLOW"))}
    done = subprocess.run(  # noqa: S603 — our own command  # nosec B603
        [sys.executable, "-m", "dti_airflow", "airflow", *arguments],
        capture_output=True,
        text=True,
        env=environment | places_of(settings) | {"DTI_PROJECT": str(settings.project)},
        timeout=PATIENCE_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = done.stdout + done.stderr
    if done.returncode != 0:
        raise MetadataError(
            " ".join(said.split())[-400:],
            where="airflow db clean",
            remedy="see that the database answers and is migrated (make up), then repeat",
        )
    rows = sum(int(count) for count in _FOUND.findall(said))
    return Tidied("airflow", rows, 0, f"rows of Airflow's own database from before {before:%Y-%m-%d}")
