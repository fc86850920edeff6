"""The value the gate hands on: what became of one batch."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dti.settings import Settings

Severity = Literal["critical", "warning", "info"]
VERDICT_FILE = "verdict.json"


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
    that failed. ``passed_files`` and ``quarantine_file`` are absolute paths below the staging folder.
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


def staging_folder(batch_id: str, settings: Settings) -> Path:
    """Where the gate writes what it makes of one batch."""
    return settings.staging_dir / batch_id


def save_verdict(verdict: Verdict, settings: Settings) -> None:
    """Write ``verdict.json``, last of all files and by rename, so that it exists only when the rest is whole."""
    target = staging_folder(verdict.batch_id, settings) / VERDICT_FILE
    draft = target.with_suffix(".tmp")
    with draft.open("w", encoding="utf-8") as file:
        file.write(verdict.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)


def load_verdict(batch_id: str, *, settings: Settings) -> Verdict | None:
    """The verdict over a batch, or None while there is none (not judged yet, or killed while being judged)."""
    path = staging_folder(batch_id, settings) / VERDICT_FILE
    return Verdict.model_validate_json(path.read_text("utf-8")) if path.is_file() else None
