"""What the warehouse answers, as rows by name, from one moment and without writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse.connect import engine

Row = dict[str, Any]


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """A read-only transaction that sees the warehouse as of its first statement. Raises WarehouseError."""
    try:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with engine(settings, "loader").connect().execution_options(**options) as connection:
            yield connection
    except DBAPIError as fault:
        raise WarehouseError(
            " ".join(str(fault.orig).split()), where="warehouse", remedy="prepare it first: uv run dti setup"
        ) from fault.orig


def rows(connection: Connection, sql: str, **known: object) -> list[Row]:
    """Every row of a query."""
    return [dict(row) for row in connection.execute(text(sql), known).mappings()]
