"""What the rules found, as a value and as rows of ops.night_check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from dti.quality.judging import Finding
from dti.quality.rules import Rule

_COLUMNS = (
    "night", "rule", "position", "topic", "feed", "source_id", "unit_id", "severity", "status", "checked_count",
    "failed_count", "detail", "reason", "reason_vi", "run_id",
)  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """One rule and how everything fared that it speaks of."""

    rule: Rule
    findings: list[Finding]

    @property
    def failed(self) -> list[Finding]:
        """The findings that failed."""
        return [finding for finding in self.findings if finding.status == "failed"]


@dataclass(frozen=True)
class NightResult:
    """All rules of one night. ``run_id`` None: the night has no index run."""

    night: date
    run_id: str | None
    checked: list[Checked]

    def counts(self) -> dict[str, int]:
        """Findings by status."""
        return dict(Counter(finding.status for each in self.checked for finding in each.findings))

    def failed(self) -> list[Checked]:
        """The rules that failed anywhere, the severest first."""
        order = ("critical", "warning", "info")
        return sorted((c for c in self.checked if c.failed), key=lambda c: order.index(c.rule.severity))

    def summary(self) -> dict[str, Any]:
        """What a log, a task or a message needs; no record of any agency."""
        return {
            "night": self.night.isoformat(),
            "run_id": self.run_id,
            "counts": self.counts(),
            "failed": [
                {
                    "rule": each.rule.rule,
                    "severity": each.rule.severity,
                    "reason": each.rule.reason,
                    "places": len(each.failed),
                    "first": place(each.failed[0]),
                }
                for each in self.failed()
            ],
        }


def place(finding: Finding) -> str:
    """Where it failed and what was seen, in words."""
    named = " ".join(part for part in (finding.feed, finding.source_id, finding.unit_id) if part)
    return f"{named}: {finding.detail}" if named and finding.detail else named or finding.detail


def write(connection: Connection, night: date, run_id: str | None, checked: Sequence[Checked]) -> None:
    """Replace what stands for ``night``, in the caller's transaction."""
    connection.execute(text("delete from ops.night_check where night = :night"), {"night": night})
    rows = [
        {
            "night": night,
            "rule": each.rule.rule,
            "position": position,
            "topic": each.rule.topic,
            "feed": finding.feed,
            "source_id": finding.source_id,
            "unit_id": finding.unit_id,
            "severity": each.rule.severity,
            "status": finding.status,
            "checked_count": finding.checked_count,
            "failed_count": finding.failed_count or 0,
            "detail": finding.detail[:2000],
            "reason": each.rule.reason,
            "reason_vi": each.rule.reason_vi,
            "run_id": run_id,
        }
        for each in checked
        for position, finding in enumerate(each.findings)
    ]
    if rows:
        names = ", ".join(_COLUMNS)
        values = ", ".join(f":{name}" for name in _COLUMNS)
        connection.execute(text(f"insert into ops.night_check ({names}) values ({values})"), rows)  # noqa: S608
