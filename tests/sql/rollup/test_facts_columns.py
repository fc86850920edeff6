"""What a rollup emits is what its fact table takes: the same columns, in the same order, of types that COPY takes."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import text

from dti.feeds import feed_names
from dti.rollup import rollup
from dti.settings import Settings
from dti.warehouse.connect import engine

POSTGRES_TYPES = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.decimal128(28, 6): "numeric",
}


def test_every_rollup_emits_the_columns_of_its_fact_table(warehouse: Settings) -> None:
    with engine(warehouse, "loader").connect() as connection:
        columns = connection.execute(
            text(
                "select table_name, column_name, data_type from information_schema.columns"
                " where table_schema = 'facts' and not (select c.relispartition from pg_class as c"
                "   where c.oid = to_regclass(format('facts.%I', table_name)))"
                " order by table_name, ordinal_position"
            )
        ).all()
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in columns:
        tables.setdefault(table, []).append((column, kind))
    assert sorted(tables) == feed_names()
    for feed, wanted in tables.items():
        schema = rollup(feed, [], settings=warehouse).schema
        assert [(field.name, POSTGRES_TYPES[field.type]) for field in schema] == wanted, feed
