"""A feed's Delta table: where it is, and that it has the columns of the feed's contract."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema

from dti.feeds import Contract
from dti.gate.schema import passed_schema
from dti.lake.errors import LakeError
from dti.settings import Settings

PARTITION = "partition_key"
NEVER_TIDIED = {"delta.enableExpiredLogCleanup": "false"}
"""Old versions stay readable: what changed since a version is found by reading that version."""


def table_path(feed: str, settings: Settings) -> Path:
    """Where the table of a feed stands."""
    return settings.lake_dir / feed


def open_table(feed: str, settings: Settings, at_version: int | None = None) -> DeltaTable | None:
    """The table of a feed, now or as it was at a version; None while there is none."""
    path = str(table_path(feed, settings))
    return DeltaTable(path, version=at_version) if DeltaTable.is_deltatable(path) else None


def ready_table(contract: Contract, settings: Settings) -> DeltaTable:
    """The table of a feed, made if it is not there, and with every column the contract has by now.

    A contract may gain columns; older rows are empty there. Raises LakeError when a column changed its type.
    """
    wanted = Schema.from_arrow(passed_schema(contract))
    table = open_table(contract.feed, settings)
    if table is None:
        path = table_path(contract.feed, settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        return DeltaTable.create(
            str(path),
            wanted,
            mode="ignore",  # another process may have made it just now
            partition_by=PARTITION,
            name=contract.feed,
            description=contract.grain,
            configuration=NEVER_TIDIED,
        )
    has = {field.name: field for field in table.schema().fields}
    if changed := [f.name for f in wanted.fields if f.name in has and has[f.name].type != f.type]:
        raise LakeError(
            f"the contract gives another type to {', '.join(changed)}",
            where=str(table_path(contract.feed, settings)),
            remedy="move the table away; the lake is rebuilt from landing",
        )
    if new := [Field(f.name, f.type, nullable=True) for f in wanted.fields if f.name not in has]:
        table.alter.add_columns(new)
    return table


def column_names(contract: Contract) -> list[str]:
    """The columns every merge writes, in the contract's order."""
    names: list[str] = pa.schema(passed_schema(contract)).names
    return names
