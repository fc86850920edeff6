"""Sessions that log in as the source's connection says and in no other way.

Where requests finds no login it looks into the ``~/.netrc`` of whoever runs the process. That is nobody's connection: a
source would answer on one machine and not on the next, and a login could go to a host that a redirect names. Proxies
are still taken from the environment.
"""

from __future__ import annotations

import requests


class OwnLogin(requests.Session):
    """Never adds a login when a redirect is followed; takes it away when another host is asked."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Called by requests for each redirect."""
        left = self.should_strip_auth(str(response.request.url), str(prepared_request.url))  # type: ignore[no-untyped-call]
        if left:
            prepared_request.headers.pop("Authorization", None)


class PlainSession(OwnLogin):
    """A session that begins with no login at all."""

    def __init__(self) -> None:
        super().__init__()
        self.auth = _as_it_is


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds nothing; were there nothing here, requests would look into ``~/.netrc``."""
    return request
