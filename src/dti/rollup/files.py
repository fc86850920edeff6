"""What every engine is given: a feed's rollup file, and the columns of the view ``lake`` that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dti.errors import ConfigError
from dti.feeds import Contract

if TYPE_CHECKING:
    from dti.settings import Settings

_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(28, 6)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamptz": "TIMESTAMPTZ",
}


def sql_path(feed: str, settings: Settings) -> Path:
    """The rollup file of ``feed``; raises ConfigError when there is none."""
    path = settings.include_dir / "sql" / "rollup" / f"{feed}.sql"
    if not path.is_file():
        raise ConfigError(f"feed {feed} has no rollup", where=str(path), remedy="write the file: one SELECT over lake")
    return path


def lake_columns(contract: Contract) -> dict[str, str]:
    """Column → DuckDB type of a feed's lake table: what the gate passes on."""
    columns = {"unit_id": "VARCHAR"}
    columns |= {name: _DUCKDB_TYPES[column.type] for name, column in contract.columns.items()}
    columns |= {column.day_column: "DATE" for column in contract.columns.values() if column.day_column}
    return columns | {
        "_source_id": "VARCHAR",
        "_batch_id": "VARCHAR",
        "_landed_at": "TIMESTAMPTZ",
        "partition_key": "VARCHAR",
    }
