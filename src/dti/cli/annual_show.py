"""Requests as a person or a program reads them: what was asked, checks, ranks, and the way on."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti.annual.checks import read_checks
from dti.annual.difference_model import Comparison, Difference
from dti.annual.model import DIFFERENCE, REPORT, CheckResult, Request, report_name
from dti.annual.request import get_request, list_requests
from dti.clock import ZONE
from dti.settings import Settings, get_settings
from dti.store import store_of
from dti.warehouse.connect import engine

MAIN = "PDTI"
_CHECK = {"passed": "green", "warning": "yellow", "failed": "red", "accepted": "yellow"}
_STATUS = {"waiting": "yellow", "published": "green", "rejected": "red", "failed": "red", "withdrawn": "dim"}
RANKS_SHOWN = 20


def console() -> Console:
    """Standard output; wide enough for a table when it is a file or a pipe."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=150)


def print_json(content: Any) -> None:
    """JSON for a program."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def print_requests(year: int | None = None, *, as_json: bool = False, settings: Settings | None = None) -> None:
    """All requests, or those of one year, newest first."""
    found = list_requests(settings or get_settings(), year)
    if as_json:
        print_json([request.model_dump(mode="json") for request in found])
        return
    table = Table(box=None, pad_edge=False)
    for name in ("request", "framework", "units", "as of", "asked", "by", "status", "why so"):
        table.add_column(name)
    for request in found:
        table.add_row(
            request.request_id,
            request.framework_id,
            _units(request),
            str(request.as_of_date),
            _moment(request.requested_at),
            Text(request.requester),
            Text(request.status, _STATUS.get(request.status, "")),
            Text(request.publication_id or request.status_reason),
        )
    console().print(table if found else "no request yet")


def print_request(request_id: str, *, as_json: bool = False, settings: Settings | None = None) -> None:
    """One request, with its checks, whose rank changed, and what can be done with it."""
    settings = settings or get_settings()
    request = get_request(request_id, settings=settings)
    with engine(settings, "loader").connect() as connection:
        checks = read_checks(connection, request_id)
    store = store_of(settings)
    report, data = (store.where(report_name(request_id, file)) for file in (REPORT, DIFFERENCE))
    try:
        difference = Difference.model_validate_json(store.read(report_name(request_id, DIFFERENCE)))
    except FileNotFoundError:
        difference = None
    if as_json:
        print_json(_for_programs(request, checks, difference, report, data))
        return
    out = console()
    _print_head(out, request)
    if checks:
        _print_checks(out, checks)
    if difference is not None:
        _print_ranks(out, difference)
        out.print(f"report    {report}", markup=False, soft_wrap=True)
    for line in _way_on(request):
        out.print(line, markup=False, soft_wrap=True)


def _for_programs(
    request: Request, checks: list[CheckResult], difference: Difference | None, report: str, data: str
) -> dict[str, Any]:
    main = difference.main if difference else None
    return {
        "request": request.model_dump(mode="json"),
        "checks": [check.model_dump(mode="json") for check in checks],
        "compared_with": main.side.name if main and main.side else None,
        "rank_changes": [move.model_dump(mode="json") for move in main.rank_changes()] if main else [],
        "report": report if difference else None,
        "difference": data if difference else None,
    }


def _print_head(out: Console, request: Request) -> None:
    status = Text(request.status, f"bold {_STATUS.get(request.status, '')}")
    out.print(Text.assemble((f"{request.request_id}  ", "bold"), status, f"  {request.status_reason}"), soft_wrap=True)
    as_of = f"{request.as_of_asked or 'now'}: what was known by {_moment(request.data_cut_off)}"
    for name, value in (
        ("year", f"{request.year}, {request.framework_id} {request.framework_hash[:12]}"),
        ("units", _units(request)),
        ("as of", as_of),
        ("asked", f"{_moment(request.requested_at)} by {request.requester} ({request.door})"),
        ("reason", request.reason),
        ("run", request.run_id or "not computed"),
    ):
        out.print(f"{name:<10}{value}", markup=False, soft_wrap=True)


def _print_checks(out: Console, checks: list[CheckResult]) -> None:
    table = Table(box=None, pad_edge=False, title="Kiểm tra · Checks", title_justify="left")
    for name in ("check", "status", "what was seen"):
        table.add_column(name)
    for check in checks:
        table.add_row(check.check_name, Text(check.status, _CHECK[check.status]), Text(check.message))
    out.print()
    out.print(table)


def _print_ranks(out: Console, difference: Difference) -> None:
    out.print()
    main = difference.main
    if main is None or main.side is None:
        for comparison in (difference.publication, difference.night):
            out.print(f"not compared with the {comparison.against}: {comparison.why_not or 'there is none'}")
        return
    changed = main.rank_changes(_main_measure(difference))
    title = f"Thứ hạng · {_main_measure(difference)} ranks against {main.side.name}: {len(changed)} changed"
    if changed:
        out.print(_ranks(title, main, changed[:RANKS_SHOWN]))
    else:
        out.print(title, markup=False)
    if len(changed) > RANKS_SHOWN:
        out.print(f"and {len(changed) - RANKS_SHOWN} more, in the report")


def _ranks(title: str, main: Comparison, changed: list[Any]) -> Table:
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for name in ("unit", "rank", "was", "index", "was", "most of it"):
        table.add_column(name, justify="left" if name in ("unit", "most of it") else "right")
    for move in changed:
        parts = sorted(move.indicators, key=lambda part: -abs(part.contribution))[:3]
        table.add_row(
            Text(move.unit_name),
            str(move.rank_after),
            str(move.rank_before),
            f"{move.value_after:.4f}",
            f"{move.value_before:.4f}",
            Text(", ".join(part.indicator_code for part in parts) or "others moved"),
        )
    return table


def _main_measure(difference: Difference) -> str:
    codes = [measure.code for measure in difference.measures if measure.kind == "composite"]
    return MAIN if MAIN in codes or not codes else codes[0]


def _way_on(request: Request) -> list[str]:
    match request.status:
        case "waiting" if request.door != "command":
            return [
                "decide    in Airflow, under Required Actions: a run waits for the answer there",
                f"give up   uv run dti annual withdraw {request.request_id}, if that run is gone",
            ]
        case "waiting":
            said = f"uv run dti annual {{}} {request.request_id} --by NAME --note WHY"
            return [f"publish   {said.format('approve')}", f"or not    {said.format('reject')}"]
        case "requested" | "candidate" | "approved":
            return [
                "It is under way, or its process ended: repeat the call that asked for it.",
                f"give up   uv run dti annual withdraw {request.request_id}",
            ]
        case "published":
            return [f"files     uv run dti annual bundle {request.publication_id}"]
        case _:
            return ["Nothing was published. The year is free: ask again once the cause is mended."]


def _units(request: Request) -> str:
    merged = "" if request.merge_method == "none" else f", {request.merge_method}"
    return f"{request.geography}{merged}"


def _moment(moment: Any) -> str:
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}"
