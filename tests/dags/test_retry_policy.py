"""A refused secret is not a time-out: what is tried again, and what is not."""

from __future__ import annotations

import inspect

import pytest

from dti import errors

AGAIN = {errors.SourceUnreachable, errors.SourceBusy, errors.SourceUnstable}
NEVER = {
    errors.SourceError,
    errors.SourceRefused,
    errors.SourceUntrusted,
    errors.SourceMissing,
    errors.SourceMalformed,
    errors.SourceChanged,
    errors.ConfigError,
    errors.MethodError,
}
AS_USUAL = {errors.DtiError, errors.LandingError, errors.WarehouseError}


def decision(fault: BaseException) -> str:
    from dti_airflow.retries import RETRY_BY_CAUSE

    return RETRY_BY_CAUSE.evaluate(fault, try_number=1, max_tries=3).action.value


def test_every_error_of_the_project_is_decided_here():
    ours = {cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.DtiError)}
    assert ours == AGAIN | NEVER | AS_USUAL


@pytest.mark.parametrize("fault", sorted(AGAIN, key=lambda c: c.__name__))
def test_what_may_pass_is_tried_again(fault):
    assert decision(fault("no answer")) == "retry"


@pytest.mark.parametrize("fault", sorted(NEVER, key=lambda c: c.__name__))
def test_what_will_not_change_fails_at_once(fault):
    assert decision(fault("wrong")) == "fail"


@pytest.mark.parametrize("fault", [*sorted(AS_USUAL, key=lambda c: c.__name__), OSError, RuntimeError])
def test_all_else_is_left_to_airflow(fault):
    assert decision(fault("odd")) == "default"


def test_waits_grow_from_two_minutes_to_twenty(monkeypatch):
    from dti_airflow.retries import retrying

    monkeypatch.delenv("DTI_RETRY_SECONDS", raising=False)
    given = retrying(3)
    assert given["retry_delay"].total_seconds() == 120
    assert given["retry_exponential_backoff"] == 2.0
    assert given["max_retry_delay"].total_seconds() == 1200
    assert given["retries"] == 3
