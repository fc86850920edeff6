"""How a check tells what it saw."""

from __future__ import annotations

from typing import Any, Literal

from dti.annual.checks_sql import plain
from dti.annual.model import CheckResult

ROWS_KEPT = 100
"""Failing rows that are kept of one check; its message tells how many there are."""


def told(
    check_name: str,
    status: Literal["passed", "warning", "failed"],
    message: str,
    detail: list[dict[str, Any]] | None = None,
) -> CheckResult:
    """A result; of more rows than a person reads, the first are kept and the message says so."""
    detail = detail or []
    if len(detail) > ROWS_KEPT:
        message = f"{message} (the first {ROWS_KEPT} of {len(detail)} are kept)"
    return CheckResult(check_name=check_name, status=status, message=message, detail=plain(detail[:ROWS_KEPT]))


def some(names: list[str], most: int = 5) -> str:
    """A few names, and how many more."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
