"""Review of a candidate: checks, difference and report, after which a person is asked."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dti.annual.checks import candidate_checks, read_checks, write_checks
from dti.annual.checks_sql import rows
from dti.annual.difference import differ
from dti.annual.difference_model import Difference
from dti.annual.difference_sides import laid_beside
from dti.annual.model import DIFFERENCE, REPORT, SUMMARY, CheckResult, Request, RequestError, report_name
from dti.annual.report import Findings, render
from dti.annual.report_summary import summary_md
from dti.annual.request import move, read_request
from dti.errors import DtiError, WarehouseError
from dti.index.run import only_one, snapshot
from dti.settings import Settings
from dti.store import store_of
from dti.warehouse.connect import engine


class ChecksFailed(DtiError):
    """A candidate that nobody is asked to approve; candidate and report stay."""

    kind = "checks"


class Review(BaseModel):
    """What was found on a candidate. ``report`` says where the HTML file is, with ``difference.json`` beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: Request
    checks: list[CheckResult]
    difference: Difference
    report: str
    summary_md: str


def review(request_id: str, *, settings: Settings) -> Review:
    """Check the candidate of a request, compare it, write its report, and move the request on to ``waiting``.

    Can be repeated: a candidate, also one that waits already, is reviewed anew; of a request that was decided the
    review is given as it was. Raises ChecksFailed, naming each failed check with its rows and the remedy, after the
    request was moved to ``failed``; RequestError when there is no candidate; ConfigError when the limits are wrong;
    WarehouseError when PostgreSQL refuses.
    """
    database = engine(settings, "loader")
    try:
        with only_one(database, f"annual {request_id}"), snapshot(database) as connection:
            request = read_request(connection, request_id, lock=True)
            if request.status in ("candidate", "waiting"):
                found = _reviewed(connection, request, settings)
            else:
                found = _remembered(connection, request, settings)
    except DBAPIError as fault:
        raise WarehouseError(
            f"the review failed: {fault.orig}", where=request_id, remedy="nothing was decided; mend and review again"
        ) from fault.orig
    if failed := [check for check in found.checks if check.status == "failed"]:
        raise _refused(request_id, failed, found.report)
    return found


def _reviewed(connection: Connection, request: Request, settings: Settings) -> Review:
    """Everything anew, in the caller's transaction; the files are replaced before it ends, so none is ever missing."""
    run_id = str(request.run_id)
    with laid_beside(connection, run_id, settings) as sides:
        checks = candidate_checks(connection, request, sides, settings)
        difference = differ(connection, request.request_id, sides, settings)
    write_checks(connection, request.request_id, checks)
    findings = Findings(
        request=request,
        checks=read_checks(connection, request.request_id),
        difference=difference,
        framework=rows(connection, settings, "difference/framework", run_id=run_id)[0],
        indices=rows(connection, settings, "difference/index_value", run_id=run_id),
        corrections=rows(connection, settings, "difference/correction", run_id=run_id),
    )
    store, summary = store_of(settings), summary_md(findings)
    made = {REPORT: render(findings), DIFFERENCE: difference.model_dump_json(indent=1), SUMMARY: summary}
    for file, content in made.items():
        store.replace(report_name(request.request_id, file), content.encode())
    compared_with = {
        "publication_id": sides.publication.publication_id if sides.publication else None,
        "night_run_id": sides.night.run_id if sides.night else None,
    }
    if findings.failed:
        reason = "checks failed: " + ", ".join(check.check_name for check in findings.failed)
        request = move(connection, request.request_id, "failed", reason=reason, compared_with=compared_with)
    else:
        request = move(connection, request.request_id, "waiting", compared_with=compared_with)
    return Review(request=request, checks=findings.checks, difference=difference,
                  report=store.where(report_name(request.request_id)), summary_md=summary)  # fmt: skip


def _remembered(connection: Connection, request: Request, settings: Settings) -> Review:
    """The review of a request that was decided, or that its checks stopped, as it was."""
    store = store_of(settings)
    checks = read_checks(connection, request.request_id)
    was_decided = request.status in ("approved", "published", "rejected")
    was_stopped = request.status == "failed" and any(check.status == "failed" for check in checks)
    try:
        difference, summary = (
            store.read(report_name(request.request_id, file)).decode() for file in (DIFFERENCE, SUMMARY)
        )
    except FileNotFoundError:
        difference = summary = ""
    if not (was_decided or was_stopped) or not difference:
        because = f": {request.status_reason}" if request.status_reason else ""
        raise RequestError(
            f"there is no candidate to review, it is {request.status}{because}",
            where=request.request_id,
            remedy="compute it first" if request.status == "requested" else "ask anew",
        )
    return Review(
        request=request,
        checks=checks,
        difference=Difference.model_validate_json(difference),
        report=store.where(report_name(request.request_id)),
        summary_md=summary,
    )


def _refused(request_id: str, failed: list[CheckResult], report: str) -> ChecksFailed:
    told = "; ".join(f"{check.check_name}: {check.message}{_first_row(check)}" for check in failed)
    names = " ".join(check.check_name for check in failed)
    return ChecksFailed(
        told, where=request_id, remedy=f"mend it and ask again, or ask again and accept {names}; see {report}"
    )


def _first_row(check: CheckResult) -> str:
    """The first failing row, in words; the others are in the report."""
    if not check.detail:
        return ""
    return " (first: " + ", ".join(f"{key} {value}" for key, value in check.detail[0].items()) + ")"
