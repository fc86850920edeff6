"""Questions over HTTP to one agency system, answered in JSON or by a SourceError that says what to do.

No message carries a query, a body or a secret: queries may hold keys, bodies hold people.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from dti.errors import ConfigError, SourceMalformed, SourceRefused
from dti.sources.certificates import trusted
from dti.sources.credentials import Credentials
from dti.sources.http_faults import DropsBody, LeavesTls, exchange_fault, status_fault
from dti.sources.model import HttpConnector, OAuth2
from dti.sources.oauth import ClientSession
from dti.sources.patience import Patience, PatientAdapter
from dti.sources.pull import PullStats
from dti.sources.session import PlainSession

MAX_REDIRECTS = 5
_KIND = re.compile(r"(?:application|audio|font|image|message|model|multipart|text|video)/[a-z0-9.+-]{1,80}")
_OAUTH_ERRORS = {
    *("invalid_request", "invalid_client", "invalid_grant", "invalid_scope"),
    *("unauthorized_client", "unsupported_grant_type", "access_denied", "server_error", "temporarily_unavailable"),
}
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
        self._verify = trusted(connector, source_id)
        self._session = _session(credentials, oauth2, source_id)
        adapter = PatientAdapter(Patience.starting_now(connector), stats)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.max_redirects = MAX_REDIRECTS
        self._session.hooks["response"] += [_stay_in_tls, _stay_with_method]
        self._session.headers.update({"Accept": "application/json", "User-Agent": "dti-warehouse"})
        addresses = [connector.address, *([oauth2.token_address] if oauth2 else [])]
        if credentials is not None and any(_is_open(address) for address in addresses):
            stats.warn("login and secret go over http, where anybody on the way can read them")

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
            raise status_fault(response.status_code, self._where_from(response))

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
        if response.ok and _breaks_off(response.content) and not _is_html(response):
            # Whole by its length, and yet cut: a process that died behind the agency's web server. Once more.
            self._stats.retries_count += 1
            response = self._ask(method, url, **sent)
        return response

    def where(self, url: str) -> str:
        """Source and address, as they stand in messages."""
        return f"{self._source_id}: {shown(url)}"

    def _where_from(self, response: requests.Response) -> str:
        """Where an answer came from. Of where we were led only the host: a redirect may put a secret into the path."""
        if not response.history:
            return self.where(response.url)
        return f"{self.where(response.history[0].url)}, redirected to {urlsplit(response.url).hostname}"

    def _ask(self, method: str, url: str, **sent: Any) -> requests.Response:
        asked = url
        try:
            if isinstance(self._session, ClientSession):
                asked = self._session.token_address
                self._session.ensure_token(verify=self._verify)
                self._stats.keep_secret(None, str(self._session.token["access_token"]))
                asked = url
            return self._session.request(method, url, verify=self._verify, **sent)
        except OAuthError as fault:
            raise SourceRefused(
                f"the token endpoint refuses the client ({_named(fault.error)})",
                where=self.where(asked),
                remedy="check client id and secret of the connection, and the scope",
            ) from None
        except requests.HTTPError as fault:
            raise status_fault(fault.response.status_code, self.where(asked)) from None
        except (requests.RequestException, HTTPError, ValueError) as fault:
            raise exchange_fault(fault, self.where(asked)) from None

    def document(self, response: requests.Response) -> Any:
        """The JSON document of an answer. Raises SourceMalformed for HTML, truncated JSON and the like."""
        where, body, kind = self._where_from(response), response.content, _kind(response)
        if _is_html(response):
            raise SourceMalformed(
                f"HTML in place of JSON ({len(body):,} bytes)",
                where=where,
                remedy="a login page, a maintenance page or a wrong address: open it in a browser",
            )
        try:
            document = json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError) as fault:
            what, remedy = "not JSON", "check address and params; if they are right, call the agency"
            if _breaks_off(body):
                what = "JSON that breaks off (truncated)"
                remedy = "ask again later; if it lasts, ask for smaller pages (paging.size) or call the agency"
            at = f" at character {fault.pos:,}" if isinstance(fault, json.JSONDecodeError) else ""
            raise SourceMalformed(
                f"{what}: {kind or 'no content type'}, {len(body):,} bytes, unreadable{at}",
                where=where,
                remedy=remedy,
            ) from None
        if "json" not in kind:
            self._stats.warn(f"answers are JSON but called {kind or 'nothing at all'} (Content-Type)")
        return document


def shown(url: str) -> str:
    """``url`` without login, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _named(error: object) -> str:
    """An OAuth2 error by its name in the standard; one of the agency's own words may hold anything."""
    text = str(error)
    return text if text in _OAUTH_ERRORS or re.fullmatch(r"HTTP [0-9]{3}", text) else "in words of its own"


def _kind(response: requests.Response) -> str:
    """The content type, if it is one."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind if not kind or _KIND.fullmatch(kind) else "no content type"


def _is_html(response: requests.Response) -> bool:
    start = response.content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "html" in _kind(response) or start.startswith((b"<!doctype", b"<html"))


def _breaks_off(body: bytes) -> bool:
    """Whether there is nothing, or JSON that ends before its end: every list and object ends with its bracket."""
    text = body.strip(b"\xef\xbb\xbf \t\r\n")
    return not text or (text.startswith((b"{", b"[")) and not text.endswith((b"}", b"]")))


def _no_number(_: str) -> None:
    """NaN and Infinity are not JSON and no number: a value that is not there."""


def _stay_in_tls(response: requests.Response, **_: Any) -> None:
    """Refuse, before it is followed, a redirect that gives up the protection the address asked for."""
    if response.is_redirect and urlsplit(response.url).scheme == "https":
        following = urljoin(response.url, response.headers["Location"])
        if urlsplit(following).scheme != "https":
            raise LeavesTls("https to http")


def _stay_with_method(response: requests.Response, **_: Any) -> None:
    """Refuse, before it is followed, a redirect that would turn a POST into a GET: its answer is to no question."""
    if response.is_redirect and response.request.method == "POST" and response.status_code in (301, 302, 303):
        raise DropsBody(str(response.status_code))


def _is_open(address: str) -> bool:
    """Whether what is sent to this address can be read on the way: http that leaves this machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    return parts.scheme == "http" and not local


def _session(credentials: Credentials | None, oauth2: OAuth2 | None, source_id: str) -> requests.Session:
    if oauth2 is not None:
        if credentials is None:
            raise ConfigError("oauth2 needs a connection", where=source_id, remedy="name one under connection")
        return ClientSession(oauth2, credentials)
    session = PlainSession()
    if credentials is not None:
        session.auth = HTTPBasicAuth(credentials.login.encode(), credentials.password.get_secret_value().encode())
    return session
