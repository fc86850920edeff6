"""The Parquet files of a batch: all text, written as rows stream, read-only once whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dti.landing.batch import Part

PART_ROWS = 250_000
GROUP_ROWS = 25_000

Row = dict[str, str | None]


def write_parts(rows: Iterable[Row], columns: Sequence[str], folder: Path) -> list[Part]:
    """Stream ``rows`` into ``part-00000.parquet`` and so on, of at most ``PART_ROWS`` rows each.

    One row group is in memory at a time. There is always a first part, if only an empty one, so that every batch has
    a schema. Files are on disk and read-only when this returns.
    """
    schema = pa.schema([(name, pa.string()) for name in columns])
    stream = iter(rows)
    parts: list[Part] = []
    while (group := _group(stream, schema)).num_rows or not parts:
        parts.append(_write_part(group, stream, schema, folder / f"part-{len(parts):05}.parquet"))
    return parts


def sha256(path: Path) -> str:
    """The file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(path: Path) -> None:
    """Bring ``path`` to the disk and take away the right to write it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o444)


def _write_part(group: pa.Table, stream: Iterator[Row], schema: pa.Schema, path: Path) -> Part:
    """One part: ``group``, already read, and what follows in ``stream`` up to the part's size."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while True:
            writer.write_table(group)
            rows += group.num_rows
            if group.num_rows < GROUP_ROWS or rows + GROUP_ROWS > PART_ROWS:
                break
            group = _group(stream, schema)
    seal(path)
    return Part(file=path.name, rows=rows, bytes=path.stat().st_size, sha256=sha256(path))


def _group(stream: Iterator[Row], schema: pa.Schema) -> pa.Table:
    rows = list(islice(stream, GROUP_ROWS))
    return pa.table([pa.array([row[name] for row in rows], pa.string()) for name in schema.names], schema=schema)
