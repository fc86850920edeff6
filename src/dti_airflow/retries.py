"""What is worth trying again, and when."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from dti.errors import ConfigError, SourceBusy, SourceError, SourceUnreachable, SourceUnstable

RETRY_BY_CAUSE = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[SourceUnreachable, SourceBusy, SourceUnstable],
            action=RetryAction.RETRY,
            reason="the agency's system may answer later",
        ),
        RetryRule(
            exception=[SourceError, ConfigError],
            action=RetryAction.FAIL,
            reason="asking again gives the same answer: a person must look at it",
        ),
    ]
)
"""Errors the project raises on purpose are judged by their type; all others are retried as Airflow always does."""


def first_delay() -> timedelta:
    """The wait before the first retry: two minutes, or ``DTI_RETRY_SECONDS`` where a person sits waiting."""
    return timedelta(seconds=float(os.environ.get("DTI_RETRY_SECONDS", "120")))


def retrying(retries: int) -> dict[str, Any]:
    """Task arguments for so many further tries, each after a longer wait (2, 4, 8 … minutes), if the cause allows."""
    return {
        "retries": retries,
        "retry_delay": first_delay(),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": 10 * first_delay(),
        "retry_policy": RETRY_BY_CAUSE,
    }
