"""One process at a time judges or loads a feed: nights filled in parallel would take up the same pending batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect

WAIT_SECONDS = 20 * 60
"""Patience with another process at the same feed; below the 30 minutes that Airflow gives a task."""


@contextmanager
def feed_alone(feed: str, settings: Settings, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold ``feed`` for this process until the block ends; PostgreSQL lets go when the process dies.

    The lock is a session's, on a connection of its own, so that the block may open and end transactions of its own.
    Other feeds go on. Raises WarehouseError when another process has not let go after ``wait_seconds``.
    """
    with connect.connect(settings, "loader") as guard:
        try:
            guard.autocommit = True
            guard.execute(f"SET lock_timeout = {round(wait_seconds * 1000)}")
            guard.execute("SELECT pg_advisory_lock(hashtextextended('dti.feed.' || %s, 0))", [feed])
        except psycopg.errors.LockNotAvailable:
            raise WarehouseError(
                f"another process judges or loads this feed, for {wait_seconds:.0f} s by now",
                where=feed,
                remedy="wait for it to end, then repeat: what is pending is taken up then",
            ) from None
        except psycopg.OperationalError as fault:
            raise connect.gone(fault, connect.url(settings, "loader")) from None
        yield
