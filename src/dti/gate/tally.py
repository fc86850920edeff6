"""Adds up, over the parts of one batch, how each rule fared, and says whether the batch must be stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dti.feeds import Contract
from dti.gate.engine import Outcome
from dti.gate.part import EXAMPLES
from dti.gate.suite import Suite
from dti.gate.verdict import RuleResult, Severity

QUARANTINE_SHARE = "quarantine_share"


@dataclass
class _Count:
    """What is known of one rule so far."""

    checked: int = 0
    failed: int = 0
    passed: bool = True
    seen: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """Rules, rows and reasons of one batch so far. ``rows_landed`` is known from the start, by the manifest."""

    contract: Contract
    suite: Suite
    rows_landed: int
    rows_quarantined: int = 0
    retyped: list[tuple[str, str]] = field(default_factory=list)
    waived: frozenset[str] = frozenset()
    _built_in: dict[str, _Count] = field(default_factory=dict)
    _of_suite: dict[str, _Count] = field(default_factory=dict)

    def add_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Count what GX found, in one part or over the whole batch."""
        for outcome in outcomes:
            count = self._of_suite.setdefault(outcome.rule, _Count())
            count.checked += outcome.checked_count
            count.failed += len(outcome.failed_rows) if outcome.failed_rows else int(not outcome.passed)
            count.passed = count.passed and outcome.passed
            if outcome.observed and not outcome.passed:
                count.seen.append(f"observed {outcome.observed}")

    def add_faults(self, faults: Iterable[tuple[str, str, int, Sequence[str]]]) -> None:
        """Count the built-in rules of a part, and keep the first reasons told, of every rule."""
        for rule, _severity, rows, reasons in faults:
            count = self._of_suite.get(rule)
            if count is None:
                count = self._built_in.setdefault(rule, _Count(checked=self.rows_landed))
                count.failed, count.passed = count.failed + rows, False
            count.seen += reasons[: EXAMPLES - len(count.seen)]

    def stop_reasons(self) -> list[tuple[str, str]]:
        """Why the batch must be stopped as far as is known: (rule, reason); empty: it may go on. Never shrinks."""
        reasons = [
            (e.rule, f"{e.meta.reason} ({self._detail(self._of_suite[e.rule])})")
            for e in self.suite.expectations
            if e.severity == "critical" and e.rule in self._of_suite and not self._of_suite[e.rule].passed
        ]
        reasons += self.retyped
        limit = self.contract.quarantine_limit_pct
        if self.rows_landed and self.rows_quarantined * 100 > limit * self.rows_landed:
            share = f"{self.rows_quarantined} of {self.rows_landed} rows are bad, more than {limit:g} %"
            reasons.append((QUARANTINE_SHARE, f"{share}: {self._worst()}"))
        return [(rule, why) for rule, why in reasons if rule not in self.waived]

    def unreadable(self) -> dict[str, tuple[int, list[str]]]:
        """Column → values that are not of its type: how many, and the first of them told."""
        counts = {rule.removeprefix("type:"): c for rule, c in self._built_in.items() if rule.startswith("type:")}
        return {name: (count.failed, count.seen) for name, count in counts.items()}

    def results(self) -> list[RuleResult]:
        """Every rule of the suite in its order, after the built-in rules that failed."""
        built_in = [self._result(rule, "warning", count) for rule, count in self._built_in.items()]
        return built_in + [
            self._result(e.rule, e.severity, self._of_suite.get(e.rule, _Count())) for e in self.suite.expectations
        ]

    def _result(self, rule: str, severity: Severity, count: _Count) -> RuleResult:
        return RuleResult(
            rule=rule,
            severity=severity,
            passed=count.passed,
            checked_count=count.checked,
            failed_count=count.failed,
            detail="" if count.passed else self._detail(count),
        )

    @staticmethod
    def _detail(count: _Count) -> str:
        more = f" and {count.failed - len(count.seen)} more" if count.failed > len(count.seen) else ""
        return "; ".join(count.seen) + more

    def _worst(self) -> str:
        """The rules that send most rows away, in words."""
        counts = {
            **self._built_in,
            **{
                e.rule: self._of_suite.get(e.rule, _Count()) for e in self.suite.expectations if e.severity == "warning"
            },
        }
        worst = sorted(((count.failed, rule) for rule, count in counts.items() if count.failed), reverse=True)
        return ", ".join(f"{rule} {failed}" for failed, rule in worst[:EXAMPLES])
