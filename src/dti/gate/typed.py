"""From landed rows to what the lake holds, as DuckDB queries: one for the gate's bench and for a rebuilt lake alike."""

from __future__ import annotations

from collections.abc import Container

from dti.feeds import Contract
from dti.gate.casts import LONGEST_KEY, LONGEST_TEXT, cast, identifier, literal, local_day, partition_key
from dti.gate.schema import derived_days, passed_schema
from dti.gate.units import FIRST_DAY_OF_34


def landed_texts(contract: Contract, present: Container[str]) -> list[str]:
    """Select list of the landed columns as text; one that is not ``present`` (the contract grew since) is empty."""
    return [
        f"nullif({identifier(name)}, '') AS {identifier(name)}"
        if name in present
        else f"NULL::VARCHAR AS {identifier(name)}"
        for name in contract.landed_columns
    ]


def typed_rows(contract: Contract, landed: str, units: str) -> str:
    """Query: row_number and the columns of ``passed_schema``, one row a row of relation ``landed``.

    ``landed`` has row_number, the landed columns as text, _source_id, _batch_id and _landed_at; ``units`` says which
    (unit, geography) means which unit_id. What cannot be read is NULL.
    """
    values = [
        f"{cast(identifier(n), c.type, longest=LONGEST_KEY if n in contract.key else LONGEST_TEXT)} AS {identifier(n)}"
        for n, c in contract.columns.items()
    ]
    days = [f"{local_day(identifier(source))} AS {identifier(day)}" for day, source in derived_days(contract).items()]
    return f"""
        WITH readable AS (
            SELECT row_number, unit AS unit_text, {", ".join(values)}, _source_id, _batch_id, _landed_at FROM {landed}
        ),
        dated AS (
            SELECT {", ".join(["*", *days])} FROM readable
        ),
        placed AS (
            SELECT
                dated.*,
                units.unit_id,
                {partition_key(contract, identifier(contract.day_column))} AS partition_key
            FROM dated
            LEFT JOIN {units} AS units ON units.unit = unit_text AND units.geography = {geography(contract, "dated")}
        )
        SELECT row_number, {", ".join(identifier(name) for name in passed_schema(contract).names)} FROM placed
    """


def unit_texts(contract: Contract, landed: str) -> str:
    """Query: every (unit as written, geography of the row's day) in relation ``landed``."""
    source = derived_days(contract).get(contract.day_column)
    name = source or contract.day_column
    value = cast(identifier(name), contract.columns[name].type)
    day = local_day(value) if source else value
    return f"""
        SELECT DISTINCT unit, {geography(contract, "dated")}
        FROM (SELECT unit, {day} AS {identifier(contract.day_column)} FROM {landed}) AS dated
        WHERE unit IS NOT NULL AND {identifier(contract.day_column)} IS NOT NULL
    """


def geography(contract: Contract, table: str) -> str:
    """Expression: the geography in force on the day of a row of ``table``."""
    day = f"{table}.{identifier(contract.day_column)}"
    return f"CASE WHEN {day} < DATE {literal(FIRST_DAY_OF_34.isoformat())} THEN '63' ELSE '34' END"
