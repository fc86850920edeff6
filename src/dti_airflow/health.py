"""Whether a container's process is at work, as cheaply as it can be asked: no Airflow is imported for it."""

from __future__ import annotations

import os
import socket

from dti.errors import ConfigError
from dti_airflow.environment import EXECUTION_API
from dti_airflow.services import COMPONENTS, WORKER, reports, sandbox_answers

SANDBOX = "sandbox"
ANSWER_SECONDS = 5.0


def healthy(name: str) -> bool:
    """Whether ``name`` is at work: what the api-server says of its components, what a worker or the sandbox answers.

    Raises ConfigError when there is no such service.
    """
    if name == WORKER:
        return _worker_answers()
    if name == SANDBOX:
        return sandbox_answers(os.environ["DTI_SANDBOX_URL"])
    if name not in COMPONENTS:
        names = ", ".join([*COMPONENTS, WORKER, SANDBOX])
        raise ConfigError("no such service", where=name, remedy=f"one of: {names}")
    api = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].removesuffix(EXECUTION_API)
    return reports(COMPONENTS[name], api)()


def _worker_answers() -> bool:
    """Whether this machine's Celery worker answers a ping that comes through the broker."""
    from celery import Celery

    with Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"]) as app:
        ours = [f"celery@{socket.gethostname()}"]
        return bool(app.control.ping(destination=ours, timeout=ANSWER_SECONDS))
