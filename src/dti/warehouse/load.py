"""Load one feed: facts, receipts and the lake's version, all in one transaction."""

from __future__ import annotations

import psycopg
import pyarrow as pa
from psycopg import sql

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.facts import replace_facts
from dti.warehouse.receipts import Receipt, write_receipts

__all__ = ["Receipt", "load_feed"]

LOCK_SECONDS = 300
"""Patience with another load of the same feed."""


def load_feed(
    feed: str,
    facts: pa.RecordBatchReader | None,
    partitions: list[str],
    receipts: list[Receipt],
    lake_version: int | None,
    *,
    settings: Settings,
) -> None:
    """Replace the facts of ``partitions`` by ``facts``, record ``receipts``, and remember the lake's version.

    All of it or nothing; loads of one feed wait for one another; loading the same again changes nothing. With
    ``facts`` None the partitions are emptied, and with no partitions only receipts are recorded. Raises WarehouseError
    naming table and row when the database refuses, or when the facts already reflect a newer lake.
    """
    with connect.connect(settings, "loader") as driver:
        try:
            with driver.transaction():
                driver.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                driver.execute("SELECT pg_advisory_xact_lock(hashtextextended('dti.load.' || %s, 0))", [feed])
                _remember_version(driver, feed, lake_version)
                rows = replace_facts(driver, feed, facts, partitions)
                write_receipts(driver, receipts, settings)
            if rows:
                driver.autocommit = True
                driver.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("facts", feed)))
        except psycopg.errors.LockNotAvailable:
            raise WarehouseError(
                f"still being loaded after {LOCK_SECONDS} s",
                where=feed,
                remedy="wait for the other load to end, then repeat",
            ) from None
        except psycopg.Error as fault:
            raise WarehouseError(_told(fault), where=f"load of {feed}", remedy=_remedy(fault)) from None


def _remember_version(driver: psycopg.Connection, feed: str, lake_version: int | None) -> None:
    if lake_version is None:
        return
    stored = driver.execute("SELECT version FROM ops.lake_state WHERE feed = %s", [feed]).fetchone()
    if stored is not None and stored[0] > lake_version:
        raise WarehouseError(
            f"facts reflect lake version {stored[0]}, newer than {lake_version}",
            where=feed,
            remedy="repeat the load; if the lake was built anew, call dti.warehouse.state.forget_lake first",
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
