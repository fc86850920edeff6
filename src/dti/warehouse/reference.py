"""Reference data: ``include/reference/*.csv`` into schema ref."""

from __future__ import annotations

import csv
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from dti.errors import ConfigError
from dti.settings import get_settings
from dti.warehouse import inputs
from dti.warehouse.migrate import driver_connection

TABLES = {
    "region": ("geography", "region_code"),
    "unit": ("unit_id",),
    "unit_succession": ("unit_id_63",),
    "unit_alias": ("geography", "alias"),
    "metric": ("metric", "feed"),
    "published_index": ("year", "unit_id", "measure"),
    "published_mean": ("year", "geography", "measure"),
}
"""Table → its key, in an order in which each only points to earlier ones."""
FILES = {"metric": "metrics.csv"}


def reference_files() -> list[Path]:
    """The CSV files, in the order of their tables."""
    return [get_settings().include_dir / "reference" / FILES.get(table, f"{table}.csv") for table in TABLES]


KEPT = ("region.csv", "unit.csv", "unit_succession.csv", "metrics.csv")
"""Files that runs are computed with; each of their versions is kept."""


def kept_reference() -> dict[str, str]:
    """File name → text of the reference data that runs are computed with, as the files say now."""
    return inputs.content_of_files([path for path in reference_files() if path.name in KEPT])


def kept_aliases() -> dict[str, str]:
    """File name → text of how agencies write units, as it stands now."""
    return inputs.content_of_files([path for path in reference_files() if path.name == "unit_alias.csv"])


def load_reference(connection: Connection) -> None:
    """Make every table of schema ref equal to its file, in the caller's transaction.

    Rows that others point to are updated in place. Raises ConfigError naming file and line when a row does not fit,
    or when a row was taken out that facts or scores still need. The version is kept: see ``dti.warehouse.inputs``.
    """
    driver = driver_connection(connection)
    files = dict(zip(TABLES, reference_files(), strict=True))
    for table, path in files.items():
        with _Explaining(path):
            _read(driver, table, path)
    for table, path in reversed(files.items()):
        with _Explaining(path):
            _forget(driver, table)
    keep_versions(connection)


def keep_versions(connection: Connection) -> None:
    """Keep the version of the reference data and of the aliases that stands now, in the caller's transaction."""
    inputs.keep(connection, "reference", kept_reference())
    inputs.keep(connection, "aliases", kept_aliases())


def _read(driver: psycopg.Connection, table: str, path: Path) -> None:
    """Copy the file beside the table, then insert what is new and update what changed."""
    with path.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    names, target, incoming = _identifiers(columns), sql.Identifier("ref", table), sql.Identifier(f"incoming_{table}")
    key = TABLES[table]
    rest = [c for c in columns if c not in key]
    driver.execute(sql.SQL("CREATE TEMP TABLE {} (LIKE {}) ON COMMIT DROP").format(incoming, target))
    copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER true)").format(incoming, names)
    with driver.cursor().copy(copy) as sink:
        sink.write(path.read_bytes())
    driver.execute(
        sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
            target,
            names,
            names,
            incoming,
            _identifiers(key),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c)) for c in rest),
        )
    )


def _forget(driver: psycopg.Connection, table: str) -> None:
    """Delete the rows that the file no longer has."""
    same = sql.SQL(" AND ").join(sql.SQL("i.{0} = t.{0}").format(sql.Identifier(c)) for c in TABLES[table])
    driver.execute(
        sql.SQL("DELETE FROM {} AS t WHERE NOT EXISTS (SELECT FROM {} AS i WHERE {})").format(
            sql.Identifier("ref", table), sql.Identifier(f"incoming_{table}"), same
        )
    )
    driver.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(f"incoming_{table}")))


def _identifiers(names: list[str] | tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


class _Explaining:
    """Turns what PostgreSQL says of a row into an error that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        if not self.path.is_file():
            raise ConfigError("no such file", where=str(self.path), remedy="restore it from version control")

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, psycopg.Error):
            details = [fault.diag.message_primary, fault.diag.message_detail, fault.diag.context]
            raise ConfigError("; ".join(filter(None, details)), where=str(self.path), remedy="mend the file") from fault
