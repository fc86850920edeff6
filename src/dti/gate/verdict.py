"""The value the gate hands on: what became of one batch."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Severity = Literal["critical", "warning", "info"]


class RuleResult(BaseModel):
    """How one rule fared over the whole batch; ``checked_count`` leaves out rows the rule does not speak of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    severity: Severity
    passed: bool
    checked_count: int
    failed_count: int
    detail: str = Field(default="", description="What was seen: first failing rows, or the number observed.")


class Verdict(BaseModel):
    """What became of one batch. ``stopped``: nothing of it goes on, and every landed row counts as quarantined.

    ``rules`` holds every rule of the suite, and of the built-in ones (``type:…``, ``required:…``, ``unit``) those
    that failed. ``passed_files`` and ``quarantine_file`` are paths on this machine, or where staging is in
    an object store, names in the batch's folder there: ``dti.gate.staging.at_hand`` makes files of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_id: str
    feed: str
    source_id: str
    night: date
    status: Literal["passed", "stopped"]
    rows_landed: int
    rows_passed: int
    rows_quarantined: int
    rules: list[RuleResult]
    stopped_reason: str | None = None
    passed_files: list[str] = Field(default_factory=list)
    quarantine_file: str | None = None

    @model_validator(mode="after")
    def _every_row_is_accounted_for(self) -> Verdict:
        if self.rows_landed != self.rows_passed + self.rows_quarantined:
            raise ValueError("rows_landed must be rows_passed + rows_quarantined")
        if (self.status == "stopped") != (self.stopped_reason is not None):
            raise ValueError("stopped_reason goes with status stopped, and only with it")
        if self.status == "stopped" and (self.rows_passed or self.passed_files):
            raise ValueError("nothing of a stopped batch may pass")
        return self
