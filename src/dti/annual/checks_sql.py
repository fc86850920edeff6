"""Questions to the warehouse: one file of ``include/sql/annual`` each, and answers that JSON can hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from dti.settings import Settings

Row = dict[str, Any]


def rows(connection: Connection, settings: Settings, name: str, **known: object) -> list[Row]:
    """The rows of ``include/sql/annual/<name>.sql`` with ``known`` for its parameters."""
    return [dict(row) for row in connection.execute(statement(settings, name), known).mappings()]


def statement(settings: Settings, name: str) -> Any:
    """The statement of ``include/sql/annual/<name>.sql``."""
    return text((settings.include_dir / "sql" / "annual" / f"{name}.sql").read_text("utf-8"))


def plain(value: Any) -> Any:
    """``value`` as JSON knows it: numbers that are exact as text, days and moments in ISO 8601."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
