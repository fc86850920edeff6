"""OAuth2 client credentials (RFC 6749, section 4.4) with tokens that live a minute."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from urllib.parse import unquote_plus


class TokenDesk:
    """Gives out and checks bearer tokens for one client."""

    def __init__(self, client_id: str, client_secret: str, lifetime_seconds: float = 60) -> None:
        if not client_id or not client_secret:
            raise ValueError("a client id and a secret are needed")
        self._client = (client_id.encode(), client_secret.encode())
        self.lifetime_seconds = lifetime_seconds
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()

    def knows(self, client_id: str, client_secret: str) -> bool:
        """Whether these are the client's id and secret."""
        same_id = secrets.compare_digest(client_id.encode(), self._client[0])
        return secrets.compare_digest(client_secret.encode(), self._client[1]) and same_id

    def issue(self) -> str:
        """A new token."""
        token, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            self._tokens = {t: end for t, end in self._tokens.items() if end > now}
            self._tokens[token] = now + self.lifetime_seconds
        return token

    def allows(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries a token that still lives."""
        scheme, _, token = (authorization or "").partition(" ")
        with self._lock:
            end = self._tokens.get(token.strip(), 0.0)
        return scheme.lower() == "bearer" and end > time.monotonic()


def basic(authorization: str | None) -> list[tuple[str, str]]:
    """What id and secret a Basic header may mean: form-encoded as RFC 6749 asks, or plain as many clients send them."""
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        login, _, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [(login, password), (unquote_plus(login), unquote_plus(password))]
