"""Load one feed: facts, receipts and the lake's version, all in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import pyarrow as pa

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.facts import copy_facts, find_changed_days, is_empty, replace_changed_days, require_all, stage_facts
from dti.warehouse.receipts import Receipt, write_receipts
from dti.warehouse.restated import Restated, keep_days, record_restatements
from dti.warehouse.resubmitted import note_resubmitted
from dti.warehouse.statistics import analyze_facts

__all__ = ["Loaded", "Receipt", "load_feed"]

LOCK_SECONDS = 300
"""Patience with another load of the same feed."""


@dataclass(frozen=True)
class Loaded:
    """What a load did: its number in its feed (with nothing to do, that of the load before, or 0), the facts it copied,
    and how many days of which years it restated: figures that changed, came late or were withdrawn."""

    load_number: int
    rows: int
    restated_days: int = 0
    years: tuple[int, ...] = ()


def load_feed(
    feed: str,
    facts: pa.RecordBatchReader | None,
    partitions: list[str],
    receipts: list[Receipt],
    lake_version: int | None,
    *,
    settings: Settings,
) -> Loaded:
    """Replace the facts of ``partitions`` by ``facts``, record ``receipts``, and remember the lake's version.

    All of it or nothing; loads of one feed wait for one another; loading the same again changes nothing. With
    ``facts`` None the partitions are emptied, and with no partitions only receipts are recorded. Loads of a feed are
    counted, and a batch remembers the load that decided it, so that a run can say what it knew. Days whose facts
    are no longer what they were are recorded: see :func:`dti.warehouse.restated.record_restatements`. Raises
    WarehouseError naming table and row when the database refuses, or when the facts already reflect a newer lake.
    """
    with connect.connect(settings, "loader") as driver:
        try:
            with driver.transaction():
                driver.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                driver.execute("SELECT pg_advisory_xact_lock(hashtextextended('dti.load.' || %s, 0))", [feed])
                _remember_version(driver, feed, lake_version)
                number = next_load(driver, feed) if partitions or receipts else newest_load(driver, feed)
                rows, changed, restated = _replaced(driver, feed, facts, partitions, number, receipts)
                write_receipts(driver, receipts, settings, number)
                note_resubmitted(driver, feed, receipts, settings)
            if changed:
                driver.autocommit = True
                analyze_facts(driver, feed)
            return Loaded(number, rows, restated.days, restated.years)
        except psycopg.errors.LockNotAvailable:
            raise WarehouseError(
                f"still being loaded after {LOCK_SECONDS} s",
                where=feed,
                remedy="wait for the other load to end, then repeat",
            ) from None
        except psycopg.Error as fault:
            raise WarehouseError(_told(fault), where=f"load of {feed}", remedy=_remedy(fault)) from None


def _replaced(
    driver: psycopg.Connection,
    feed: str,
    facts: pa.RecordBatchReader | None,
    partitions: list[str],
    number: int,
    receipts: list[Receipt],
) -> tuple[int, bool, Restated]:
    """Replace the facts of ``partitions``: how many were given, whether any of them are new, and what they restate."""
    if facts is None and not partitions:
        return 0, False, Restated()
    if facts is not None and is_empty(driver, feed):
        rows = copy_facts(driver, feed, facts, partitions)  # what is new to an empty table restates nothing
        return rows, rows > 0, Restated()
    rows, restated = stage_facts(driver, feed, facts, partitions), Restated()
    if changed := find_changed_days(driver, feed, partitions):
        keep_days(driver, feed, partitions)
        replace_changed_days(driver, feed, partitions)
        restated = record_restatements(driver, feed, partitions, number, receipts)
    require_all(driver, feed, partitions, rows)
    return rows, changed > 0, restated


def next_load(driver: psycopg.Connection, feed: str) -> int:
    """Count a load of ``feed`` in the caller's transaction and return its number, from 1; undone with the load."""
    counted = driver.execute(
        """
        INSERT INTO ops.feed_load AS f (feed, load_number) VALUES (%s, 1)
        ON CONFLICT (feed) DO UPDATE SET load_number = f.load_number + 1
        RETURNING load_number
        """,
        [feed],
    ).fetchone()
    return int(counted[0]) if counted else 0


def newest_load(driver: psycopg.Connection, feed: str) -> int:
    """Number of the newest load of ``feed``; 0 when it has had none."""
    found = driver.execute("SELECT load_number FROM ops.feed_load WHERE feed = %s", [feed]).fetchone()
    return int(found[0]) if found else 0


def _remember_version(driver: psycopg.Connection, feed: str, lake_version: int | None) -> None:
    if lake_version is None:
        return
    stored = driver.execute("SELECT version FROM ops.lake_state WHERE feed = %s", [feed]).fetchone()
    if stored is not None and stored[0] > lake_version:
        raise WarehouseError(
            f"facts reflect lake version {stored[0]}, newer than {lake_version}",
            where=feed,
            remedy="repeat the load; if the lake was lost or restored, run dti lake rebuild",
        )
    driver.execute(
        """
        INSERT INTO ops.lake_state (feed, version) VALUES (%s, %s)
        ON CONFLICT (feed) DO UPDATE SET version = excluded.version, updated_at = now()
        WHERE ops.lake_state.version <> excluded.version
        """,
        [feed, lake_version],
    )


def _told(fault: psycopg.Error) -> str:
    """What the server said. Details of rows are left out but for duplicates: only they name nothing but a key."""
    diag = fault.diag
    told = [diag.message_primary or str(fault)]
    if isinstance(fault, psycopg.errors.UniqueViolation) and diag.message_detail:
        told.append(diag.message_detail)
    if diag.context:
        told.append(diag.context.splitlines()[0].split(":")[0])
    return "; ".join(" ".join(part.split()) for part in told)


def _remedy(fault: psycopg.Error) -> str:
    if isinstance(fault, psycopg.errors.UniqueViolation):
        return "the rollup must give one row for each key of the fact table"
    if isinstance(fault, psycopg.errors.CheckViolation):
        return "landed must be loaded + quarantined, with one line for each quarantined row: judge the batch again"
    if isinstance(fault, psycopg.errors.DataError | psycopg.errors.IntegrityError):
        return "the columns of the rollup must fit the fact table"
    return "check that the server runs and the warehouse is prepared, then repeat"
