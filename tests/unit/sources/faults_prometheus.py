"""The same faults of a Prometheus, which is asked by another connector over the same layer."""

from __future__ import annotations

import json

from dti.errors import (
    SourceMalformed,
    SourceUnreachable,
    SourceUntrusted,
)
from tests.builders.misbehaving import Answer
from tests.unit.sources.fault_rows import (
    LATER,
    NOT,
    ONCE,
    TRIES,
    SourceFault,
    always,
    first,
    prometheus,
    status,
)

FAULTS = [
    SourceFault(
        "prometheus-500-burst",
        "Prometheus: a burst of 503",
        TRIES,
        lambda n, q, _p: prometheus(q) if n > 1 else status(503),
        "",
        2,
        1,
        feed="data_centre",
    ),
    SourceFault(
        "prometheus-overloaded",
        "Prometheus: its own time-out",
        TRIES,
        always(
            Answer(json.dumps({"status": "error", "errorType": "timeout", "error": "query timed out"}).encode(), 503)
        ),
        "Prometheus says timeout: query timed out — ask again later; if it lasts, make the query cheaper",
        2,
        1,
        SourceUnreachable,
        feed="data_centre",
    ),
    SourceFault(
        "prometheus-drip",
        "Prometheus: slow drip",
        f"{TRIES}; each answer ends at `answer_seconds`",
        always(Answer(b"{", length=10**6, drip=b" ")),
        f"the answer came in too slowly — {LATER}, or raise answer_seconds",
        2,
        1,
        SourceUnreachable,
        feed="data_centre",
    ),
    SourceFault(
        "prometheus-truncated",
        "Prometheus: truncated JSON",
        ONCE,
        lambda n, q, _p: Answer(prometheus(q).body[: None if n > 1 else 60]),
        "",
        2,
        1,
        feed="data_centre",
    ),
    SourceFault(
        "prometheus-html",
        "Prometheus: the login page of a proxy",
        NOT,
        always(Answer(b"<html>login</html>", headers={"Content-Type": "text/html"})),
        "HTML in place of JSON (18 bytes) — a login page, a maintenance page or a wrong address: open it in a browser",
        1,
        0,
        SourceMalformed,
        feed="data_centre",
    ),
    SourceFault(
        "prometheus-expired-certificate",
        "Prometheus: an expired certificate",
        NOT,
        first(),
        "its TLS certificate has expired — have the agency renew its certificate",
        1,
        0,
        SourceUntrusted,
        tls="expired",
        feed="data_centre",
    ),
]
