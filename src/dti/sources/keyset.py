"""Reading a list by change time: ask for what changed since the newest change seen, until nothing new comes.

A page number means another place as soon as one record moves; a change time does not. So every question is asked
anew from the last change time seen, and a record that changes while the list is read moves to its end, where it is
met again in its newer state. Only records that share one change time, more of them than fit on a page, must be paged;
those pages are read again until two readings agree.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime
from typing import NamedTuple

from jmespath.exceptions import JMESPathError

from dti.errors import SourceMalformed, SourceUnstable
from dti.sources.conform import moment
from dti.sources.difference import CHANGE_TIME, Missing, difference
from dti.sources.model import ChangeTime
from dti.sources.paths import fields_in, getter
from dti.sources.pull import PullStats, Record
from dti.sources.rest import Page, RestList, fingerprint, place
from dti.sources.shape import Shape, carries, known_names


class _Timed(NamedTuple):
    """A record with its change time: as the agency compares it, and exactly (microseconds since 1970)."""

    time: datetime
    record: Record


def read(listing: RestList, stats: PullStats) -> Iterator[Record]:
    """Stream every record that changed since the window's start, some of them in several states, the newest last.

    Raises SourceMalformed when the agency does not sort by change time or does not honour the start, SourceUnstable
    when records of one change time do not stand still.
    """
    reader = _Keyset(listing, stats)
    anchor: datetime | None = reader.change.floor(listing.window.since)
    seen: set[int] = set()  # records of the anchor's own time that were passed on
    fullest = pages = 0
    while anchor is not None:
        page = reader.ask(anchor)
        timed = reader.timed(page, anchor)
        reader.note_promise(page)
        if not timed:
            break
        fresh = [t for t in timed if t.time > anchor or fingerprint(t.record.value) not in seen]
        newest = timed[-1].time
        if newest > anchor:
            yield from reader.given(fresh)
            seen = {fingerprint(t.record.value) for t in timed if t.time == newest}
            fullest, pages = max(fullest, len(timed)), pages + 1
            anchor = newest
        elif not fresh and len(timed) < fullest:
            break  # the last page seen is met again, and it is not full
        else:
            usual = fullest if pages > 1 else listing.connector.paging.size
            anchor = yield from reader.block(anchor, page, seen, usual)
            seen = set()
    reader.hold_to_promise()


class _Keyset:
    def __init__(self, listing: RestList, stats: PullStats) -> None:
        change = listing.connector.change_time
        if change is None:
            raise TypeError("keyset needs change_time")
        self.change: ChangeTime = change
        self._listing, self._stats = listing, stats
        self._time = getter(change.field)
        own = [] if change.format == "iso" else [change.format]
        self._promised: int | None = None
        self._given = 0
        self._formats = [*own, *listing.source.date_formats]

    def note_promise(self, page: Page) -> None:
        """Keep the total of the first answer: how many records the agency says there are."""
        if self._promised is None:
            self._promised = page.total or 0

    def given(self, timed: list[_Timed]) -> Iterator[Record]:
        """Pass records on, and count them."""
        self._given += len(timed)
        yield from (each.record for each in timed)

    def hold_to_promise(self) -> None:
        """Note a list that gave less than it promised. No error: what changes while it is read may leave the window."""
        if (self._promised or 0) > self._given:
            self._stats.warn(f"the agency said there were {self._promised:,} records and gave {self._given:,}")

    def ask(self, anchor: datetime, number: int | None = None) -> Page:
        """Page ``number`` (unset: the first) of what changed since ``anchor``."""
        first = self._listing.connector.paging.first_page
        return self._listing.numbered(
            first if number is None else number, **{self.change.since_param: self.change.write(anchor)}
        )

    def timed(self, page: Page, anchor: datetime) -> list[_Timed]:
        """The page's records with their times. A record without a readable one counts as changed with the one before
        it. Raises SourceMalformed unless times ascend from ``anchor``."""
        found, last = [], anchor
        self._hold_to_field(page)
        for index, value in enumerate(page.records):
            try:
                exact = moment(self._time(value), self._formats)
            except JMESPathError:
                exact = None
            time = last if exact is None else self.change.floor(exact)
            if time < last:
                raise self._unsorted(page, index, before_start=index == 0)
            last = time
            found.append(_Timed(time, Record(value, place(page, index), _microseconds(exact or time))))
        return found

    def _hold_to_field(self, page: Page) -> None:
        """Raise SourceChanged when no record of a page has the field of the change time."""
        source, needed = self._listing.source, fields_in(self.change.field)
        if not page.records or any(carries(record, needed) is not False for record in page.records):
            return
        shape = Shape(source)
        for record in page.records:
            shape.note(record)
        missing = shape.missing()
        gone = [Missing(CHANGE_TIME, self.change.field, True, None, [])]
        gone += [Missing(ours, shape.places[ours], True, None, []) for ours in sorted(missing) if shape.needs(ours)]
        names = shape.names - known_names(source)
        raise difference(source, shape, gone, names, names, self._listing.where)

    def block(
        self, anchor: datetime, page: Page, seen: set[int], usual: int
    ) -> Generator[Record, None, datetime | None]:
        """Stream the records of the anchor's own time, over as many pages as they take, until two readings agree.

        ``page`` is the first of them, already read; ``seen`` are records already passed on; ``usual`` is how many
        records this agency's full pages hold. Returns (as a generator does) the next change time there is, or None
        at the end of the list.
        """
        paging, seen = self._listing.connector.paging, set(seen)
        previous: tuple[list[int], datetime | None] | None = None
        for attempt in range(paging.max_passes):
            self._stats.passes_count = max(self._stats.passes_count, attempt + 1)
            sequence: list[int] = []
            number, prints = paging.first_page, [-1]
            page = page if attempt == 0 else self.ask(anchor)
            while True:
                timed = self.timed(page, anchor)
                before, prints = prints, [fingerprint(t.record.value) for t in timed]
                if timed and prints == before:
                    self._hold_to_paging(len(timed), page, usual)
                    return None
                for print_, each in zip(prints, timed, strict=True):
                    if each.time == anchor:
                        sequence.append(print_)
                        if print_ not in seen:
                            seen.add(print_)
                            yield from self.given([each])
                later = next((t.time for t in timed if t.time > anchor), None)
                if later is not None or not timed:
                    break
                number += 1
                page = self.ask(anchor, number)
            if number == paging.first_page:
                return later  # one answer, which nothing can shift
            if previous is not None and sequence == previous[0]:
                # The first of two equal readings is the proven one. During the second a record may have left and
                # pulled what follows the block over a page's edge, unseen.
                return previous[1]
            previous = sequence, later
        raise SourceUnstable(
            f"records changed at {anchor.isoformat()} did not stand still in {paging.max_passes} readings",
            where=self._listing.where,
            remedy="ask again later, or raise paging.max_passes",
        )

    def _hold_to_paging(self, count: int, page: Page, usual: int) -> None:
        """An agency that ignores the page number repeats a page. Fine when it is not full: it holds all there is."""
        paging = self._listing.connector.paging
        if count >= min(usual, paging.size):
            raise SourceMalformed(
                f"page {page.ordinal} repeats the page before: {count} or more records share one change time and the "
                f"agency does not page within it by {paging.page_param!r}",
                where=self._listing.where,
                remedy="check paging.page_param, or raise paging.size",
            )

    def _unsorted(self, page: Page, index: int, *, before_start: bool) -> SourceMalformed:
        what = "lies before the start that was asked for" if before_start else "lies before the record above it"
        return SourceMalformed(
            f"the change time of {place(page, index)} {what}",
            where=self._listing.where,
            remedy=f"the list must ascend by {self.change.field}: sort it by connector.params, and check that the "
            f"agency honours {self.change.since_param!r} to the precision of change_time.format; "
            "else use paging style page",
        )


def _microseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)
