"""What time it is in the made-up country: the real time, or a moment that was set and stands still."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from sandbox.world.times import VIETNAM, moment

TICK = 60
"""Agencies' systems show changes once a minute, so that a page costs no new look at everything."""


class Clock:
    """Holds the time; safe between threads."""

    def __init__(self, fixed: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._fixed: int | None = None
        self.set(fixed)

    def set(self, fixed: datetime | None) -> None:
        """Stand still at ``fixed`` (Việt Nam's time when it has no zone), or follow real time."""
        with self._lock:
            self._fixed = None if fixed is None else moment(fixed)

    @property
    def is_fixed(self) -> bool:
        """Whether the time stands still."""
        return self._fixed is not None

    def now(self) -> int:
        """The moment, in seconds since 1970."""
        with self._lock:
            return self._fixed if self._fixed is not None else int(time.time()) // TICK * TICK


def parse_clock(text: str) -> datetime:
    """Read ``2026-07-01T02:00`` (Việt Nam's time unless it carries a zone). Raises ValueError."""
    when = datetime.fromisoformat(text.strip())
    return when if when.tzinfo else when.replace(tzinfo=VIETNAM)
