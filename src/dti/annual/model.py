"""The values that annual recomputation hands on."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dti.errors import ConfigError
from dti.index.geography import MergeMethod

Door = Literal["form", "api", "command", "calendar"]
Status = Literal["requested", "candidate", "waiting", "approved", "published", "rejected", "withdrawn", "failed"]
OPEN: tuple[Status, ...] = ("requested", "candidate", "waiting", "approved")
"""A request in one of these goes on, and a year has at most one that does."""


class RequestError(ConfigError):
    """A recomputation that cannot be asked for like this; the remedy says how to ask instead."""

    kind = "request"


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Value):
    """What a person, a program or the calendar asks for; nothing of it is checked yet.

    ``as_of``: nothing (now), a moment (``2027-02-01T00:00+07:00``; without a zone it is meant in Việt Nam), a day (as
    the night of that day knew it), or the id of a run. ``key`` names the asking: asked again with it, the same request
    comes back. ``accepted_checks`` may fail without stopping it.
    """

    year: int
    reason: str
    requester: str
    door: Door = "command"
    key: str
    framework_id: str | None = None
    geography: str | None = None
    merge_method: MergeMethod | None = None
    as_of: str | None = None
    accepted_checks: tuple[str, ...] = ()


class Request(_Value):
    """One row of ``annual.request``: what was asked, as it was understood, and how far it has come."""

    request_id: str
    request_key: str
    year: int
    framework_id: str
    framework_hash: str
    family: str
    geography: str
    merge_method: MergeMethod
    as_of_asked: str
    as_of_run_id: str | None
    as_of_date: date
    data_cut_off: datetime
    corrections_hash: str | None
    reference_hash: str
    reason: str
    requester: str
    door: Door
    accepted_checks: tuple[str, ...]
    requested_at: datetime
    status: Status
    status_at: datetime
    status_reason: str
    run_id: str | None
    publication_id: str | None
    compared_with: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether it still goes on."""
        return self.status in OPEN


class CheckResult(_Value):
    """One check of a candidate. ``detail`` holds the rows that failed, for people and programs alike."""

    check_name: str
    status: Literal["passed", "warning", "failed", "accepted"]
    message: str
    detail: list[dict[str, Any]] = Field(default_factory=list)


REPORT, DIFFERENCE, SUMMARY = "report.html", "difference.json", "summary.md"


def report_name(request_id: str, file: str = REPORT) -> str:
    """Name below DTI_HOME of a file of a request."""
    return f"annual/{request_id}/{file}"
