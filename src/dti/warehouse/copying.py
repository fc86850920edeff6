"""Arrow batches into a table by COPY: written as CSV by Arrow itself, so that no row passes through Python."""

from __future__ import annotations

import io
from collections.abc import Iterable

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from psycopg import sql

SLICE_ROWS = 50_000
"""Rows turned into text at a time: a few megabytes, however large a batch comes."""
NUL = "\x00"
_UNWRITABLE = "�"


def copy_batches(
    driver: psycopg.Connection, table: tuple[str, str], columns: list[str], batches: Iterable[pa.RecordBatch]
) -> int:
    """Append ``batches``, whose columns are ``columns`` in this order, to ``schema.table``; returns the rows copied.

    Null and the empty text stay apart. The character U+0000, which PostgreSQL cannot hold, becomes U+FFFD.
    """
    target = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    options = pyarrow.csv.WriteOptions(include_header=False)
    rows = 0
    with driver.cursor().copy(target) as sink:
        for batch in batches:
            for start in range(0, batch.num_rows, SLICE_ROWS):
                part = writable(batch.slice(start, SLICE_ROWS))
                text = io.BytesIO()
                pyarrow.csv.write_csv(part, text, options)
                sink.write(text.getbuffer())
                rows += part.num_rows
    return rows


def writable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same batch with no U+0000 in its text."""
    for position, field in enumerate(batch.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = batch.column(position)
            if pc.any(pc.match_substring(column, NUL)).as_py():
                batch = batch.set_column(position, field, pc.replace_substring(column, NUL, _UNWRITABLE))
    return batch
