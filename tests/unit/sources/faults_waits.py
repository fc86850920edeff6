"""Refusals, agencies that are busy or fail, and answers that never come to their end."""

from __future__ import annotations

import time
from email.utils import formatdate

from dti.errors import (
    SourceBusy,
    SourceMissing,
    SourceRefused,
    SourceUnreachable,
)
from tests.builders.misbehaving import Answer, Question
from tests.unit.sources.agency import dossier, minute
from tests.unit.sources.fault_rows import (
    LATER,
    LOGIN,
    NOT,
    PAGED,
    TRIES,
    WHOLE,
    Portal,
    SourceFault,
    always,
    first,
    page_of,
    records,
    status,
    zipped,
)

BODY = page_of(records()).body
OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PATIENT = {"retries": 2, **WHOLE}


def in_a_second(n: int, question: Question, portal: Portal) -> Answer:
    """429, to be asked again at a time that the agency's clock, an hour ahead, will soon show."""
    if n > 1:
        return portal(question)
    now = time.time() + 3600
    return status(429, Retry_After=formatdate(now + 1, usegmt=True), Date=formatdate(now, usegmt=True))


def endless(n: int, _question: Question, _portal: Portal) -> Answer:
    """A list without an end."""
    return page_of([dossier(3 * n + k, minute(3 * n + k)) for k in range(3)])


FAULTS = [
    SourceFault("401", "401", NOT, always(status(401)), f"access refused (HTTP 401) — {LOGIN}", 1, 0, SourceRefused),
    SourceFault("403", "403", NOT, always(status(403)), f"access refused (HTTP 403) — {LOGIN}", 1, 0, SourceRefused),
    SourceFault(
        "404",
        "404",
        NOT,
        always(status(404)),
        "nothing at this address (HTTP 404) — check the address in the source file",
        1,
        0,
        SourceMissing,
    ),
    SourceFault(
        "429-retry-after",
        "429 with `Retry-After` in seconds",
        "after that wait",
        first(status(429, Retry_After="1")),
        "",
        2,
        1,
    ),
    SourceFault(
        "429-retry-after-date",
        "429 with `Retry-After` as a date",
        "at that date, counted on the agency's own clock (`Date`)",
        in_a_second,
        "the server's clock is 60 min ahead of ours",
        2,
        1,
    ),
    SourceFault(
        "429-wait-too-long",
        "429 with a `Retry-After` beyond `max_wait_seconds`",
        "not in this pull: asking earlier would be rude",
        always(status(429, Retry_After="3600")),
        "it is busy: it asks to wait 3600 s, longer than 2 s — ask again later, or raise max_wait_seconds",
        1,
        0,
        SourceBusy,
    ),
    SourceFault(
        "429-lasting",
        "429 without `Retry-After`",
        TRIES,
        always(status(429)),
        "too many requests (HTTP 429), also after waiting — ask again later, or ask less often",
        3,
        2,
        SourceBusy,
        connector=PATIENT,
    ),
    SourceFault(
        "500-burst",
        "a burst of 500, 502, 503",
        TRIES,
        first(status(500), status(503)),
        "",
        3,
        2,
        connector=PATIENT,
    ),
    SourceFault(
        "500-lasting",
        "500 that lasts",
        TRIES,
        always(status(500)),
        f"the agency's system fails (HTTP 500) — {LATER}",
        2,
        1,
        SourceUnreachable,
    ),
    SourceFault(
        "hang-up",
        "the connection breaks before an answer",
        TRIES,
        first(),
        "",
        2,
        1,
        hang_ups=1,
    ),
    SourceFault(
        "hang-up-lasting",
        "… each time",
        TRIES,
        first(),
        f"the connection broke — {LATER}",
        2,
        1,
        SourceUnreachable,
        hang_ups=9,
    ),
    SourceFault(
        "drip-body",
        "slow drip: a body that comes byte by byte",
        f"{TRIES}; each answer ends at `answer_seconds`",
        always(Answer(b"[", length=10**6, drip=b" ")),
        f"the answer came in too slowly — {LATER}, or raise answer_seconds",
        2,
        1,
        SourceUnreachable,
    ),
    SourceFault(
        "drip-headers",
        "… headers that do",
        f"{TRIES}; each answer ends at `answer_seconds`",
        always(Answer(b"HTTP/1.1 200 OK\r\nX-Slow: ", raw=True, drip=b"x")),
        f"no answer within the time-out — {LATER}, or raise timeout_seconds",
        2,
        1,
        SourceUnreachable,
    ),
    SourceFault(
        "drip-gzip-head",
        "… a gzip head whose file name has no end",
        f"{TRIES}; each answer ends at `answer_seconds`",
        always(zipped(b"\x1f\x8b\x08\x08\0\0\0\0\0\0", length=10**6, drip=b"x")),
        f"the answer came in too slowly — {LATER}, or raise answer_seconds",
        2,
        1,
        SourceUnreachable,
    ),
    SourceFault(
        "drip-chunk-size",
        "… the size line of a chunk, over TLS",
        f"{TRIES}; each answer ends at `answer_seconds`",
        always(Answer(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", raw=True, drip=b"x")),
        f"the answer came in too slowly — {LATER}, or raise answer_seconds",
        2,
        1,
        SourceUnreachable,
        tls="good",
    ),
    SourceFault(
        "drip-trailer",
        "… trailers after the last chunk",
        f"{TRIES}; each answer ends at `answer_seconds`",
        always(Answer(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", raw=True, drip=b"x: y\r\n")),
        f"the answer came in too slowly — {LATER}, or raise answer_seconds",
        2,
        1,
        SourceUnreachable,
    ),
    SourceFault(
        "stalled-body",
        "a body that stalls",
        f"{TRIES}; silence ends at `timeout_seconds`",
        always(Answer(BODY[:200], length=len(BODY), drip=b"")),
        f"no answer within the time-out — {LATER}, or raise timeout_seconds",
        2,
        1,
        SourceUnreachable,
    ),
    SourceFault(
        "slow-pull",
        "answers that are all in time, without end in sight",
        "until `pull_seconds` are over",
        lambda n, q, p: (time.sleep(0.5), endless(n, q, p))[1],
        f"the pull took longer than 1.2 s — {LATER}, or raise pull_seconds",
        3,
        0,
        SourceUnreachable,
        connector=PAGED | {"pull_seconds": 1.2, "answer_seconds": 2, "timeout_seconds": 2},
    ),
]
