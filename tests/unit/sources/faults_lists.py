"""Lists that repeat, shift, lie or never end; clocks and tokens that run out."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

from dti.errors import (
    SourceMalformed,
    SourceRefused,
    SourceUnstable,
)
from tests.builders.misbehaving import Answer, Question
from tests.unit.sources.agency import dossier, minute
from tests.unit.sources.fault_rows import (
    LOGIN,
    NOT,
    PAGED,
    RECORDS,
    Portal,
    SourceFault,
    always,
    office,
    page_of,
    records,
)

OAUTH2 = {"oauth2": {"token_address": "ROOT/token"}, "paging": {"style": "keyset", "size": 3}}


def shifting(n: int, _question: Question, _portal: Portal) -> Answer:
    """Another list at every question."""
    return page_of([dossier(1, minute(n))] if n % 2 else [])


def endless(n: int, _question: Question, _portal: Portal) -> Answer:
    """A list without an end."""
    return page_of([dossier(3 * n + k, minute(3 * n + k)) for k in range(3)])


def lied_total(total: int) -> Any:
    """The honest list under a total of its own."""
    return lambda _n, _q, _p: page_of(records(), total=total)


def late_clock(_n: int, question: Question, portal: Portal) -> Answer:
    """The honest list, from a server that lives an hour ago."""
    return Answer(portal(question).body, headers={"Date": formatdate(time.time() - 3600, usegmt=True)})


FAULTS = [
    SourceFault(
        "pages-repeat",
        "a page that repeats the one before",
        NOT,
        always(page_of(records()[:3])),
        "page 2 repeats the page before — check that the agency pages by 'page'; if it gives all at once, use paging "
        "style none; if it repeats its last page at the end, give paging.total_path",
        2,
        0,
        SourceMalformed,
        connector=PAGED,
    ),
    SourceFault(
        "pages-shift",
        "pages that shift while they are read",
        "the list, until two readings agree",
        lambda n, q, p: p(q) if n != 2 else page_of(records()[4:7]),
        "1 exact repetition(s) of a record dropped",
        12,
        connector=PAGED,
    ),
    SourceFault(
        "pages-never-still",
        "pages that never stand still",
        "the list, `max_passes` times",
        shifting,
        "the list did not stand still in 4 readings — ask again later, raise paging.max_passes, or read by change time "
        "(paging style keyset)",
        8,
        0,
        SourceUnstable,
        connector=PAGED,
    ),
    SourceFault(
        "pages-never-end",
        "a list that never ends",
        "`max_pages` pages are read",
        endless,
        "the list goes on beyond 9 pages — check the paging parameters; if the list is that long, raise "
        "paging.max_pages",
        9,
        0,
        SourceMalformed,
        connector={"paging": {"style": "page", "size": 3, "max_pages": 9}},
    ),
    SourceFault(
        "total-too-large",
        "a total that promises more than is given",
        NOT,
        lied_total(RECORDS + 5),
        "the agency says there are 12 records and gave 7 (truncated list) — call the agency; if its total counts what "
        "it does not list, remove paging.total_path",
        1,
        0,
        SourceMalformed,
        connector={"paging": {"style": "none", "total_path": "total"}},
    ),
    SourceFault(
        "total-too-small",
        "a total that promises less",
        "—",
        lied_total(2),
        "",
        1,
        connector={"paging": {"style": "none", "total_path": "total"}},
    ),
    SourceFault(
        "duplicates",
        "the same record several times",
        "—",
        always(page_of([*records(), *records()[2:5]])),
        "3 exact repetition(s) of a record dropped",
        1,
    ),
    SourceFault(
        "out-of-order",
        "states of one record in the wrong order",
        "—",
        always(page_of([*records(), dossier(3, minute(0), TrangThaiHoSo=1)][::-1])),
        "",
        1,
        lands="every record, in its newest state",
    ),
    SourceFault(
        "out-of-order-keyset",
        "a list by change time that is not in its order",
        NOT,
        always(page_of(records()[::-1])),
        "the change time of page 1, record 2 lies before the record above it — the list must ascend by CapNhat: sort "
        "it by connector.params, and check that the agency honours 'since' to the precision of change_time.format; "
        "else use paging style page",
        1,
        0,
        SourceMalformed,
        connector={"paging": {"style": "keyset", "size": 9}},
    ),
    SourceFault(
        "clock-behind",
        "a server whose clock is wrong",
        "—",
        late_clock,
        "the server's clock is 60 min behind ours",
        1,
    ),
    SourceFault(
        "clock-future",
        "change times that are still to come",
        "—",
        always(page_of([*records()[:-1], dossier(6, minute(6), CapNhat="2099-01-01T00:00:00+07:00")])),
        "1 change time(s) still to come, the last 2099-01-01T00:00:00+07:00",
        1,
        lands="every record; the gate puts those beyond the horizon in quarantine",
    ),
    SourceFault(
        "token-expires",
        "a token that expires in mid-pull",
        "one new token, then the same question",
        lambda n, q, p: office(n, q, p, lambda asked: "token-1" if asked < 4 else "token-5"),
        "",
        7,
        1,
        connector=OAUTH2,
        connection=True,
    ),
    SourceFault(
        "token-never-good",
        "a token that is never good",
        "one new token, then no more",
        lambda n, q, p: office(n, q, p, lambda _: None),
        f"access refused (HTTP 401) — {LOGIN}",
        4,
        1,
        SourceRefused,
        connector=OAUTH2,
        connection=True,
    ),
]
