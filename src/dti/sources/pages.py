"""Reading a list by page number, by cursor, or in one answer."""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterator
from itertools import count
from urllib.parse import parse_qs, urlsplit

from dti.errors import SourceMalformed, SourceUnstable
from dti.sources.pull import PullStats, Record
from dti.sources.rest import Page, RestList, fingerprint, place


def read_numbered(listing: RestList, stats: PullStats) -> Iterator[Record]:
    """Stream a list by page number, pass after pass, until two passes give the same records in the same order.

    A record that leaves its place during a pass pulls another over a page's edge, unseen; the next pass then differs
    at the place that was left. So two equal passes prove that nothing slipped through. A pass repeats only what
    differs from the pass before; ``reading`` is its number. Eight bytes a record stay in memory.

    Raises SourceUnstable when no two passes agree, SourceMalformed when pages repeat or fall short of the total.
    """
    paging = listing.connector.paging
    previous: array[int] | None = None
    for attempt in range(1, paging.max_passes + 1):
        stats.passes_count = attempt
        current = array("q")
        total = yield from _one_pass(listing, attempt, current, previous)
        if current == previous:
            listing.hold_to_total(total, len(current))
            return
        previous = current
    raise SourceUnstable(
        f"the list did not stand still in {paging.max_passes} readings",
        where=listing.where,
        remedy="ask again later, raise paging.max_passes, or read by change time (paging style keyset)",
    )


def _one_pass(
    listing: RestList, attempt: int, current: array[int], previous: array[int] | None
) -> Generator[Record, None, int | None]:
    """Stream what differs from ``previous``, and note every record's fingerprint in ``current``. Returns the total."""
    prints: list[int] = []
    total = None
    for number in count(listing.connector.paging.first_page):
        page = listing.numbered(number)
        total = page.total
        before, prints = prints, [fingerprint(record) for record in page.records]
        if not prints:
            return total
        if prints == before:
            if total is not None and total <= len(current):
                return total  # past the end this agency repeats its last page
            raise _repeats(listing, page)
        for index, print_ in enumerate(prints):
            position = len(current)
            current.append(print_)
            if previous is None or position >= len(previous) or previous[position] != print_:
                yield Record(page.records[index], place(page, index), attempt)
    return total


def _repeats(listing: RestList, page: Page) -> SourceMalformed:
    paging = listing.connector.paging
    return SourceMalformed(
        f"page {page.ordinal} repeats the page before",
        where=listing.where,
        remedy=f"check that the agency pages by {paging.page_param!r}; if it gives all at once, use paging style none; "
        "if it repeats its last page at the end, give paging.total_path",
    )


def read_cursor(listing: RestList, _: PullStats) -> Iterator[Record]:
    """Stream a list by the token that each answer holds for the next. Raises SourceMalformed when a token repeats."""
    paging = listing.connector.paging
    params: dict[str, str | int] = {paging.size_param: paging.size}
    used: set[str] = set()
    given = 0
    while True:
        page = listing.page(**params)
        given += len(page.records)
        for index, record in enumerate(page.records):
            yield Record(record, place(page, index), page.ordinal)
        if page.cursor is None:
            listing.hold_to_total(page.total, given)
            return
        try:
            token = _token(page.cursor, paging.cursor_param)
        except ValueError:
            raise SourceMalformed(
                f"page {page.ordinal} names a next page that is no address: {page.cursor[:100]!r}",
                where=listing.where,
                remedy="check paging.cursor_path; if it is right, call the agency",
            ) from None
        if token in used:
            raise SourceMalformed(
                f"page {page.ordinal} leads back to a page already read: the list never ends",
                where=listing.where,
                remedy="check paging.cursor_path and paging.cursor_param; if they are right, call the agency",
            )
        used.add(token)
        params[paging.cursor_param] = token


def _token(cursor: str, param: str) -> str:
    """The token itself, where the agency gives the whole address of the next page."""
    if cursor.startswith(("http://", "https://", "/", "?")):
        return parse_qs(urlsplit(cursor).query).get(param, [cursor])[0]
    return cursor


def read_whole(listing: RestList, _: PullStats) -> Iterator[Record]:
    """Stream a list that comes in one answer."""
    page = listing.page()
    listing.hold_to_total(page.total, len(page.records))
    for index, record in enumerate(page.records):
        yield Record(record, place(page, index))
