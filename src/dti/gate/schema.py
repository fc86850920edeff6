"""The shape of what the gate passes on, derived from a feed's contract."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from dti.feeds import Contract

ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(28, 6),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}

ROW_NUMBER = "row_number"

QUARANTINE_SCHEMA = pa.schema(
    [
        ("row_number", pa.int64()),  # position in the batch from 0; -1 stands for the whole batch
        ("source_row", pa.string()),
        ("key_text", pa.string()),
        ("rule", pa.string()),  # the first it broke
        ("rules", pa.string()),  # every rule it broke, by the order they are told in, one blank between
        ("severity", pa.string()),
        ("reason", pa.string()),
        ("record", pa.string()),  # JSON of the landed row
    ]
)


def derived_days(contract: Contract) -> dict[str, str]:
    """Day columns the gate derives: name → the timestamptz column whose day in Việt Nam it is."""
    return {column.day_column: name for name, column in contract.columns.items() if column.day_column}


def typed_columns(contract: Contract) -> dict[str, pa.DataType]:
    """What a rule can speak of: ``unit_id``, the contract's columns, and the derived days, with their types."""
    own = {name: ARROW_TYPES[column.type] for name, column in contract.columns.items()}
    return {"unit_id": pa.string(), **own, **dict.fromkeys(derived_days(contract), pa.date32())}


def judged_schema(contract: Contract, columns: Sequence[str]) -> pa.Schema:
    """Row number and ``columns`` in the types rules compare in: days as timestamps, decimals as doubles."""
    compared = {pa.decimal128(28, 6): pa.float64(), pa.date32(): pa.timestamp("us")}
    types = typed_columns(contract)
    return pa.schema([(ROW_NUMBER, pa.int64()), *((name, compared.get(types[name], types[name])) for name in columns)])


def passed_schema(contract: Contract) -> pa.Schema:
    """Columns of ``passed-*.parquet`` and of the lake, in order."""
    return pa.schema(
        [
            *typed_columns(contract).items(),
            ("partition_key", pa.string()),
            ("_source_id", pa.string()),
            ("_batch_id", pa.string()),
            ("_landed_at", pa.timestamp("us", tz="UTC")),
        ]
    )


def indispensable(contract: Contract) -> list[str]:
    """Columns without which a row is of no use, in contract order.

    Those the contract requires, and those the lake needs even if a contract forgets to say so: key, version, and
    what the day is derived from.
    """
    needed = {*contract.key, contract.day_column, contract.version_column}
    needed |= {source for day, source in derived_days(contract).items() if day in needed}
    return [name for name, column in contract.columns.items() if column.required or name in needed]
