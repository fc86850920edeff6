"""Merges what the gate passed into a feed's table, so that every key stands once, in its newest known state."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError

from dti.feeds import Contract, load_contract
from dti.gate import Verdict
from dti.lake.errors import LakeError
from dti.lake.table import PARTITION, column_names, ready_table, table_url, told_of_lake
from dti.settings import Settings

ROWS_AT_ONCE = 1_000_000
"""Rows, new and old together, of the partitions that one commit touches: about 1.5 GB of memory. See ``_groups``."""

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2


def merge(feed: str, verdicts: Sequence[Verdict], *, settings: Settings) -> int:
    """Merge the passed rows of ``verdicts`` into the lake and return the table's version.

    A row takes the place of the one with its key when its version column is newer, or equal and landed later
    (without a version column: landed later). So the order in which batches are merged does not matter, and merging
    them again changes nothing, not even the version. A key never changes its partition (see the feed's contract),
    so only the partitions of the incoming rows are read.

    Each commit names the batches it holds. A merge of more than ``ROWS_AT_ONCE`` rows is several commits; killed
    between two, it is finished by merging again. Raises LakeError when other writers kept winning, or when the
    contract no longer fits the table.
    """
    contract = load_contract(feed, settings.include_dir / "feeds")
    paths = [path for verdict in verdicts for path in verdict.passed_files]
    batches = sorted(v.batch_id for v in verdicts if v.passed_files)
    if foreign := sorted(v.batch_id for v in verdicts if v.feed != feed):
        raise LakeError(f"not of feed {feed}", where=", ".join(foreign), remedy="merge each feed by itself")
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        table = ready_table(contract, settings)
        if paths:
            db.read_parquet(paths, union_by_name=True).create_view("incoming")
            for group in _groups(db, table):
                table = _merge_group(contract, db, group, batches, settings)
    return table.version()


def _groups(db: duckdb.DuckDBPyConnection, table: DeltaTable) -> Iterator[list[str]]:
    """Incoming partitions in bundles of at most ``ROWS_AT_ONCE`` rows, at least one partition each.

    Delta joins both sides of a merge in memory, so what bounds a commit is the rows of its partitions.
    """
    actions = pa.table(table.get_add_actions(flatten=True))
    rows: dict[str, int] = {}
    for key, count in zip(
        actions[f"partition.{PARTITION}"].to_pylist(), actions["num_records"].to_pylist(), strict=True
    ):
        rows[key] = rows.get(key, 0) + (count or 0)
    group: list[str] = []
    weight = 0
    counted = db.sql(f"SELECT {PARTITION}, count(*) FROM incoming GROUP BY ALL ORDER BY ALL").fetchall()
    for key, count in counted:
        size = count + rows.get(key, 0)
        if group and weight + size > ROWS_AT_ONCE:
            yield group
            group, weight = [], 0
        group.append(key)
        weight += size
    yield group


def _merge_group(
    contract: Contract, db: duckdb.DuckDBPyConnection, group: list[str], batches: list[str], settings: Settings
) -> DeltaTable:
    """One commit; tried again from the newest version when another writer was faster."""
    for attempt in range(_ATTEMPTS):
        table = ready_table(contract, settings)
        try:
            with told_of_lake(contract.feed, settings):
                _commit(contract, table, _newest(contract, db, group), group, batches)
        except CommitFailedError:
            time.sleep(_PAUSE_SECONDS * 2**attempt)
        else:
            return table
    raise LakeError(
        f"other writers were faster {_ATTEMPTS} times",
        where=table_url(contract.feed, settings),
        remedy="load the feed again; load one feed in one place at a time",
    )


def _newest(contract: Contract, db: duckdb.DuckDBPyConnection, group: list[str]) -> pa.RecordBatchReader:
    """Incoming rows of these partitions, of each key the newest only, as a stream."""
    keys = ", ".join(f'"{name}"' for name in contract.key)
    newest_first = ", ".join(f'"{name}" DESC NULLS LAST' for name in recency(contract))
    columns = ", ".join(f'"{name}"' for name in column_names(contract))
    return db.sql(
        f"""
        SELECT {columns} FROM incoming WHERE {PARTITION} IN ({_listed(group)})
        QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {newest_first}) = 1
        """
    ).to_arrow_reader(100_000)


def _commit(
    contract: Contract, table: DeltaTable, rows: pa.RecordBatchReader, group: list[str], batches: list[str]
) -> None:
    columns = {name: f"s.`{name}`" for name in column_names(contract)}
    same_key = " AND ".join(f"t.`{name}` = s.`{name}`" for name in [PARTITION, *contract.key])
    (
        table.merge(
            rows,
            # The list of partitions is what lets Delta leave the files of all others unread.
            predicate=f"t.{PARTITION} IN ({_listed(group)}) AND {same_key}",
            source_alias="s",
            target_alias="t",
            commit_properties=CommitProperties(custom_metadata={"dti.batches": ",".join(batches)}),
        )
        .when_matched_update(columns, predicate=_is_newer(recency(contract)))
        .when_not_matched_insert(columns)
        .execute()
    )


def recency(contract: Contract) -> list[str]:
    """Columns that say which of two rows with one key is newer, weightiest first."""
    return [*([contract.version_column] if contract.version_column else []), "_landed_at", "_batch_id"]


def _is_newer(columns: list[str]) -> str:
    """Predicate: the incoming row is newer, by the first of ``columns`` in which the two differ."""
    first, *rest = columns
    newer = f"s.`{first}` > t.`{first}`"
    return f"({newer} OR (s.`{first}` = t.`{first}` AND {_is_newer(rest)}))" if rest else newer


def _listed(texts: Sequence[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
