"""Every metric file against given facts and the values they must become; one YAML file of cases a feed."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Connection, text

from dti.index.run import METRIC_COLUMNS
from dti.settings import Settings
from dti.warehouse.connect import engine

HERE = Path(__file__).parent
FEEDS = sorted(path.stem for path in HERE.glob("*.yml"))
FILLED_IN = {"unit_id": "P34-66", "source_id": "s1"}


def csv_rows(content: str) -> list[dict[str, Any]]:
    """CSV text as rows; an empty cell is null."""
    lines = csv.DictReader(io.StringIO(content), skipinitialspace=True)
    return [{name: value or None for name, value in row.items()} for row in lines]


def insert_facts(connection: Connection, feed: str, given: list[dict[str, Any]]) -> None:
    """Facts of one feed; counts that a case does not name are 0, keys that it does not name are filled in."""
    columns: dict[str, bool] = {
        row.column_name: row.data_type == "bigint" and row.is_nullable == "NO"
        for row in connection.execute(
            text(
                "select column_name, data_type, is_nullable from information_schema.columns"
                " where table_schema = 'facts' and table_name = :feed"
            ),
            {"feed": feed},
        )
    }
    for row in given:
        full = {**{name: 0 for name, is_count in columns.items() if is_count}, **FILLED_IN, **row}
        full.setdefault("partition_key", row["day"][:7])
        for name in ("procedure_code", "data_centre_id", "agency_code", "commune_code"):
            if name in columns:
                full.setdefault(name, "x")
        names = ", ".join(full)
        values = ", ".join(f":{name}" for name in full)
        connection.execute(text(f"insert into facts.{feed} ({names}) values ({values})"), full)


def select_metrics(connection: Connection, file: Path, case: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of one metric file for the year to date of the case's ``as_of``."""
    as_of = case.get("as_of", date(2026, 3, 31))
    bound = {
        "geography": str(case.get("geography", "34")),
        "year": as_of.year,
        "from_day": date(as_of.year, 1, 1),
        "to_day": as_of,
        "as_of": as_of,
    }
    return [dict(row) for row in connection.execute(text(file.read_text("utf-8")), bound).mappings()]


def shown(value: Any) -> str:
    """A value as one would write it in a case."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "+".join(value) if isinstance(value, list) else str(value)


def compare(found: list[dict[str, Any]], case: dict[str, Any]) -> None:
    """The expected rows, all of them and in the columns the case shows.

    A case may say which metrics are compared (``only``, by default those expected, when empty all) and which unit.
    """
    expected = csv_rows(case["expect"])
    columns = list(expected[0])
    named = set(case.get("only", [row.get("metric") for row in expected]))
    chosen = [row for row in found if not named or row["metric"] in named]
    chosen = [row for row in chosen if case.get("unit") in {None, row["unit_id"]}]
    assert sorted(tuple(shown(row[name]) for name in columns) for row in chosen) == sorted(
        tuple(value or "" for value in row.values()) for row in expected
    )


@pytest.mark.parametrize("feed", FEEDS)
def test_given_facts_become_the_expected_values(feed: str, warehouse: Settings, subtests: pytest.Subtests) -> None:
    """Also in every case: the columns the run inserts, registered metrics only, one row a unit, metric and basis."""
    file = warehouse.include_dir / "sql" / "metrics" / f"{feed}.sql"
    with engine(warehouse, "loader").connect() as connection:
        names = text("select metric, feed from ref.metric")
        registered = {metric for metric, of in connection.execute(names) if feed in {of, "declarations"}}
        for case in yaml.safe_load((HERE / f"{feed}.yml").read_text("utf-8")):
            with subtests.test(case["case"]):
                for source_feed, content in case["given"].items():
                    insert_facts(connection, source_feed, csv_rows(content))
                found = select_metrics(connection, file, case)
                compare(found, case)
                assert {tuple(row) for row in found} == {METRIC_COLUMNS}
                assert {row["metric"] for row in found} <= registered
                assert len({(row["unit_id"], row["metric"], row["basis"]) for row in found}) == len(found)
            connection.rollback()


def test_every_metric_file_has_cases(settings: Settings) -> None:
    assert sorted(path.stem for path in (settings.include_dir / "sql" / "metrics").glob("*.sql")) == FEEDS
