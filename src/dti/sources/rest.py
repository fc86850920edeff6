"""The REST connector: a JSON list, read page by page in the style that its agency offers."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any, NamedTuple

import jmespath
from jmespath.exceptions import JMESPathError

from dti.clock import ZONE
from dti.errors import SourceMalformed
from dti.sources.credentials import Credentials
from dti.sources.http import HttpClient
from dti.sources.model import RestConnector, Source
from dti.sources.pull import PullStats, Record
from dti.sources.window import Window


class Page(NamedTuple):
    """One answer: its records, which question of the pull it answers, and what the agency says around them."""

    records: list[dict[str, Any]]
    ordinal: int
    total: int | None
    cursor: str | None


class RestList:
    """One list of one agency, asked page by page; refuses a list that never ends and answers that hold no list."""

    def __init__(self, source: Source, window: Window, client: HttpClient) -> None:
        if not isinstance(source.connector, RestConnector):
            raise TypeError(f"{source.source} is not a REST source")
        self.source, self.window, self.connector, self._client = source, window, source.connector, client
        self.where = client.where(self.connector.address)
        self._asked = 0

    def page(self, **params: str | int) -> Page:
        """Ask for one page. ``params`` go over the source's own and the window's."""
        self._asked += 1
        paging = self.connector.paging
        if self._asked > paging.max_pages:
            raise SourceMalformed(
                f"the list goes on beyond {paging.max_pages:,} pages",
                where=self.where,
                remedy="check the paging parameters; if the list is that long, raise paging.max_pages",
            )
        document = self._client.json(
            self.connector.address, self._params() | params, method=self.connector.method, body=self.connector.body
        )
        records = self._records(document)
        total = self._search(paging.total_path, document) if paging.total_path else None
        cursor = self._search(paging.cursor_path, document) if paging.style == "cursor" else None
        return Page(records, self._asked, _count(total), str(cursor) if cursor else None)

    def numbered(self, number: int, **params: str | int) -> Page:
        """Ask for page ``number`` as the agency counts."""
        paging = self.connector.paging
        return self.page(**{paging.page_param: number, paging.size_param: paging.size}, **params)

    def hold_to_total(self, total: int | None, count: int) -> None:
        """Raise SourceMalformed when the agency promised more records than it gave."""
        if total is not None and total > count:
            raise SourceMalformed(
                f"the agency says there are {total:,} records and gave {count:,} (truncated list)",
                where=self.where,
                remedy="call the agency; if its total counts what it does not list, remove paging.total_path",
            )

    def _params(self) -> dict[str, str | int]:
        night = self.window.night.isoformat()
        params = {k: v.replace("{night}", night) if isinstance(v, str) else v for k, v in self.connector.params.items()}
        if change := self.connector.change_time:
            params[change.since_param] = change.write(self.window.since.astimezone(ZONE))
            if change.until_param:
                params[change.until_param] = change.write(self.window.until.astimezone(ZONE))
        return params

    def _search(self, path: str, document: Any) -> Any:
        try:
            return jmespath.search(path, document)
        except JMESPathError:
            what = f"{path!r} does not fit the answer"
            remedy = "check records_path, paging.total_path and paging.cursor_path of the connector"
            raise SourceMalformed(what, where=self.where, remedy=remedy) from None

    def _records(self, document: Any) -> list[dict[str, Any]]:
        path = self.connector.records_path
        found = self._search(path, document)
        if found is None and isinstance(document, dict) and path in document:
            return []  # "data": null, an empty list in the words of some systems
        if not isinstance(found, list):
            there = ", ".join(sorted(document)[:20]) if isinstance(document, dict) else type(document).__name__
            raise SourceMalformed(
                f"no list of records at {path!r} in the answer; there is: {there or 'nothing'}",
                where=self.where,
                remedy="check connector.records_path; an error told with HTTP 200 looks like this too",
            )
        if strangers := sum(not isinstance(record, dict) for record in found):
            raise SourceMalformed(
                f"{strangers} of {len(found)} records on page {self._asked} are no objects",
                where=self.where,
                remedy="check connector.records_path",
            )
        return found


def rest_records(
    source: Source, window: Window, credentials: Credentials | None, stats: PullStats
) -> Generator[Record, None, None]:
    """Stream the records of a REST list. Raises SourceError as HttpClient does, and when the list is not sound."""
    from dti.sources import keyset, pages

    connector = source.connector
    if not isinstance(connector, RestConnector):
        raise TypeError(f"{source.source} is not a REST source")
    styles = {"keyset": keyset.read, "page": pages.read_numbered, "cursor": pages.read_cursor, "none": pages.read_whole}
    with HttpClient(connector, credentials, stats, source_id=source.source, oauth2=connector.oauth2) as client:
        yield from styles[connector.paging.style](RestList(source, window, client), stats)


def _count(total: Any) -> int | None:
    """The total that an agency tells, as a number or in digits; None for anything else it may say."""
    return int(str(total)) if re.fullmatch(r"[0-9]{1,18}", str(total)) else None


def fingerprint(record: dict[str, Any]) -> int:
    """A number that is the same for records of the same content, within this process."""
    return hash(json.dumps(record, sort_keys=True))


def place(page: Page, index: int) -> str:
    """Where a record stood, for a person."""
    return f"page {page.ordinal}, record {index + 1}"
