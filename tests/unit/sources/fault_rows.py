"""What a row of the table of faults is, and the well-behaved agencies that the faults are faults of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dti.errors import DtiError
from tests.builders.misbehaving import Answer, Question
from tests.unit.sources.agency import Agency, dossier, minute

RECORDS = 7
LOGIN = "check login and secret of the connection, and what the agency grants it"
LATER = "ask again later; if it lasts, call the agency"
ONCE = "one more time"
TRIES = "`retries` times, each after a longer wait"
NOT = "not asked again"
RECORDED = "nothing; the failed fetch is recorded"
WHOLE = {"paging": {"style": "none"}}
PAGED = {"paging": {"style": "page", "size": 3}}
# Patience in fractions of what a source file would grant.
PATIENCE: dict[str, Any] = {
    "timeout_seconds": 0.4,
    "answer_seconds": 0.6,
    "pull_seconds": 20,
    "max_wait_seconds": 2,
    "retries": 1,
}

Portal = Callable[[Question], Answer]
Misdeed = Callable[[int, Question, Portal], Answer]


@dataclass(frozen=True)
class SourceFault:
    """One fault: what the server does, and what is asked again, what lands and what a person reads.

    ``does`` answers the n-th question, given the honest portal to fall back on. ``kind`` None: the pull goes through,
    and ``reads`` (when there is anything to tell) stands among the warnings; else ``reads`` is the fault's own text.
    """

    id: str
    fault: str
    again: str
    does: Misdeed
    reads: str
    requests: int
    retries: int = 0
    kind: type[DtiError] | None = None
    rows: int = RECORDS
    lands: str = "every record, once"
    connector: Mapping[str, Any] = field(default_factory=lambda: WHOLE)
    tls: str | None = None  # a certificate of the tests' server, see test_faults
    ca_file: bool = True
    hang_ups: int = 0
    connection: bool = False
    seconds: float = 4.0
    feed: str = "online_services"


def first(*answers: Answer) -> Misdeed:
    """These answers first, then the portal's own."""
    return lambda n, question, portal: answers[n - 1] if n <= len(answers) else portal(question)


def always(answer: Answer) -> Misdeed:
    """This answer to everything."""
    return lambda _n, _question, _portal: answer


def status(code: int, **headers: str) -> Answer:
    """An error status with a body that says nothing."""
    return Answer(b"{}", code, {name.replace("_", "-"): text for name, text in headers.items()})


def zipped(body: bytes, **more: Any) -> Answer:
    """``body`` as the content of a gzip answer."""
    return Answer(body, headers={"Content-Encoding": "gzip"}, **more)


def records() -> list[dict[str, Any]]:
    """What the portal holds."""
    return [dossier(n, minute(n)) for n in range(RECORDS)]


def page_of(found: list[dict[str, Any]], **around: Any) -> Answer:
    """A list as the portal writes it."""
    return Answer(json.dumps({"data": found} | around).encode())


def portal_of(agency: Agency) -> Portal:
    """The tests' agency, behind this server."""

    def answer(question: Question) -> Answer:
        return Answer(agency.handle(question).get_data())  # type: ignore[arg-type]

    return answer


def office(n: int, question: Question, portal: Portal, good: Callable[[int], str | None]) -> Answer:
    """A portal with a token office: ``good`` names the token that it takes at the n-th question, None: none."""
    if question.path == "/token":
        token = {"access_token": f"token-{n}", "token_type": "Bearer", "expires_in": 3600}
        return Answer(json.dumps(token).encode())
    given = question.headers.get("Authorization", "").removeprefix("Bearer ")
    return portal(question) if given == good(n) else status(401)


def prometheus(question: Question) -> Answer:
    """A Prometheus with one series, one sample a step, of which it shows the first ones."""
    start, step = int(question.args["start"]), int(question.args["step"])
    values = [[start + step * n, "1"] for n in range(RECORDS)]
    series = {"metric": {"job": "node"}, "values": values}
    return Answer(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [series]}}).encode())
