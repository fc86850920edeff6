"""A feed's lake, written anew from landing and the recorded verdicts: for one that is lost, damaged or doubted.

The new table is made beside the old one and takes its place whole. Before that its facts are held against those of the
warehouse, so that a lake which would change a figure is never put in place unseen.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import write_deltalake
from psycopg import sql
from sqlalchemy import Connection

from dti.annual.candidate import lake_of, lay_facts
from dti.annual.ledger import batches_known
from dti.feeds import load_contract
from dti.index.standing import Known
from dti.lake import LakeError
from dti.lake.table import PARTITION, column_names, new_table, table_name
from dti.settings import Settings
from dti.warehouse import connect, state
from dti.warehouse.alone import feed_alone
from dti.warehouse.migrate import driver_connection

EVERY_LOAD = 2**62
_LOG = "_delta_log"


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuilt lake holds, and how its facts stand against those of the warehouse (both 0: equal)."""

    feed: str
    batches: int
    rows: int
    facts: int
    facts_missing: int
    facts_new: int


def rebuild_lake(feed: str, *, accept_difference: bool = False, settings: Settings) -> Rebuilt:
    """Put a new table in the place of the feed's lake, made of all batches that the warehouse has decided.

    What is still pending is left to the next load, which replaces all facts of the feed. Killed anywhere, it leaves
    the old table or the new one, and is repeated. Raises LakeError, with the old table in place, when the new one's
    facts are not those of the warehouse, unless ``accept_difference``; LandingError when the ledger is not whole.
    """
    work = settings.local_dir / "tmp" / "lake"
    with feed_alone(feed, settings):
        shutil.rmtree(work / feed, ignore_errors=True)
        try:
            with connect.engine(settings, "loader").connect() as connection:
                batches = batches_known(connection, feed, Known(load_number=EVERY_LOAD))
                connection.rollback()
                if not batches:
                    return Rebuilt(feed, 0, 0, 0, 0, 0)  # nothing ever came: there is no lake to make
                files = lake_of(feed, batches, work, settings)
                counts = _compared(connection, feed, files, settings)
            rows = _write(feed, files, work / feed / "table", settings)
            told = Rebuilt(feed, len(batches), rows, *counts)
            if (told.facts_missing or told.facts_new) and not accept_difference:
                raise LakeError(
                    f"rebuilt, {told.facts_missing} facts of the warehouse are gone and {told.facts_new} are new",
                    where=feed,
                    remedy="find out why (a rollup file that changed since?); to have them so: --accept-difference",
                )
            _put_in_place(work / feed / "table", feed, settings)
            state.forget_lake(feed, settings=settings)
        finally:
            shutil.rmtree(work / feed, ignore_errors=True)
    return told


def _compared(connection: Connection, feed: str, files: list[str], settings: Settings) -> tuple[int, int, int]:
    """Facts of the rebuilt lake; how many of the warehouse's it has not, and the other way round."""
    mine, theirs = sql.Identifier("pg_temp", feed), sql.Identifier("facts", feed)
    with connection.begin():
        lay_facts(connection, feed, files, settings)
        driver = driver_connection(connection)

        def count(question: str) -> int:
            text = sql.SQL(question).format(mine=mine, theirs=theirs)
            found = driver.execute(text).fetchone()
            return int(found[0]) if found else 0

        return (
            count("select count(*) from {mine}"),
            count("select count(*) from (select * from {theirs} except all select * from {mine}) as gone"),
            count("select count(*) from (select * from {mine} except all select * from {theirs}) as brought"),
        )


def _write(feed: str, files: list[str], folder: Path, settings: Settings) -> int:
    """A Delta table of the rebuilt ``files`` in one commit; how many rows it has."""
    contract = load_contract(feed, settings.include_dir / "feeds")
    folder.parent.mkdir(parents=True, exist_ok=True)
    table = new_table(contract, folder)
    if not files:
        return 0
    typed = {name: f'"{name}"' for name in column_names(contract)}
    typed[PARTITION] = f'CAST("{PARTITION}" AS VARCHAR) AS "{PARTITION}"'  # of a path: a year would come as a number
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        kept = db.read_parquet(files, hive_partitioning=True)
        write_deltalake(table, kept.project(", ".join(typed.values())).to_arrow_reader(100_000), mode="append")
    table.update_incremental()
    return int(table.count())


def _put_in_place(new: Path, feed: str, settings: Settings) -> None:
    """The old table goes aside, the new one in its place; a load that comes in between finds none and is refused."""
    if settings.store_url is not None:
        _send(new, table_name(feed), settings)
        return
    place = settings.lake_dir / feed
    place.parent.mkdir(parents=True, exist_ok=True)
    old = new.with_name("old")
    if place.exists():
        place.rename(old)
    new.rename(place)


def _send(new: Path, place: str, settings: Settings) -> None:
    """As ``_put_in_place``, to an object store. A table is there from its first version on, and whole from its last:
    so versions go first of the old one's files, and come last and in order of the new one's. Killed in between, no
    load goes on with it, and the rebuild is repeated.
    """
    from dti.store.bucket import bucket_of

    store = bucket_of(settings)
    store.remove(sorted(store.below(place), key=lambda name: (f"{place}/{_LOG}/" not in name, name)))
    files = [path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file()]
    for name in sorted(files, key=lambda name: (name.startswith(_LOG), name)):
        store.upload(f"{place}/{name}", new / name)
