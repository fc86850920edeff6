"""The value that finding hands to telling: a cause that needs a person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dti.clock import ZONE
from dti.explain.model import Words

Severity = Literal["critical", "warning"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning")
"""critical: figures are wrong, missing or older than allowed, or nobody would know; warning: they will be."""


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Effect(_Value):
    """What the index of the newest nightly run owes to what is at fault.

    ``state``: ``held`` (values in the index stand on what was delivered before), ``missing`` (indicators are not known
    and score 0), ``none`` (nothing in the index comes from there) or ``unknown``. ``points`` is the most that hangs on
    it for one unit, of ``max_points``; both are None when nothing was counted.
    """

    state: Literal["held", "missing", "none", "unknown"]
    words: Words
    run_id: str | None = None
    pillars: list[str] = Field(default_factory=list)
    indicators: list[str] = Field(default_factory=list)
    units: list[str] = Field(default_factory=list, description="Unit ids.")
    points: float | None = None
    max_points: float | None = None


class Cause(_Value):
    """One thing that needs a person. ``key`` stays the same from night to night; texts hold nobody's data."""

    key: str = Field(pattern=r"^[a-z_]+(/\S+)?$", description="Kind and what it is about: source_failed/dvc-ca-mau.")
    severity: Severity
    fingerprint: str = Field(description="What is worth telling again when it changes; the severity is added.")
    feed: str | None = None
    source_id: str | None = None
    agency: str = Field(description="Who is concerned: an agency, or this project.")
    owner: str = ""
    since: date | None = Field(default=None, description="The first night of it, where it is known.")
    title: Words
    what: Words
    effect: Effect
    remedy: Words
    runbook: str = Field(description="Path in the repository.")

    @property
    def kind(self) -> str:
        """The key up to its slash."""
        return self.key.partition("/")[0]

    @property
    def identity(self) -> str:
        """What is compared with what was told."""
        return f"{self.severity}|{self.fingerprint}"


def by_urgency(cause: Cause) -> tuple[int, str]:
    """Sort key: the critical ones first, then by key."""
    return SEVERITIES.index(cause.severity), cause.key


def the_night(day: date | datetime | None) -> Words | None:
    """A night as a person writes it; of a moment the day in Việt Nam."""
    if day is None:
        return None
    plain = day.astimezone(ZONE).date() if isinstance(day, datetime) else day
    return Words(vi=f"{plain:%d/%m/%Y}", en=plain.isoformat())
