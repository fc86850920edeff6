"""The relations of the warehouse with their columns, from PostgreSQL's catalogue; those of the lake, from contracts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from dti.errors import WarehouseError
from dti.feeds import feed_names, load_contract
from dti.lineage.model import Tables
from dti.settings import Settings
from dti.warehouse.connect import engine

SCHEMAS = ("facts", "ref", "ops", "method", "score", "annual", "published", "marts")
_COLUMNS = text(
    """
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum),
        obj_description(c.oid, 'pg_class')
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    ORDER BY n.nspname, c.relname, a.attnum
    """
)


def read_catalogue(settings: Settings) -> tuple[Tables, dict[str, str]]:
    """Schema → table → column → type; and ``schema.table``, or that and a column, → its comment.

    Raises WarehouseError without a server, or where it is not prepared.
    """
    tables: Tables = {"lake": lake_tables(settings)}
    comments: dict[str, str] = {}
    with engine(settings, "loader").connect() as connection:
        rows: Any = connection.execute(_COLUMNS, {"schemas": list(SCHEMAS)})
        for schema, table, column, kind, comment, about in rows:
            tables.setdefault(schema, {}).setdefault(table, {})[column] = kind
            for name, said in ((f"{schema}.{table}", about), (f"{schema}.{table}.{column}", comment)):
                if said:
                    comments[name] = " ".join(said.split())
    if "marts" not in tables:
        raise WarehouseError("it has no marts yet", where="warehouse", remedy="prepare it: dti setup")
    return tables, comments


def lake_tables(settings: Settings) -> dict[str, dict[str, str]]:
    """Feed → column → DuckDB type of its lake table."""
    from dti.rollup.files import lake_columns

    feeds_dir = settings.include_dir / "feeds"
    return {feed: lake_columns(load_contract(feed, feeds_dir)) for feed in feed_names(feeds_dir)}
