"""A rate limit that a well-behaved pull meets once in a while, and that a rude one cannot pass."""

from __future__ import annotations

import threading
import time

RETRY_AFTER_SECONDS = 1


class RateLimit:
    """Refuses the ``first``-th request, and then every ``every``-th; who comes back too soon is refused again."""

    def __init__(self, first: int = 30, every: int = 500) -> None:
        self._first, self._every = first, every
        self._asked: dict[str, int] = {}
        self._closed: dict[str, float] = {}
        self._lock = threading.Lock()

    def admits(self, place: str) -> bool:
        """Count one request for ``place`` and say whether it may pass; if not, Retry-After is one second."""
        with self._lock:
            if self._closed.get(place, 0.0) > time.monotonic():
                return False
            asked = self._asked[place] = self._asked.get(place, 0) + 1
            if asked == self._first or (asked > self._first and (asked - self._first) % self._every == 0):
                self._closed[place] = time.monotonic() + RETRY_AFTER_SECONDS * 0.9
                return False
            return True
