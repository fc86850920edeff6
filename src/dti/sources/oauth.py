"""A session that carries an OAuth2 token got with client credentials, and renews it before it expires."""

from __future__ import annotations

import time

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from dti.sources.credentials import Credentials
from dti.sources.model import OAuth2
from dti.sources.session import OwnLogin

LEEWAY_SECONDS = 30


class ClientSession(OwnLogin, OAuth2Session):
    """authlib's session for one client. Token requests go through the same adapter as all others."""

    def __init__(self, oauth2: OAuth2, credentials: Credentials) -> None:
        super().__init__(
            client_id=credentials.login,
            client_secret=credentials.password.get_secret_value(),
            scope=oauth2.scope,
            token_endpoint=oauth2.token_address,
            token_endpoint_auth_method=f"client_secret_{oauth2.client_auth}",
            grant_type="client_credentials",
        )
        self.token_address = oauth2.token_address
        self.register_compliance_hook("access_token_response", _refuse_errors)

    def forget_token(self) -> None:
        """The agency no longer takes the token: get another before the next question."""
        self.token = None

    def ensure_token(self, *, verify: str | bool) -> None:
        """Have a token that lives long enough for the next question.

        Raises OAuthError when the agency refuses the client, requests.HTTPError when the endpoint fails,
        ValueError when it answers with anything but a token.
        """
        if self.token and not self.token.is_expired(leeway=self.leeway):
            return
        token = self.fetch_token(self.token_address, grant_type="client_credentials", verify=verify)
        if not isinstance(token.get("access_token"), str) or not token["access_token"]:
            self.forget_token()
            raise ValueError("no access_token in the answer")
        # A token that lives shorter than twice the leeway would otherwise be renewed before every question.
        expires_at = token.get("expires_at")
        lifetime = expires_at - time.time() if isinstance(expires_at, int) else float("inf")
        self.leeway = min(LEEWAY_SECONDS, lifetime / 2)


def _refuse_errors(response: requests.Response) -> requests.Response:
    """Raise on any error status: authlib looks only for an ``error`` in the body, which not every agency sends."""
    if response.status_code in {400, 401, 403}:
        raise OAuthError(f"HTTP {response.status_code}")
    response.raise_for_status()
    return response
