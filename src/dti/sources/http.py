"""Questions over HTTP to one agency system, answered in JSON or by a SourceError that says what to do.

No message carries a query, a body or a secret: queries may hold keys, bodies hold people.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from dti.errors import ConfigError, SourceMalformed, SourceRefused
from dti.sources.credentials import Credentials
from dti.sources.http_faults import exchange_fault, status_fault
from dti.sources.model import HttpConnector, OAuth2
from dti.sources.oauth import ClientSession
from dti.sources.patience import Patience, PatientAdapter
from dti.sources.pull import PullStats

MAX_REDIRECTS = 5
# urllib3 logs whole URLs, queries and all, at DEBUG.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class HttpClient:
    """A session with one agency system. Use as a context manager; not for several threads at once."""

    def __init__(
        self,
        connector: HttpConnector,
        credentials: Credentials | None,
        stats: PullStats,
        *,
        source_id: str,
        oauth2: OAuth2 | None = None,
    ) -> None:
        self._source_id, self._stats = source_id, stats
        self._verify = _ca_file(connector, source_id)
        self._session = _session(credentials, oauth2, source_id)
        adapter = PatientAdapter(Patience.starting_now(connector), stats)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.max_redirects = MAX_REDIRECTS
        self._session.headers.update({"Accept": "application/json", "User-Agent": "dti-warehouse"})

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def json(self, url: str, params: Mapping[str, Any], *, method: str = "GET", body: str = "json") -> Any:
        """The JSON document behind ``url``.

        ``params`` go into the query of a GET, into the ``body`` ("json" or "form") of a POST.
        Raises SourceError: of the subclass, and with the remedy, that belong to the fault.
        """
        response = self.answer(url, params, method=method, body=body)
        self.raise_for_status(response)
        return self.document(response)

    def raise_for_status(self, response: requests.Response) -> None:
        """Raise the SourceError that belongs to an error status; do nothing for any other."""
        if response.status_code >= 400:
            raise status_fault(response.status_code, self.where(response.url))

    def answer(
        self, url: str, params: Mapping[str, Any], *, method: str = "GET", body: str = "json"
    ) -> requests.Response:
        """The answer behind ``url``, whatever its status, its body read. Raises SourceError when there is none."""
        sent: dict[str, Any] = {"params": params} if method == "GET" else {"json" if body == "json" else "data": params}
        response = self._ask(method, url, **sent)
        if response.status_code == 401 and isinstance(self._session, ClientSession):
            # Revoked or forgotten in mid-pull, though not yet expired: once more with a new token.
            self._session.forget_token()
            self._stats.retries_count += 1
            response = self._ask(method, url, **sent)
        return response

    def where(self, url: str) -> str:
        """Source and address, as they stand in messages."""
        return f"{self._source_id}: {shown(url)}"

    def _ask(self, method: str, url: str, **sent: Any) -> requests.Response:
        asked = url
        try:
            if isinstance(self._session, ClientSession):
                asked = self._session.token_address
                self._session.ensure_token(verify=self._verify)
                asked = url
            return self._session.request(method, url, verify=self._verify, **sent)
        except OAuthError as fault:
            raise SourceRefused(
                f"the token endpoint refuses the client ({fault.error})",
                where=self.where(asked),
                remedy="check client id and secret of the connection, and the scope",
            ) from None
        except requests.HTTPError as fault:
            raise status_fault(fault.response.status_code, self.where(asked)) from None
        except (requests.RequestException, HTTPError, ValueError) as fault:
            raise exchange_fault(fault, self.where(asked)) from None

    def document(self, response: requests.Response) -> Any:
        """The JSON document of an answer. Raises SourceMalformed for HTML, truncated JSON and the like."""
        where, body = self.where(response.url), response.content
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if "html" in kind or body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html")):
            raise SourceMalformed(
                f"HTML in place of JSON ({len(body):,} bytes)",
                where=where,
                remedy="a login page, a maintenance page or a wrong address: open it in a browser",
            )
        try:
            return json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError) as fault:
            whole = body.rstrip().endswith((b"}", b"]"))
            what = "not JSON" if whole else "JSON that breaks off (truncated)"
            at = f" at character {fault.pos:,}" if isinstance(fault, json.JSONDecodeError) else ""
            raise SourceMalformed(
                f"{what}: {kind or 'no content type'}, {len(body):,} bytes, unreadable{at}",
                where=where,
                remedy="ask again later; if it lasts, ask for smaller pages (paging.size) or call the agency",
            ) from None


def shown(url: str) -> str:
    """``url`` without login, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _no_number(_: str) -> None:
    """NaN and Infinity are not JSON and no number: a value that is not there."""


def _ca_file(connector: HttpConnector, source_id: str) -> str | bool:
    if connector.ca_file is None:
        return True
    if not Path(connector.ca_file).is_file():
        raise ConfigError(
            f"no file {connector.ca_file}", where=f"{source_id}: ca_file", remedy="give the path of a PEM file"
        )
    return connector.ca_file


def _session(credentials: Credentials | None, oauth2: OAuth2 | None, source_id: str) -> requests.Session:
    if oauth2 is not None:
        if credentials is None:
            raise ConfigError("oauth2 needs a connection", where=source_id, remedy="name one under connection")
        return ClientSession(oauth2, credentials)
    session = requests.Session()
    if credentials is not None:
        session.auth = HTTPBasicAuth(credentials.login.encode(), credentials.password.get_secret_value().encode())
    return session
