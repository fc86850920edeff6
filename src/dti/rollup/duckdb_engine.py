"""Run a feed's rollup in DuckDB, in bounded memory, and stream the facts out as Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from pyarrow.lib import ArrowException, RecordBatch, RecordBatchReader

from dti.clock import ZONE
from dti.errors import DtiError
from dti.feeds import Contract, load_contract
from dti.rollup.files import lake_columns, sql_path

if TYPE_CHECKING:
    from dti.settings import Settings

BATCH_ROWS = 100_000
"""Facts handed on at a time; a few dozen megabytes at most."""


def facts_of(feed: str, files: list[str], *, settings: Settings) -> RecordBatchReader:
    """As :func:`dti.rollup.rollup`, in DuckDB.

    The reader streams: DuckDB spills to disk beyond ``settings.rollup_memory_limit``, and its connection closes
    when the last batch is read or the reader is dropped.
    """
    path = sql_path(feed, settings)
    connection = _connect(settings)
    try:
        _create_lake_view(connection, load_contract(feed, settings.include_dir / "feeds"), files)
        reader = connection.sql(path.read_text("utf-8")).to_arrow_reader(BATCH_ROWS)
    except duckdb.Error as fault:
        connection.close()
        raise _failed(feed, path, fault) from fault

    def batches() -> Iterator[RecordBatch]:
        with connection:
            try:
                yield from reader
            except (duckdb.Error, ArrowException, OSError) as fault:
                raise _failed(feed, path, fault) from fault

    return RecordBatchReader.from_batches(reader.schema, batches())


@contextmanager
def open_lake(contract: Contract, files: list[str], settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in bounded memory whose view ``lake`` reads a feed's Parquet ``files``."""
    with _connect(settings) as connection:
        _create_lake_view(connection, contract, files)
        yield connection


def _connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that spills into DTI_HOME and never reaches for the network."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.rollup_memory_limit,
        "temp_directory": str(settings.local_dir / "tmp" / "duckdb"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "TimeZone": ZONE.key,
    }
    (settings.local_dir / "tmp").mkdir(parents=True, exist_ok=True)  # DuckDB makes one folder, not those above it
    if settings.rollup_threads is not None:
        config["threads"] = settings.rollup_threads
    return duckdb.connect(config=config)


def _create_lake_view(connection: duckdb.DuckDBPyConnection, contract: Contract, files: list[str]) -> None:
    """View ``lake`` with every column of the contract, also those that older files (or no files) do not have.

    Delta keeps the partition column in the path and not in the file, hence hive partitioning; its value stays the
    text it is.
    """
    typed = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in lake_columns(contract).items())
    select = f"SELECT {typed} WHERE false"
    if files:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        select += (
            f" UNION ALL BY NAME FROM read_parquet([{listed}], union_by_name = true,"
            " hive_partitioning = true, hive_types = {'partition_key': VARCHAR})"
        )
    connection.execute(f"CREATE VIEW lake AS {select}")


def _failed(feed: str, path: Path, fault: Exception) -> DtiError:
    return DtiError(
        f"the rollup of {feed} failed: {fault}",
        where=str(path),
        remedy="a missing file means the lake changed while it was read: load the feed again; else mend the SQL",
    )
