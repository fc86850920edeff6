"""A rollup file of DuckDB's SQL as Spark's: translated by SQLGlot, and refused where it would not mean the same.

SQLGlot translates what is written differently. What is written alike and computed differently it lets pass, so those
places are looked for here: they must be written in a way that both engines compute alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from dti.errors import ConfigError

_DOUBLES = {exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT}


def to_spark(path: Path, columns: Mapping[str, str]) -> str:
    """The rollup file at ``path`` in Spark's SQL; ``columns``: those of the view ``lake``, with DuckDB's types.

    Raises ConfigError naming the file and what in it cannot be translated, or would be computed differently.
    """
    try:
        statements = sqlglot.parse(path.read_text("utf-8"), read="duckdb")
        if len(statements) != 1 or not isinstance(select := statements[0], exp.Query):
            raise ConfigError("not one SELECT", where=str(path), remedy="write one SELECT over lake")
        typed = annotate_types(
            qualify(select.copy(), dialect="duckdb", schema={"lake": dict(columns)}),
            dialect="duckdb",
            schema={"lake": dict(columns)},
        )
        if different := next(_different(typed), None):
            what, remedy = different
            raise ConfigError(f"Spark computes it differently: {what}", where=str(path), remedy=remedy)
        return select.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE, comments=False)
    except SqlglotError as fault:
        raise ConfigError(
            f"it cannot be translated to Spark: {fault}",
            where=str(path),
            remedy="write it in SQL that both engines have",
        ) from fault


def spark_type(duckdb_type: str) -> str:
    """A column type of DuckDB in Spark's words."""
    return exp.DataType.build(duckdb_type, dialect="duckdb").sql(dialect="spark")


def _different(select: exp.Expr) -> Iterator[tuple[str, str]]:
    """Places that SQLGlot would let pass: what stands there, and how to write it instead."""
    for node in select.walk():
        if isinstance(node, exp.Avg):
            yield node.sql(dialect="duckdb"), "write cast(sum(…) as double) / nullif(count(…), 0)"
        elif isinstance(node, exp.Div) and not (_is_double(node.this) or _is_double(node.expression)):
            yield node.sql(dialect="duckdb"), "divide a double: cast(… as double) / …"
        elif isinstance(node, exp.Cast) and _cuts(node):
            yield node.sql(dialect="duckdb"), "DuckDB rounds and Spark cuts off: write cast(round(…) as …)"
        elif isinstance(node, exp.Anonymous):
            yield f"{node.name}(…), which SQLGlot does not know", "use a function that both engines have"


def _is_double(value: exp.Expr) -> bool:
    return value.type is not None and value.type.this in _DOUBLES


def _cuts(cast: exp.Cast) -> bool:
    """Whether a whole number is made of one that need not be whole."""
    if cast.to.this not in exp.DataType.INTEGER_TYPES or isinstance(cast.this, exp.Round):
        return False
    given = cast.this.type
    return given is not None and (given.this in _DOUBLES or given.this in exp.DataType.REAL_TYPES)
