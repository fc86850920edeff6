"""The floor under a recomputation: what bare DuckDB SQL needs for the same files, and how far ours is above it.

Bare means: no checksums, no look at how a text is written before it is cast, no unit named that is not in a table that
is ready, no bound on memory, nothing checked, and facts that stay in DuckDB. ``candidate`` is ours up to the facts.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dti import clock
from dti.annual import candidate
from dti.annual.ledger import KnownBatch, batches_known, write_held_rows
from dti.feeds import Contract, feed_names, load_contract
from dti.gate.schema import derived_days, passed_schema
from dti.gate.units import load_units
from dti.index.standing import Known
from dti.landing import ledger
from dti.rollup import rollup
from dti.rollup.files import lake_columns, sql_path
from dti.settings import Settings
from dti.warehouse import connect

ROUNDS = 3


def floors(settings: Settings) -> dict[str, Any]:
    """Seconds of both, each the median of ``ROUNDS`` taken in turn; the facts of both are compared."""
    feeds = feed_names(settings.include_dir / "feeds")
    known = Known(landed_by=clock.now() + timedelta(days=1))
    with connect.engine(settings, "loader").connect() as connection:
        batches = {feed: batches_known(connection, feed, known) for feed in feeds}
    work = settings.home_dir / "tmp" / "floor"
    shutil.rmtree(work, ignore_errors=True)
    lakes = {feed: candidate._lake(feed, batches[feed], work, settings) for feed in feeds}
    landed = {feed: _files(feed, batches[feed], work, settings) for feed in feeds}
    names = ("rollup", "bare rollup", "rebuild and rollup", "bare chain")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    facts: dict[str, object] = {}
    again = work / "again"
    for _ in range(ROUNDS):
        times["rollup"].append(_timed(lambda: [_drain(rollup(f, lakes[f], settings=settings)) for f in feeds]))
        times["bare rollup"].append(_timed(lambda: [bare_rollup(f, lakes[f], settings) for f in feeds]))
        times["rebuild and rollup"].append(_timed(lambda: facts.update(ours=_ours(batches, again, settings))))
        shutil.rmtree(again)
        times["bare chain"].append(
            _timed(lambda: facts.update(bare={f: bare_chain(f, landed[f], settings) for f in feeds}))
        )
    shutil.rmtree(work)
    found: dict[str, Any] = {"same facts": facts["ours"] == facts["bare"], "all": times}
    for place, kind in enumerate(("seconds", "processor seconds")):
        median = {name: statistics.median(each[place] for each in taken) for name, taken in times.items()}
        ratios = {ours: median[ours] / median[bare] for ours, bare in zip(names[::2], names[1::2], strict=True)}
        found |= {kind: median, f"ratio of {kind}": ratios}
    return found


def _ours(batches: dict[str, list[KnownBatch]], work: Path, settings: Settings) -> dict[str, list[Any]]:
    return {
        feed: _drain(rollup(feed, candidate._lake(feed, found, work, settings), settings=settings))
        for feed, found in batches.items()
    }


def _drain(reader: pa.RecordBatchReader) -> list[Any]:
    """Number of facts and the sums of their whole columns, so that two ways to them can be compared."""
    with duckdb.connect() as db:
        db.register("facts", reader)
        return _sums(db, reader.schema)


def _sums(db: duckdb.DuckDBPyConnection, schema: pa.Schema) -> list[Any]:
    whole = [field.name for field in schema if pa.types.is_integer(field.type)]
    sums = ", ".join(["count(*)", *(f'sum("{name}")' for name in whole)])
    return list(db.execute(f"SELECT {sums} FROM facts").fetchall()[0])  # noqa: S608 - our own column names


def bare_rollup(feed: str, files: list[str], settings: Settings) -> list[Any]:
    """The same rollup file over the same files, in a DuckDB as it comes."""
    with _bare() as db:
        read = f"read_parquet({files!r}, hive_types = {{'partition_key': VARCHAR}})"
        db.execute(f"CREATE VIEW lake AS FROM {read}")
        return _rolled_up(db, feed, settings)


def bare_chain(feed: str, files: dict[str, Any], settings: Settings) -> list[Any]:
    """From what landed to facts, as one would write it who trusts every row that was not held back."""
    contract = load_contract(feed, settings.include_dir / "feeds")
    with _bare() as db:
        for name, path in files["tables"].items():
            db.execute(f"CREATE TABLE {name} AS FROM '{path}'")
        db.execute(f"CREATE TABLE lake AS {_lake_sql(contract, files['paths'])}")
        return _rolled_up(db, feed, settings)


def _bare() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    return db


def _rolled_up(db: duckdb.DuckDBPyConnection, feed: str, settings: Settings) -> list[Any]:
    db.execute(f"CREATE TABLE facts AS {sql_path(feed, settings).read_text('utf-8')}")
    return _sums(db, db.sql("FROM facts LIMIT 0").to_arrow_table().schema)


def _lake_sql(contract: Contract, paths: str) -> str:
    kinds = lake_columns(contract)
    casts = [f'CAST(nullif("{name}", \'\') AS {kinds[name]}) AS "{name}"' for name in contract.columns]
    days = [
        f'CAST("{source}" AT TIME ZONE \'Asia/Ho_Chi_Minh\' AS DATE) AS "{day}"'
        for day, source in derived_days(contract).items()
    ]
    key = "%Y-%m" if contract.partition == "month" else "%Y"
    newest = (
        [f'"{contract.version_column}" DESC', "_landed_at DESC"] if contract.version_column else ["_landed_at DESC"]
    )
    keys = ", ".join(f'"{name}"' for name in contract.key)
    names = ", ".join(f'"{n}"' for n in passed_schema(contract).names if n not in ("unit_id", "partition_key"))
    return f"""
        WITH typed AS (
            SELECT unit, batch.*, {", ".join(casts)}
            FROM read_parquet('{paths}', filename = true, file_row_number = true, union_by_name = true) AS file
            INNER JOIN batch ON batch.path = file.filename
            ANTI JOIN held ON held._batch_id = batch._batch_id AND held.row_number = file.file_row_number
        ),
        dated AS (SELECT {", ".join(["*", *days])} FROM typed)
        SELECT
            {names},
            units.unit_id, strftime("{contract.day_column}", '{key}') AS partition_key
        FROM dated
        INNER JOIN units USING (unit)
        QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {", ".join(newest)}) = 1
    """  # noqa: S608 - our own column names


def _files(feed: str, batches: list[KnownBatch], work: Path, settings: Settings) -> dict[str, Any]:
    """What the bare script is given ready: the batch of each file, the rows held back, the units by their spelling."""
    folder = work / "given" / feed
    folder.mkdir(parents=True)
    with connect.connect(settings, "loader") as driver:
        write_held_rows(driver, batches, folder / "held.csv")
    directory = load_units(settings)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        rows = [
            (str(ledger.part_paths(manifest, settings)[0]), batch.source_id, batch.batch_id, batch.landed_at)
            for batch in batches
            for manifest in [ledger.manifest_of(feed, batch.source_id, batch.batch_id, settings)]
            if len(manifest.parts) == 1  # else row numbers in the file were not those in the batch
        ]
        if len(rows) != len(batches):
            raise SystemExit("a batch has several parts: this benchmark wants fewer dossiers a night")
        _give(db, folder, "batch", ("path", "_source_id", "_batch_id", "_landed_at"), rows)
        paths = str(settings.landing_dir / feed / "*" / "*" / "*.parquet")
        texts = [text for (text,) in db.execute(f"SELECT DISTINCT unit FROM '{paths}'").fetchall() if text]  # noqa: S608
        units = [(text, unit) for text in texts if (unit := directory.resolve(text, "63")) is not None]
        _give(db, folder, "units", ("unit", "unit_id"), units)
        db.execute(
            f"COPY (FROM read_csv('{folder}/held.csv', header = false, columns ="
            " {'_batch_id': 'VARCHAR', 'row_number': 'BIGINT'}))"
            f" TO '{folder}/held.parquet'"
        )
    return {"paths": paths, "tables": {name: folder / f"{name}.parquet" for name in ("batch", "units", "held")}}


def _give(db: duckdb.DuckDBPyConnection, folder: Path, name: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    given = pa.table(dict(zip(columns, map(pa.array, zip(*rows, strict=True)), strict=True)))
    db.register("given", given)
    db.execute(f"COPY given TO '{folder}/{name}.parquet'")
    db.unregister("given")


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds and processor seconds of this process."""
    begun = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]
