"""Facts in one partition a year: laid by loads, read by the metrics of a year, and by no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.load import load_feed
from tests.builders.facts import online_services

FEED = "online_services"
METRICS = sorted(path.stem for path in (Path(__file__).parents[3] / "include" / "sql" / "metrics").glob("*.sql"))
PLACES = "SELECT tableoid::regclass::text, count(*)::int FROM facts.online_services GROUP BY 1 ORDER BY 1"


def ask(settings: Settings, question: str) -> list[tuple[Any, ...]]:
    with connect.connect(settings, "owner") as connection:
        return connection.execute(question.encode()).fetchall()


def of(opened: date, counted: date | None = None) -> dict[str, Any]:
    return {"partition_key": f"{opened:%Y-%m}", "day": counted or opened}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def test_a_load_lays_the_years_it_needs_as_a_role_that_may_define_nothing(warehouse: Settings) -> None:
    dossiers = [of(date(2019, 5, 1)), of(date(2020, 5, 1)), of(date(2020, 5, 1), date(2021, 1, 9))]
    load_feed(FEED, online_services(*dossiers), ["2019-05", "2020-05"], [], 1, settings=warehouse)
    parts = [f"facts.online_services_{year}" for year in (2019, 2020, 2021)]
    assert ask(warehouse, PLACES) == [(part, 1) for part in parts]
    with connect.connect(warehouse, "loader") as loader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        loader.execute("CREATE TABLE facts.online_services_1999 PARTITION OF facts.online_services DEFAULT")
    load_feed(FEED, None, ["2020-05"], [], 2, settings=warehouse)
    assert ask(warehouse, PLACES) == [(parts[0], 1)]


def test_a_day_of_a_year_without_a_partition_is_kept_and_moves_when_its_year_is_laid(warehouse: Settings) -> None:
    strange = of(date(2018, 5, 1), date(1998, 5, 1))
    early = of(date(2018, 5, 1), date(2011, 5, 1))
    load_feed(FEED, online_services(strange, early), ["2018-05"], [], 1, settings=warehouse)
    assert ask(warehouse, PLACES) == [("facts.online_services_other", 2)]
    load_feed(FEED, online_services(of(date(2011, 6, 1))), ["2011-06"], [], 2, settings=warehouse)
    assert ask(warehouse, PLACES) == [("facts.online_services_2011", 2), ("facts.online_services_other", 1)]


@pytest.mark.parametrize("feed", [feed for feed in METRICS if feed != "calendar"])
def test_the_metrics_of_a_year_read_the_partitions_of_that_year_alone(warehouse: Settings, feed: str) -> None:
    with connect.connect(warehouse, "loader") as loader:
        for known in {feed, "service_catalogue"}:
            loader.execute("SELECT facts.lay_partitions(%s, 2023, 2026)", [known])
    query = (warehouse.include_dir / "sql" / "metrics" / f"{feed}.sql").read_text("utf-8")
    period = {"geography": "34", "year": 2025, "from_day": date(2025, 1, 1), "to_day": date(2025, 12, 31)}
    with connect.engine(warehouse, "loader").connect() as connection:
        (plan,) = connection.execute(
            text(f"EXPLAIN (FORMAT JSON) {query}"), {**period, "as_of": date(2025, 12, 31)}
        ).scalar_one()
    read = {node["Relation Name"] for node in nodes(plan["Plan"]) if "Relation Name" in node} - {"unit"}
    if (
        feed == "declarations"
    ):  # a year's figures may have been stated any time before the cut-off, and in no year after
        assert "declarations_2025" in read
        assert "declarations_2026" not in read
    elif feed == FEED:
        assert read == {"online_services_2025", "service_catalogue_2025"}
    else:
        assert read == {f"{feed}_2025"}
