"""The lake of one feed as it was known at a cut-off, rebuilt from landing.

What landed is typed by the gate's own query, without the rows that the gate held back then, and of each key the newest
state counts, as in the lake. Nothing of today's lake is read, and nothing is written but files that go afterwards.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dti.annual.ledger import KnownBatch
from dti.errors import LandingError
from dti.feeds import Contract, load_contract
from dti.gate.casts import identifier, literal
from dti.gate.schema import passed_schema
from dti.gate.typed import landed_texts, typed_rows
from dti.gate.units import UnitDirectory
from dti.landing import ledger
from dti.settings import Settings

GEOGRAPHIES = ("34", "63")
"""Those that ``dti.gate.typed.geography`` knows."""


def rebuild(
    feed: str,
    batches: list[KnownBatch],
    held_rows: Path,
    directories: Mapping[str | None, UnitDirectory],
    folder: Path,
    *,
    settings: Settings,
) -> list[str]:
    """Write the feed's lake as ``batches`` make it into ``folder`` and return its Parquet files.

    ``held_rows``: CSV of (batch_id, row_number) that the gate held back. ``directories``: how units were written, by
    the version a batch was judged with. Memory is bounded by ``settings.rollup_memory_limit``; beyond it DuckDB spills.
    Raises LandingError when the ledger is not as it was: a file gone or changed, or rows that do not add up.
    """
    contract = load_contract(feed, settings.include_dir / "feeds")
    folder.mkdir(parents=True)
    with _duckdb(settings) as db:
        groups = _lay_parts(db, batches, folder.with_name("landed"), settings)
        _lay_held(db, held_rows)
        _require_whole(db, feed)
        for number, group in enumerate(groups):
            _lay_landed(db, contract, number, group)
            _lay_units(db, number, directories[group.units_hash])
        db.execute(f"CREATE TABLE newest AS {_newest(contract, _typed(contract, 'landed', len(groups)))}")
        for number in range(len(groups)):
            db.execute(f"CREATE VIEW kept_{number} AS FROM numbered_{number} SEMI JOIN newest USING (row_number)")
        names = ", ".join(identifier(name) for name in passed_schema(contract).names)
        db.execute(f"""
            COPY (SELECT {names} FROM ({_typed(contract, "kept", len(groups))}))
            TO {literal(str(folder))} (FORMAT parquet, PARTITION_BY (partition_key), OVERWRITE_OR_IGNORE)
        """)
    return sorted(str(path) for path in folder.rglob("*.parquet"))


@dataclass(frozen=True)
class _Part:
    """A file of a batch: it is the one that landed. ``columns`` and ``rows`` are as its footer has them."""

    path: str
    columns: frozenset[str]
    rows: int


@dataclass(frozen=True)
class _Group:
    """Files that have the same columns and were judged with the same version of the unit aliases."""

    units_hash: str | None
    columns: frozenset[str]
    paths: list[str]


def _lay_parts(
    db: duckdb.DuckDBPyConnection, batches: list[KnownBatch], fetched: Path, settings: Settings
) -> list[_Group]:
    """Tables ``batch`` and ``part``, rows numbered through all batches from the one that landed first.

    Of two rows with the same version the one of the higher number landed later, so it is the newer one.
    """
    oldest_first = sorted(batches, key=lambda batch: (batch.landed_at, batch.batch_id))
    with ThreadPoolExecutor(settings.rollup_threads or os.cpu_count()) as pool:
        checked = list(pool.map(partial(_checked, fetched=fetched, settings=settings), oldest_first))
    part_rows, batch_rows, first_row = [], [], 0
    groups: dict[tuple[str | None, frozenset[str]], list[str]] = defaultdict(list)
    for batch, parts in zip(oldest_first, checked, strict=True):
        rows = sum(part.rows for part in parts)
        batch_rows.append((batch.batch_id, first_row, rows, batch.rows_loaded))
        for part in parts:
            part_rows.append((part.path, first_row, batch.source_id, batch.batch_id, batch.landed_at))
            groups[batch.units_hash, part.columns].append(part.path)
            first_row += part.rows
    _lay(db, "batch", _BATCH, batch_rows)
    _lay(db, "part", _PART, part_rows)
    return [_Group(version, columns, paths) for (version, columns), paths in groups.items()]


def _checked(batch: KnownBatch, fetched: Path, settings: Settings) -> list[_Part]:
    """The files of a batch, which are those that landed; copies of what is not on this machine go with ``fetched``."""
    manifest = ledger.manifest_of(batch.feed, batch.source_id, batch.batch_id, settings)
    found = []
    for path in ledger.fetch(manifest, settings, fetched):
        footer = pq.read_metadata(path)
        found.append(_Part(str(path), frozenset(footer.schema.names), footer.num_rows))
    return found


_BATCH = pa.schema(
    [("batch_id", pa.string()), ("first_row", pa.int64()), ("rows", pa.int64()), ("rows_loaded", pa.int64())]
)
_PART = pa.schema(
    [
        ("path", pa.string()),
        ("first_row", pa.int64()),
        ("_source_id", pa.string()),
        ("_batch_id", pa.string()),
        ("_landed_at", pa.timestamp("us", tz="UTC")),
    ]
)


def _lay(db: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, rows: Sequence[tuple[object, ...]]) -> None:
    columns = [*zip(*rows, strict=True)] or [()] * len(schema)
    given = pa.table([pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema)
    db.register("given", given)
    db.execute(f"CREATE TABLE {name} AS FROM given")
    db.unregister("given")


def _lay_held(db: duckdb.DuckDBPyConnection, held_rows: Path) -> None:
    """Table ``held``: numbers, through all batches, of the rows that the gate held back."""
    db.execute(
        """
        CREATE TABLE held AS
        SELECT batch.batch_id, batch.first_row + file.row_number AS row_number
        FROM read_csv($1, auto_detect = false, header = false, delim = ',', quote = '"',
            columns = {'batch_id': 'VARCHAR', 'row_number': 'BIGINT'}) AS file
        INNER JOIN batch USING (batch_id)
        WHERE file.row_number < batch.rows
        """,
        [str(held_rows)],
    )


def _lay_landed(db: duckdb.DuckDBPyConnection, contract: Contract, number: int, group: _Group) -> None:
    """Views of a group's rows as the gate's bench has them: ``numbered`` all, ``landed`` those that passed."""
    listed = ", ".join(map(literal, group.paths))
    db.execute(f"""
        CREATE VIEW numbered_{number} AS
        SELECT
            part.first_row + file.file_row_number AS row_number,
            {", ".join(landed_texts(contract, group.columns))},
            part._source_id,
            part._batch_id,
            part._landed_at
        FROM read_parquet([{listed}], filename = true, file_row_number = true) AS file
        INNER JOIN part ON part.path = file.filename
    """)
    db.execute(f"CREATE VIEW landed_{number} AS FROM numbered_{number} ANTI JOIN held USING (row_number)")


def _lay_units(db: duckdb.DuckDBPyConnection, number: int, directory: UnitDirectory) -> None:
    """Table ``units_…``: what every way to write a unit means in either geography, whichever its rows are of."""
    texts = db.sql(f"SELECT DISTINCT unit FROM landed_{number} WHERE unit IS NOT NULL").fetchall()
    found = [(text, each, directory.resolve(text, each)) for (text,) in texts for each in GEOGRAPHIES]
    schema = pa.schema([(name, pa.string()) for name in ("unit", "geography", "unit_id")])
    _lay(db, f"units_{number}", schema, found)


def _require_whole(db: duckdb.DuckDBPyConnection, feed: str) -> None:
    found = db.sql("""
        SELECT batch_id, rows - count(DISTINCT held.row_number), rows_loaded
        FROM batch LEFT JOIN held USING (batch_id)
        GROUP BY batch_id, rows, rows_loaded HAVING rows - count(DISTINCT held.row_number) <> rows_loaded
        ORDER BY batch_id LIMIT 1
    """).fetchall()
    for batch_id, rows, expected in found:
        raise LandingError(
            f"{rows} rows count by landing and quarantine, {expected} were loaded",
            where=f"{feed}: {batch_id}",
            remedy="the ledger and the warehouse are not of one piece: restore both from the same day",
        )


def _typed(contract: Contract, view: str, groups: int) -> str:
    queries = (typed_rows(contract, f"{view}_{number}", f"units_{number}") for number in range(groups))
    return " UNION ALL ".join(f"(FROM ({query}))" for query in queries)


def _newest(contract: Contract, rows: str) -> str:
    """Query: the number of the row that counts, of each key; the rest of a row is typed for that one alone."""
    keys = ", ".join(identifier(name) for name in contract.key)
    newest = "max(row_number)"
    if contract.version_column:
        newest = f"max({{'version': {identifier(contract.version_column)}, 'row_number': row_number}}).row_number"
    return f"SELECT {newest} AS row_number FROM ({rows}) GROUP BY {keys}"


def _duckdb(settings: Settings) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.rollup_memory_limit,
        "temp_directory": str(settings.local_dir / "tmp" / "duckdb"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    (settings.local_dir / "tmp").mkdir(parents=True, exist_ok=True)
    if settings.rollup_threads is not None:
        config["threads"] = settings.rollup_threads
    db = duckdb.connect(config=config)
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET enable_progress_bar = false")
    return db
