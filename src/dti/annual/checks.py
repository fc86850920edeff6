"""The checks of a candidate: what must hold before anyone is asked to approve it."""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from dti.annual.checks_facts import every_batch_decided, ledger_agrees, totals_reconcile
from dti.annual.checks_moves import coverage_kept, index_moves_explained
from dti.annual.checks_notes import corrections_hold, framework_in_force, synthetic
from dti.annual.checks_scores import points_add_up, units_present
from dti.annual.checks_sql import plain
from dti.annual.difference_sides import Sides
from dti.annual.limits import CHECK_NAMES, load_limits
from dti.annual.model import CheckResult, Request
from dti.index.identity import Run
from dti.settings import Settings

__all__ = ["CHECK_NAMES", "candidate_checks", "facts_checks", "read_checks", "write_checks"]


def facts_checks(connection: Connection, request: Request, run: Run, settings: Settings) -> list[CheckResult]:
    """Whether the facts behind ``run`` are whole and its totals are theirs.

    Runs inside the candidate's transaction, while the connection's search path finds the rebuilt facts.
    """
    results = [
        every_batch_decided(connection, request, settings),
        ledger_agrees(connection, run.run_id, settings),
        totals_reconcile(connection, run.run_id, settings),
    ]
    return _judged(request, results)


def candidate_checks(connection: Connection, request: Request, sides: Sides, settings: Settings) -> list[CheckResult]:
    """Whether the candidate is whole, adds up, and moved from what was known before only where something explains it.

    ``sides`` are laid beside it, in the caller's transaction. Raises ConfigError when the limits make no sense.
    """
    limits = load_limits(settings)
    run_id = sides.candidate.at
    results = [
        units_present(connection, request, run_id, settings),
        points_add_up(connection, request, run_id, settings),
        coverage_kept(connection, sides, limits, settings),
        index_moves_explained(connection, sides, limits, settings),
        corrections_hold(connection, run_id, settings),
        framework_in_force(sides.candidate),
        synthetic(sides.candidate),
    ]
    return _judged(request, results)


def write_checks(connection: Connection, request_id: str, results: list[CheckResult]) -> None:
    """Put ``results`` in the place of what the checks of their names said before, in the caller's transaction."""
    connection.execute(
        text("delete from annual.check_result where request_id = :request_id and check_name = any(:names)"),
        {"request_id": request_id, "names": [result.check_name for result in results]},
    )
    if results:
        connection.execute(
            text(
                "insert into annual.check_result (request_id, position, check_name, status, message, detail)"
                " values (:request_id, :position, :check_name, :status, :message, :detail)"
            ).bindparams(bindparam("detail", type_=JSONB)),
            [
                {"request_id": request_id, "position": CHECK_NAMES.index(result.check_name) + 1, **_row(result)}
                for result in results
            ],
        )


def read_checks(connection: Connection, request_id: str) -> list[CheckResult]:
    """What the checks of a request said, in the order in which they are told."""
    found = connection.execute(
        text(
            "select check_name, status, message, detail from annual.check_result"
            " where request_id = :request_id order by position"
        ),
        {"request_id": request_id},
    )
    return [CheckResult.model_validate(dict(row)) for row in found.mappings()]


def _row(result: CheckResult) -> dict[str, object]:
    return result.model_dump() | {"detail": json.loads(json.dumps(plain(result.detail), ensure_ascii=False))}


def _judged(request: Request, results: list[CheckResult]) -> list[CheckResult]:
    """A failure that the request accepts stops nothing: its requester answers for it."""
    return [
        result.model_copy(update={"status": "accepted"})
        if result.status == "failed" and result.check_name in request.accepted_checks
        else result
        for result in results
    ]
