"""Run a feed's rollup on Spark, and stream the facts out as Arrow.

Spark writes the facts as Parquet into a folder that driver and executors share, and they are read from there batch by
batch: docs/decisions/0016-spark-hands-over-parquet.md says why.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.lib import ArrowException, RecordBatch, RecordBatchReader, Schema

from dti.errors import DtiError
from dti.feeds import Contract, load_contract
from dti.rollup import duckdb_engine
from dti.rollup.files import lake_columns, sql_path
from dti.rollup.spark.preflight import is_local, require_spark
from dti.rollup.spark.session import spark
from dti.rollup.spark.translation import spark_type, to_spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from dti.settings import Settings

_PARTITION = "/partition_key="


def facts_of(feed: str, files: list[str], *, settings: Settings) -> RecordBatchReader:
    """As :func:`dti.rollup.rollup`, on the Spark of ``settings.spark_master``.

    Spark is done when this returns; what is streamed then is read from files, which go with the reader. Which columns
    and types facts have is asked of DuckDB, over an empty lake: there is one answer for all engines.
    """
    path = sql_path(feed, settings)
    contract = load_contract(feed, settings.include_dir / "feeds")
    select = to_spark(path, lake_columns(contract))
    schema = duckdb_engine.facts_of(feed, [], settings=settings).schema
    if not files:
        is_local(settings.spark_master)
        require_spark()
        return RecordBatchReader.from_batches(schema, iter(()))

    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    with spark(settings) as (session, folder):
        written = tempfile.TemporaryDirectory(dir=folder, prefix=f"{feed}-", ignore_cleanup_errors=True)
        try:
            count = _write(session, _lake(session, contract, files), select, Path(written.name) / "facts")
        except (PySparkException, Py4JJavaError) as fault:
            written.cleanup()
            raise _failed(feed, path, _cause(fault)) from fault
    parts = sorted((Path(written.name) / "facts").glob("*.parquet"))
    found = sum(pq.read_metadata(part).num_rows for part in parts)
    if found != count:
        written.cleanup()
        raise DtiError(
            f"the executors wrote {count} facts of {feed}, and {found} of them are here",
            where=str(folder),
            remedy="let every worker see DTI_HOME at the same path as this machine (docs/spark.md), then repeat",
        )

    def batches() -> Iterator[RecordBatch]:
        with written:
            try:
                yield from _read(parts, schema)
            except (ArrowException, OSError) as fault:
                raise _failed(feed, path, str(fault)) from fault

    return RecordBatchReader.from_batches(schema, batches())


def _lake(session: SparkSession, contract: Contract, files: list[str]) -> DataFrame:
    """Every column of the contract, also those that older files do not have; the partition is the text in the path."""
    columns = ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in lake_columns(contract).items())
    by_root: dict[str, list[str]] = defaultdict(list)
    for file in files:
        by_root[_uri(file).rpartition(_PARTITION)[0]].append(_uri(file))

    def read(root: str, under: list[str]) -> DataFrame:
        reader = session.read.schema(columns).option("basePath", root).option("__globPaths__", "false")
        return reader.parquet(*under)

    return reduce(lambda some, more: some.unionByName(more), (read(*each) for each in by_root.items()))


def _uri(file: str) -> str:
    """A file as Hadoop names it."""
    if file.startswith("s3://"):
        return file.replace("s3://", "s3a://", 1)
    return file if "://" in file else f"file://{Path(file).absolute()}"


def _write(session: SparkSession, lake: DataFrame, select: str, folder: Path) -> int:
    """Write the facts into ``folder``; how many the executors say they wrote, wherever that was."""
    from pyspark.sql import Observation
    from pyspark.sql.functions import count, lit

    lake.createOrReplaceTempView("lake")
    seen = Observation()
    session.sql(select).observe(seen, count(lit(1)).alias("facts")).write.parquet(folder.as_uri())
    return int(seen.get["facts"])


def _read(parts: list[Path], schema: Schema) -> Iterator[RecordBatch]:
    """The facts of these files in the columns and types of ``schema``; ArrowException where a value does not fit."""
    for part in parts:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(duckdb_engine.BATCH_ROWS, columns=schema.names):
                columns = [batch.column(field.name).cast(field.type) for field in schema]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _cause(fault: Exception) -> str:
    """What Spark says, without the stack of its machine."""
    told = getattr(fault, "java_exception", None)
    text = str(told.getMessage() if told is not None else fault)
    return text.partition("\n\tat ")[0].partition("\n\nDriver stacktrace")[0].strip()[:1500]


def _failed(feed: str, path: Path, fault: str) -> DtiError:
    return DtiError(
        f"the rollup of {feed} failed on Spark: {fault}",
        where=str(path),
        remedy="a missing file means the lake changed while it was read: load the feed again; else mend the SQL",
    )
