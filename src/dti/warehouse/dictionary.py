"""The data dictionary: what the comments of the database say of its tables, as Markdown."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, text

HEAD = """# Data dictionary

Generated from the comments of the database by `dti dictionary`; do not edit. It is kept in version control because it
is documentation, and a test holds it against the database. To change a line, change the comment: those of `marts` in
`include/sql/marts/`, all others in `migrations/sql/`.
"""
SCHEMAS = (
    ("marts", 'What analysts read. `dti sql "select …"` looks names up here.'),
    ("facts", "Daily facts, replaced by partition when the lake changes. Not for analysts; behind the metrics."),
    ("ref", "Reference data, from `include/reference/*.csv`."),
)
_RELATIONS = """
    SELECT c.relname AS relation, obj_description(c.oid, 'pg_class') AS about,
        a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, col_description(c.oid, a.attnum) AS comment
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    ORDER BY c.relname COLLATE "C", a.attnum
"""
_FUNCTIONS = """
    SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments,
        pg_get_function_result(p.oid) AS result, obj_description(p.oid, 'pg_proc') AS about
    FROM pg_proc AS p
    WHERE p.pronamespace = to_regnamespace(:schema)
    ORDER BY p.proname COLLATE "C"
"""


class _Column(NamedTuple):
    relation: str
    about: str | None
    name: str
    type: str
    comment: str | None


def render(connection: Connection) -> str:
    """The whole dictionary. Marts with every column, then its functions; tables behind them likewise."""
    parts = [HEAD]
    for schema, about in SCHEMAS:
        parts.append(f"## Schema `{schema}`\n\n{about}\n")
        rows = connection.execute(text(_RELATIONS), {"schema": schema})
        columns = [_Column(*row) for row in rows]
        parts += [_relation(schema, list(own)) for _, own in groupby(columns, key=lambda column: column.relation)]
        for row in connection.execute(text(_FUNCTIONS), {"schema": schema}).mappings():
            parts.append(_function(schema, row["name"], row["arguments"], row["result"], row["about"]))
    return "\n".join(parts)


def _relation(schema: str, columns: list[_Column]) -> str:
    lines = [
        f"### `{schema}.{columns[0].relation}`",
        "",
        _line(columns[0].about),
        "",
        "| column | type | |",
        "|---|---|---|",
    ]
    lines += [f"| `{column.name}` | {column.type} | {_line(column.comment)} |" for column in columns]
    return "\n".join(lines) + "\n"


def _function(schema: str, name: str, arguments: str, result: str, about: str | None) -> str:
    returns = result.removeprefix("TABLE(").removesuffix(")") if result.startswith("TABLE(") else result
    return f"### `{schema}.{name}({arguments})`\n\n{_line(about)}\n\nReturns: {returns}\n"


def _line(comment: str | None) -> str:
    """A comment on one line, safe in a table."""
    return " ".join((comment or "").split()).replace("|", "\\|")
