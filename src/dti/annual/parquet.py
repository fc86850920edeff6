"""Tables of a publication as Parquet: typed, for programs; the same rows always give the same bytes."""

from __future__ import annotations

import io
import json
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dti.annual.tables import Kind, Table

DECIMALS = 18
"""Of a number: more than any index needs, and 20 digits before the point. The CSV has all there are."""
_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "text?": pa.string(),
    "integer": pa.int32(),
    "number": pa.decimal128(38, DECIMALS),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("us", tz="UTC"),
    "list": pa.list_(pa.string()),
    "json": pa.string(),
}
_STEP = Decimal(1).scaleb(-DECIMALS)
_PLACES = Context(prec=38, rounding=ROUND_HALF_EVEN)


def parquet(table: Table, rows: list[dict[str, Any]]) -> bytes:
    """``rows`` as one Parquet file. Numbers are decimals with 18 places, moments are in UTC, JSON is text."""
    schema = pa.schema([pa.field(name, _TYPES[kind]) for name, kind in table.columns.items()])
    columns = [pa.array([_held(kind, row[name]) for row in rows], _TYPES[kind]) for name, kind in table.columns.items()]
    target = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(columns, schema=schema),
        target,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        row_group_size=1 << 20,
        use_dictionary=True,
        write_statistics=True,
        store_schema=False,
    )
    return target.getvalue()


def _held(kind: Kind, value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.quantize(_STEP, context=_PLACES)
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if kind == "json" else value
