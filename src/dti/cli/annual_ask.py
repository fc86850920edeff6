"""``dti annual --year …``: from the asking to a candidate that waits for a decision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from rich.console import Console

from dti import flow
from dti.annual.model import RequestError
from dti.annual.request import list_requests
from dti.cli.annual_show import print_request
from dti.errors import DtiError
from dti.settings import Settings, get_settings

HOW = 'uv run dti annual --year 2026 --framework 922-2022 --reason "why it is recomputed"'


def ask_for(
    year: int | None,
    reason: str,
    requester: str,
    *,
    framework: str | None = None,
    geography: str | None = None,
    merge: str | None = None,
    as_of: str | None = None,
    accept: Sequence[str] = (),
    as_json: bool = False,
    settings: Settings | None = None,
) -> None:
    """Ask for a recomputation, compute and check its candidate, and print what changed.

    Asked again in the same words while the request is open, it goes on where it was, also after a kill. When a step
    fails the request ends as failed with the reason, so that the year is free. Raises DtiError with the remedy.
    """
    settings = settings or get_settings()
    if year is None:
        raise RequestError("no year is given", where="dti annual", remedy=HOW)
    if merge not in {None, "none", "average", "recomputed"}:
        raise RequestError(f"no merge method {merge!r}", where="--merge", remedy="none, average or recomputed")
    asked: dict[str, Any] = {
        "year": year,
        "reason": reason,
        "requester": requester,
        "framework_id": framework,
        "geography": geography,
        "merge_method": merge,
        "as_of": as_of,
        "accepted_checks": sorted(set(accept)),
    }
    with Console(stderr=True, highlight=False).status("preparing the warehouse") as progress:
        flow.prepare(settings)
        opened = flow.annual_open(**asked, door="command", key=_key(asked, settings), settings=settings)
        request_id = str(opened["request_id"])
        if opened["status"] in {"requested", "candidate"}:
            try:
                progress.update(f"{request_id}: rebuilding the facts and computing the candidate")
                flow.annual_compute(request_id, settings=settings)
                progress.update(f"{request_id}: checking and comparing")
                flow.annual_review(request_id, settings=settings)
            except DtiError as fault:
                progress.stop()
                with suppress(DtiError):  # what stopped it is told, not what followed from it
                    flow.annual_end(request_id, "failed", str(fault), settings=settings)
                    print_request(request_id, as_json=as_json, settings=settings)
                raise
    print_request(request_id, as_json=as_json, settings=settings)


def _key(asked: dict[str, Any], settings: Settings) -> str:
    """The same words name the same request while it is open, and another one once it has ended."""
    words = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    earlier = [r for r in list_requests(settings, asked["year"]) if r.request_key.startswith(f"command-{words}-")]
    going_on = next((request for request in earlier if request.is_open), None)
    return going_on.request_key if going_on else f"command-{words}-{len(earlier) + 1}"
