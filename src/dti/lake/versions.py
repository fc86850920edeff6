"""What is in the lake, and what changed since a version, read from the Delta log alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from dti.lake.errors import LakeError
from dti.lake.table import PARTITION, open_table
from dti.settings import Settings
from dti.store import store_of


def version(feed: str, *, settings: Settings) -> int | None:
    """The newest version of a feed's table; None while nothing was ever merged."""
    table = open_table(feed, settings)
    return None if table is None else table.version()


def changed_partitions(feed: str, since_version: int | None, *, settings: Settings) -> list[str]:
    """Partitions whose files are not those of ``since_version``, sorted; with None all there are.

    All are given as well when that version cannot be read: the table was rebuilt, and counts anew. A partition
    whose rows are all gone is among the changed ones.
    """
    table = open_table(feed, settings)
    if table is None:
        return []
    now = _files_by_partition(table)
    before = _at(feed, since_version, table, settings)
    if before is None:
        return sorted(now)
    return sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))


def files(feed: str, partitions: Sequence[str], *, settings: Settings) -> list[str]:
    """Absolute paths of the Parquet files of these partitions, sorted; of an object store their addresses.

    The partition stands in the path (``partition_key=2025-07``), not in the file.
    """
    table = open_table(feed, settings)
    if table is None or not partitions:
        return []
    found = table.file_uris(file_pruning_predicate=[(PARTITION, "in", list(partitions))])
    # Delta writes what is not ASCII, and blanks, as a URL has them, also in a path: a home may have a Vietnamese name.
    return sorted(found if settings.store_url else map(unquote, found))


@contextmanager
def at_hand(feed: str, partitions: Sequence[str], *, settings: Settings) -> Iterator[list[str]]:
    """As ``files``, as paths on this machine, for the block. Raises LakeError when the lake changed meanwhile."""
    found = files(feed, partitions, settings=settings)
    store = store_of(settings)
    if settings.store_url is None:
        yield found
        return
    names = [file.removeprefix(store.where()).lstrip("/") for file in found]
    with ExitStack() as held:
        try:
            paths = held.enter_context(store.at_hand(names))
        except FileNotFoundError as fault:
            raise LakeError(
                "a file is gone: the lake changed while it was read", where=str(fault), remedy="load the feed again"
            ) from None
        yield [str(path) for path in paths]


def _at(feed: str, since_version: int | None, newest: DeltaTable, settings: Settings) -> dict[str, set[str]] | None:
    if since_version is None or since_version > newest.version():
        return None
    try:
        before = open_table(feed, settings, since_version)
    except DeltaError:
        return None
    return None if before is None else _files_by_partition(before)


def _files_by_partition(table: DeltaTable) -> dict[str, set[str]]:
    actions = pa.table(table.get_add_actions(flatten=True))
    found: dict[str, set[str]] = {}
    for key, path in zip(actions[f"partition.{PARTITION}"].to_pylist(), actions["path"].to_pylist(), strict=True):
        found.setdefault(key, set()).add(path)
    return found
