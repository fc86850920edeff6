"""A feed's Delta table: where it is, and that it has the columns of the feed's contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema

from dti.feeds import Contract
from dti.gate.schema import passed_schema
from dti.lake.errors import LakeError
from dti.settings import Settings
from dti.store import store_of
from dti.store.credentials import options
from dti.store.errors import told

PARTITION = "partition_key"
NEVER_TIDIED = {"delta.enableExpiredLogCleanup": "false"}
"""Old versions stay readable: what changed since a version is found by reading that version."""


LAKE = "lake"


def table_name(feed: str) -> str:
    """Name below DTI_HOME of the folder of a feed's table."""
    return f"{LAKE}/{feed}"


def table_url(feed: str, settings: Settings) -> str:
    """Where the table of a feed stands: a path, or s3://bucket/key."""
    return store_of(settings).where(table_name(feed))


def storage_options(settings: Settings) -> dict[str, str] | None:
    """What Delta needs to know of an object store, secrets and all; nothing of a disk.

    A commit is a put on condition that the version is not there, so no other lock is needed.
    """
    if settings.store_url is None:
        return None
    wait = f"{settings.store_timeout_seconds:g}s"
    given = options(settings)
    plain = given.get("aws_endpoint_url", "").startswith("http://")
    return given | {
        "aws_conditional_put": "etag",
        "allow_http": str(plain).lower(),
        "timeout": wait,
        "connect_timeout": "5s",
        "max_retries": "5",
        "retry_timeout": wait,
    }


def open_table(feed: str, settings: Settings, at_version: int | None = None) -> DeltaTable | None:
    """The table of a feed, now or as it was at a version; None while there is none."""
    url, given = table_url(feed, settings), storage_options(settings)
    with told_of_lake(feed, settings):
        there = DeltaTable.is_deltatable(url, given)
        return DeltaTable(url, version=at_version, storage_options=given) if there else None


@contextmanager
def told_of_lake(feed: str, settings: Settings) -> Iterator[None]:
    """What an object store refuses, as StoreError."""
    if settings.store_url is None:
        yield
        return
    from dti.store.bucket import bucket_of

    with told(table_url(feed, settings), bucket_of(settings).endpoint):
        yield


def ready_table(contract: Contract, settings: Settings) -> DeltaTable:
    """The table of a feed, made if it is not there, and with every column the contract has by now.

    A contract may gain columns; older rows are empty there. Raises LakeError when a column changed its type.
    """
    wanted = Schema.from_arrow(passed_schema(contract))
    table = open_table(contract.feed, settings)
    if table is None:
        if settings.store_url is None:
            settings.lake_dir.mkdir(parents=True, exist_ok=True)
        with told_of_lake(contract.feed, settings):
            return new_table(contract, table_url(contract.feed, settings), storage_options(settings))
    has = {field.name: field for field in table.schema().fields}
    if changed := [f.name for f in wanted.fields if f.name in has and has[f.name].type != f.type]:
        raise LakeError(
            f"the contract gives another type to {', '.join(changed)}",
            where=table_url(contract.feed, settings),
            remedy="move the table away; the lake is rebuilt from landing",
        )
    if new := [Field(f.name, f.type, nullable=True) for f in wanted.fields if f.name not in has]:
        with told_of_lake(contract.feed, settings):
            table.alter.add_columns(new)
    return table


def new_table(contract: Contract, place: Path | str, given: dict[str, str] | None = None) -> DeltaTable:
    """A table of the feed at ``place``, with no rows. ``given`` is what Delta needs to know of an object store."""
    return DeltaTable.create(
        str(place),
        Schema.from_arrow(passed_schema(contract)),
        mode="ignore",  # another process may have made it just now
        partition_by=PARTITION,
        name=contract.feed,
        description=contract.grain,
        configuration=NEVER_TIDIED,
        storage_options=given,
    )


def column_names(contract: Contract) -> list[str]:
    """The columns every merge writes, in the contract's order."""
    names: list[str] = pa.schema(passed_schema(contract)).names
    return names
