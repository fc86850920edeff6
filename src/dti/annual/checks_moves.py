"""Checks of a candidate against what was known before."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from dti.annual.checks_result import some, told
from dti.annual.checks_sql import rows
from dti.annual.difference import corrections_between, restated_between
from dti.annual.difference_sides import Sides
from dti.annual.limits import Limits
from dti.annual.model import CheckResult
from dti.settings import Settings


def coverage_kept(connection: Connection, sides: Sides, limits: Limits, settings: Settings) -> CheckResult:
    """No unit, and not the whole, knows less than when the year was last published, by more than the limits."""
    name, before = "coverage_kept", sides.publication
    if before is None or before.geography != sides.candidate.geography:
        return told(name, "passed", "the year has not been published for these units, so no coverage could fall")
    unit, mean = limits.unit_coverage_drop_max_percentage_points, limits.mean_coverage_drop_max_percentage_points
    fallen = rows(
        connection,
        settings,
        "checks/coverage_kept",
        before=before.at,
        after=sides.candidate.at,
        unit_limit=unit.share,
        mean_limit=mean.share,
    )
    allowed = f"{unit.limit} percentage point(s) of a unit and {mean.limit} in the mean"
    if not fallen:
        return told(name, "passed", f"coverage did not fall below that of {before.name} by more than {allowed}")
    named = some(["the mean" if row["unit_id"] is None else row["unit_name"] for row in fallen])
    return told(name, "failed", f"coverage fell by more than {allowed} since {before.name}: {named}", fallen)


def index_moves_explained(connection: Connection, sides: Sides, limits: Limits, settings: Settings) -> CheckResult:
    """What moved far since the last publication (without one: the newest night) moved because an input did."""
    name, before, after = "index_moves_explained", sides.base, sides.candidate
    if before is None:
        return told(name, "passed", "neither a publication nor a night of the year to hold it against")
    restated = [each.model_dump(mode="json") for each in restated_between(connection, before, after, settings)]
    corrected = [each.model_dump(mode="json") for each in corrections_between(connection, before, after, settings)]
    moved = rows(
        connection,
        settings,
        "checks/index_move",
        before=before.at,
        after=after.at,
        restated=json.dumps(restated),
        corrected=json.dumps(corrected),
        pillar_limit=limits.pillar_move_max_percentage_points.share,
        composite_limit=limits.composite_move_max_percentage_points.share,
    )
    allowed = (
        f"{limits.composite_move_max_percentage_points.limit} percentage point(s) of a composite or"
        f" {limits.pillar_move_max_percentage_points.limit} of a pillar"
    )
    rest = [row for row in moved if not row.pop("is_explained")]
    if not moved:
        return told(name, "passed", f"nothing moved by more than {allowed} since {before.name}")
    if not rest:
        return told(name, "passed", f"{len(moved)} index(es) moved by more than {allowed} since {before.name}, each for"
                    " a reason that is known", moved)  # fmt: skip
    named = some([f"{row['measure']} of {row['unit_name']}" for row in rest])
    if method_change := rest[0]["method_change"]:
        message = f"{len(rest)} index(es) moved by more than {allowed} since {before.name}, by {method_change}: {named}"
        return told(name, "warning", message, rest)
    message = f"{len(rest)} index(es) moved by more than {allowed} since {before.name} and no input did: {named}"
    return told(name, "failed", message, rest)
