"""When a task of a recomputation fails for good, its request ends too, so that the year is free again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from dti_airflow.retries import RETRY_BY_CAUSE

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

RETRY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="airflow.providers.standard.exceptions.HITLTimeoutError",
            action=RetryAction.FAIL,
            reason="nobody answered in time",
        ),
        *RETRY_BY_CAUSE.rules,
    ]
)
"""As everywhere, and nobody is asked a second time because nobody answered."""


def free_the_year(context: Context) -> None:
    """End the open request of this run as failed, saying which task failed and why.

    The candidate is kept. A request that was never opened, or has ended already, is left as it is.
    """
    from dti import flow
    from dti.annual.request import list_requests
    from dti.settings import get_settings

    run_id, task = context["dag_run"].run_id, context["ti"].task_id
    reason = f"{task}: {context.get('exception') or 'stopped from outside'}"
    for request in list_requests(get_settings()):
        if request.request_key.partition("#")[0] == run_id and request.is_open:
            flow.annual_end(request.request_id, "failed", reason)
            log.warning("%s ended as failed: %s", request.request_id, reason)
