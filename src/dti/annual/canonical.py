"""A publication as bytes: CSV that is the same whenever and wherever it is written, and the checksum over it.

RFC 4180 with line ends of one LF and no byte order mark; an unknown value is nothing at all, an empty text is ``""``.
Numbers are written out exactly, moments in UTC, and PostgreSQL writes all of it, so that no library's habits count.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dti.annual.tables import HEAD, TABLES, Kind, Table

_WRITTEN: dict[Kind, LiteralString] = {
    "text": "{}",
    "text?": "{}",
    "integer": "{}",
    "number": "{}",
    "flag": "case when {0} then 'true' when not {0} then 'false' end",
    "day": "to_char({}, 'YYYY-MM-DD')",
    "moment": """to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "list": "array_to_string({}, ' ')",
    "json": "{}::text",
}


def table_csv(driver: psycopg.Connection, table: Table, publication_id: str, *, head: str = "publication") -> bytes:
    """The rows of one publication in one table, as CSV. ``head``: a temporary table in place of published."""
    source = sql.Identifier("published", table.name)
    if table is HEAD and head != HEAD.name:
        source = sql.Identifier("pg_temp", head)
    query = sql.SQL(
        "copy (select {} from {} where publication_id = {} order by {}) to stdout (format csv, header)"
    ).format(
        sql.SQL(", ").join(
            sql.SQL("{} as {}").format(sql.SQL(_WRITTEN[kind]).format(sql.Identifier(name)), sql.Identifier(name))
            for name, kind in table.columns.items()
        ),
        source,
        sql.Literal(publication_id),
        sql.SQL(", ").join(_sorted_by(table, name) for name in table.order),
    )
    with driver.cursor().copy(query) as rows:
        return b"".join(bytes(block) for block in rows)


def publication_csv(driver: psycopg.Connection, publication_id: str, *, head: str = HEAD.name) -> dict[str, bytes]:
    """File → bytes of every table of one publication, in the order of the checksum."""
    return {table.file: table_csv(driver, table, publication_id, head=head) for table in TABLES}


def checksum(files: Mapping[str, bytes]) -> str:
    """sha256 over one line ``<sha256>  <file>`` a file: what ``sha256sum csv/*.csv | sha256sum`` prints."""
    return hashlib.sha256(sums({name: files[name] for name in sorted(files)}).encode()).hexdigest()


def sums(files: Mapping[str, bytes]) -> str:
    """What ``sha256sum`` prints of these files, in this order."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())


def rows(table: Table, content: bytes) -> list[dict[str, Any]]:
    """The rows of a CSV file, each value as its kind says; unknown is None."""
    reader = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return [{name: _value(table.columns[name], text) for name, text in row.items()} for row in reader]


def _value(kind: Kind, text: str) -> Any:
    if kind == "text":
        return text
    if kind == "list":
        return text.split()
    if text == "":
        return None
    match kind:
        case "integer":
            return int(text)
        case "number":
            return Decimal(text)
        case "flag":
            return text == "true"
        case "day":
            return date.fromisoformat(text)
        case "moment":
            return datetime.fromisoformat(text)
        case "json":
            return json.loads(text)
    return text


def _sorted_by(table: Table, name: str) -> sql.Composable:
    """Texts by their bytes, so that no server's language counts."""
    plain = sql.Identifier(name)
    return plain if table.columns[name] == "integer" else sql.SQL('{} collate "C"').format(plain)
