"""Checks of a candidate by itself: every unit is there, and every figure is what its parts make it."""

from __future__ import annotations

import csv
import io
import json

from sqlalchemy import Connection, text

from dti.annual.checks_result import some, told
from dti.annual.checks_sql import rows
from dti.annual.model import CheckResult, Request
from dti.settings import Settings
from dti.warehouse import inputs


def units_present(connection: Connection, request: Request, run_id: str, settings: Settings) -> CheckResult:
    """Every unit of the geography and level has every pillar with points and every composite, and no other unit has."""
    units = _units(connection, request)
    missing = rows(connection, settings, "checks/units_present", run_id=run_id, units=json.dumps(units))
    if not units:
        return told("units_present", "failed", f"geography {request.geography} has no units of the framework's level")
    if not missing:
        return told("units_present", "passed", f"all {len(units)} units have every pillar and composite")
    named = some(sorted({row["unit_id"] for row in missing}))
    return told("units_present", "failed", f"{len(missing)} indices of units are missing or too many: {named}", missing)


def points_add_up(connection: Connection, request: Request, run_id: str, settings: Settings) -> CheckResult:
    """Points are the sum of their indicators, composites the weighted mean of unrounded pillars, ranks competition
    ranks of the rounded value: computed again, apart from the run."""
    wrong = rows(
        connection, settings, "checks/points_add_up", run_id=run_id, units=json.dumps(_units(connection, request))
    )
    if not wrong:
        return told("points_add_up", "passed", "points, indices, coverage and ranks add up from their parts")
    named = some(sorted({f"{row['figure']} of {row['measure']}" for row in wrong}))
    return told("points_add_up", "failed", f"{len(wrong)} figure(s) are not what their parts make them: {named}", wrong)


def _units(connection: Connection, request: Request) -> list[dict[str, str]]:
    """Units with their regions, by the version of the reference data that the request computes with."""
    level = connection.execute(
        text("select unit_level from method.framework where framework_id = :id and framework_hash = :hash"),
        {"id": request.framework_id, "hash": request.framework_hash},
    ).scalar_one()
    listed = csv.DictReader(io.StringIO(inputs.content(connection, "reference", request.reference_hash)["unit.csv"]))
    return [
        {"unit_id": row["unit_id"], "region_code": row["region_code"]}
        for row in listed
        if (row["geography"], row["unit_level"]) == (request.geography, level)
    ]
