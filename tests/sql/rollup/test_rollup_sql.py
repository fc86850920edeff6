"""Every rollup file against given records and the facts they must become; one YAML file of cases a feed."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from deltalake import DeltaTable, write_deltalake

from dti.clock import local_day
from dti.feeds import feed_names, load_contract
from dti.rollup import rollup
from dti.rollup.files import lake_columns
from dti.settings import Settings

HERE = Path(__file__).parent
CASES = [
    pytest.param(path.stem, case["given"], case["expect"], id=f"{path.stem}: {case['case']}")
    for path in sorted(HERE.glob("*.yml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]


def rows(text: str) -> list[dict[str, str | None]]:
    """CSV text as rows; an empty cell is null."""
    return [{k: v or None for k, v in row.items()} for row in csv.DictReader(io.StringIO(text), skipinitialspace=True)]


def lake_row(feed: str, given: dict[str, str | None]) -> dict[str, Any]:
    """One record as the gate passes it on: derived days, partition and source filled in where not given."""
    contract = load_contract(feed)
    row: dict[str, Any] = {"unit_id": "P34-66", "_source_id": "s1", "_batch_id": "b1", **given}
    for name, column in contract.columns.items():
        if column.day_column and row.get(name):
            row[column.day_column] = local_day(datetime.fromisoformat(row[name])).isoformat()
    row.setdefault("partition_key", str(row.get(contract.day_column))[:7])
    return row


def write_lake(feed: str, given: list[dict[str, Any]], folder: Path) -> list[str]:
    """The records as a Delta table partitioned by partition_key; returns its files."""
    columns = lake_columns(load_contract(feed))
    names = ", ".join(f'"{name}"' for name in columns)
    casts = ", ".join(f"CAST(? AS {kind})" for kind in columns.values())
    declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE lake ({declared})")
        connection.executemany(
            f"INSERT INTO lake ({names}) VALUES ({casts})", [[row.get(name) for name in columns] for row in given]
        )
        table = connection.sql("SELECT * FROM lake").to_arrow_table()
    write_deltalake(folder, table, partition_by=["partition_key"], mode="append")
    return DeltaTable(folder).file_uris()


def plain(value: Any) -> str | None:
    """A fact's value as one would write it in a case."""
    if value is None:
        return None
    if isinstance(value, Decimal | float):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)


@pytest.mark.parametrize(("feed", "given", "expect"), CASES)
def test_given_records_become_the_expected_facts(
    feed: str, given: str, expect: str, tmp_path: Path, settings: Settings
) -> None:
    files = write_lake(feed, [lake_row(feed, row) for row in rows(given)], tmp_path / "lake")
    facts = rollup(feed, files, settings=settings).read_all().to_pylist()
    wanted = rows(expect)
    shown = list(wanted[0]) if wanted else []
    found = [{name: plain(fact[name]) for name in shown} for fact in facts]
    key = str
    assert sorted(found, key=key) == sorted(wanted, key=key)


def test_every_feed_has_cases() -> None:
    assert sorted(path.stem for path in HERE.glob("*.yml")) == feed_names()


@pytest.mark.parametrize("feed", feed_names())
def test_no_files_give_an_empty_reader_with_the_columns_of_a_full_one(
    feed: str, tmp_path: Path, settings: Settings
) -> None:
    case = next(param.values for param in CASES if param.values[0] == feed)
    files = write_lake(feed, [lake_row(feed, row) for row in rows(str(case[1]))], tmp_path / "lake")
    full, empty = rollup(feed, files, settings=settings), rollup(feed, [], settings=settings)
    assert empty.schema == full.schema
    assert empty.read_all().num_rows == 0
    assert full.read_all().num_rows > 0
