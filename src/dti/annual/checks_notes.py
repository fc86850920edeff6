"""Checks that stop nothing and that the approver must know of."""

from __future__ import annotations

from sqlalchemy import Connection

from dti.annual.checks_result import some, told
from dti.annual.checks_sql import rows
from dti.annual.difference_model import Side
from dti.annual.model import CheckResult
from dti.settings import Settings


def corrections_hold(connection: Connection, run_id: str, settings: Settings) -> CheckResult:
    """Every correction still stands on what its source held when it was written."""
    expired = rows(connection, settings, "checks/expired_correction", run_id=run_id)
    if not expired:
        return told("corrections_hold", "passed", "no correction has expired")
    named = some(sorted({row["correction_id"] for row in expired}))
    message = f"{len(expired)} correction(s) were not applied, as their sources changed since: {named}"
    return told("corrections_hold", "warning", f"{message}; remove them, or write them anew", expired)


def framework_in_force(candidate: Side) -> CheckResult:
    """The decision behind the framework covers the year."""
    if candidate.framework_in_force:
        return told("framework_in_force", "passed", f"{candidate.framework_id} is in force for {candidate.year}")
    message = f"{candidate.framework_id} does not cover {candidate.year}: the result is an estimate"
    return told("framework_in_force", "warning", message)


def synthetic(candidate: Side) -> CheckResult:
    """The figures are those of real units."""
    if not candidate.synthetic:
        return told("synthetic", "passed", "no made-up source stands behind a figure")
    return told("synthetic", "warning", "made-up data: no figure says anything about a real province")
