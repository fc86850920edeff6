"""``dti compute``: one index run on request."""

from __future__ import annotations

from datetime import date

from rich.console import Console

from dti import flow
from dti.cli.correction_show import warn_of_expired
from dti.cli.tables import print_index
from dti.index.geography import MergeMethod
from dti.index.run import compute
from dti.settings import Settings, get_settings

KIND = "request"
"""Runs on request stand beside the nightly ones and are never the latest."""


def run_compute(
    day: date,
    framework: str | None,
    *,
    year: int | None = None,
    geography: str | None = None,
    merge_method: MergeMethod | None = None,
    settings: Settings | None = None,
) -> None:
    """Compute ``year`` (default: that of ``day``) as known on ``day`` and print its index table."""
    settings = settings or get_settings()
    flow.prepare(settings)
    run = compute(
        day,
        framework or settings.framework,
        year=year,
        geography=geography,
        merge_method=merge_method,
        kind=KIND,
        settings=settings,
    )
    print_index(settings, run.run_id)
    warn_of_expired(run.run_id, Console(stderr=True, highlight=False), settings)
