"""A small framework and a way to score given metric values with it, without facts or files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from dti.index.model import Framework
from dti.index.run import Run, open_run, score
from dti.index.store import store_framework
from dti.settings import Settings
from dti.warehouse.connect import engine

ValueKey = tuple[str, str, str, str]
"""(unit, metric, feed, basis) of a metric value."""


def framework(indicators: list[dict[str, Any]], **changes: Any) -> Framework:
    """A framework over ``indicators``, whose pillars and one composite ``ALL`` follow from them."""
    rows = [
        {
            "code": f"1.{number}", "pillar_code": "A", "name_vi": "x", "name_en": "x", "max_points": 10,
            "rule": "ratio", "numerator_metric": "n", "feed": "online_services",
            "name_provenance": "quoted", "points_provenance": "quoted", **row,
        }
        for number, row in enumerate(indicators, start=1)
    ]  # fmt: skip
    points: dict[str, Decimal] = {}
    for row in rows:
        points[row["pillar_code"]] = points.get(row["pillar_code"], Decimal(0)) + Decimal(str(row["max_points"]))
    common = {"name_vi": "x", "name_en": "x", "provenance": "quoted"}
    return Framework.model_validate(
        {
            "framework": "little", "decision": "1/QĐ", "decided_on": date(2022, 5, 20), "name_vi": "x", "name_en": "x",
            "unit_level": "province", "in_force": {"from_year": 2021}, "max_points": sum(points.values()),
            "indicator_count": len(rows), "basis_order": ["measured", "appraised", "declared"],
            "unscored": {"missing": "zero", "undefined": "zero"}, "rounding": {"decimals": 4, "mode": "half_up"},
            "ranking": "competition", "sources": ["here"], "indicators": rows,
            "pillars": [
                {"code": code, "group_vi": "x", "max_points": top, "component_count": 1, **common}
                for code, top in points.items()
            ],
            "composites": {
                "ALL": {
                    "total_weight": sum(points.values()), **common,
                    "weights": {code: top for code, top in points.items() if top > 0},
                }
            },
            **changes,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Scorer:
    """Runs the index SQL on one open transaction, which is rolled back when the test ends."""

    connection: Connection
    settings: Settings

    def begin(self, method: Framework, values: Mapping[ValueKey, object], geography: str = "34") -> str:
        """A run that holds ``values`` and nothing else yet; returns its id."""
        store_framework(self.connection, method)
        run = Run(
            run_id="test", kind="test", as_of_date=date(2026, 3, 31), year=2026, framework_id=method.framework_id,
            framework_hash=method.content_hash, geography=geography, period_from=date(2026, 1, 1),
            period_to=date(2026, 3, 31), framework_in_force=True,
        )  # fmt: skip
        open_run(self.connection, run)
        rows = [
            {"unit": unit, "metric": metric, "feed": feed, "basis": basis, "value": value}
            for (unit, metric, feed, basis), value in values.items()
        ]
        if rows:
            self.connection.execute(
                text(
                    "insert into score.metric_value values ('test', :unit, :metric, :feed, :basis,"
                    " cast(:value as numeric), '2026-01-01', '2026-03-31', array['s1'])"
                ),
                rows,
            )
        return run.run_id

    def score(self, method: Framework, values: Mapping[ValueKey, object], geography: str = "34") -> None:
        """A complete run over ``values``."""
        self.begin(method, values, geography)
        run = Run("test", "test", date(2026, 3, 31), 2026, "", "", geography, date(2026, 1, 1), date(2026, 3, 31), True)
        score(self.connection, run, self.settings)

    def execute_file(self, name: str) -> None:
        """One file of ``include/sql/index`` by itself."""
        path: Path = self.settings.include_dir / "sql" / "index" / name
        self.connection.execute(text(path.read_text("utf-8")), {"run_id": "test"})

    def rows(self, table: str, where: str = "true") -> list[dict[str, Any]]:
        """Rows of a table of schema score."""
        return [
            dict(row) for row in self.connection.execute(text(f"select * from score.{table} where {where}")).mappings()
        ]

    def one(self, unit: str = "P34-66", code: str = "1.1") -> dict[str, Any]:
        """The score of one indicator of one unit."""
        (found,) = self.rows("indicator_score", f"unit_id = '{unit}' and indicator_code = '{code}'")
        return found


@pytest.fixture
def scorer(warehouse: Settings) -> Iterator[Scorer]:
    """A scorer on a prepared, empty warehouse."""
    with engine(warehouse, "loader").connect() as connection:
        yield Scorer(connection, warehouse)
        connection.rollback()


@pytest.fixture(scope="session", name="framework")
def framework_builder() -> Any:
    """``framework(indicators, **changes)``."""
    return framework
