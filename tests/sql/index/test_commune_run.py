"""A run whose units are communes and whose points are stated: 62 scores of each of 96, two bases side by side."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from dti.errors import MethodError
from dti.index.framework import load_framework
from dti.index.model import points_metric
from dti.index.run import compute
from dti.settings import Settings
from dti.warehouse.connect import engine
from dti.warehouse.query import run_select

SET = "tay-ninh-commune-2025"
BEST, SECOND, SILENT = "C34-25459", "C34-25480", "C34-28243"


def ask(settings: Settings, question: str) -> list[tuple[object, ...]]:
    return list(run_select(question, settings)[1])


@pytest.fixture
def stated(warehouse: Settings) -> Settings:
    """Every commune but one scored itself with half of each criterion; two of them were appraised on some."""
    criteria = load_framework(SET, settings=warehouse).indicators
    with engine(warehouse, "loader").begin() as connection:
        communes = list(
            connection.execute(
                text("select unit_id from ref.unit where geography = 'tay-ninh-2025' and unit_id <> :silent"),
                {"silent": SILENT},
            ).scalars()
        )
        rows = [
            {"unit": unit, "metric": points_metric(SET, i.code), "basis": "declared", "value": i.max_points / 2}
            for unit in communes
            for i in criteria
        ]
        rows += [
            {"unit": BEST, "metric": points_metric(SET, i.code), "basis": "appraised", "value": i.max_points}
            for i in criteria
        ]
        # Appraised below what it said of itself, and one more above the maximum, which is held there.
        rows.append({"unit": SECOND, "metric": points_metric(SET, "1.1"), "basis": "appraised", "value": 2})
        rows.append({"unit": SECOND, "metric": points_metric(SET, "4.22.10"), "basis": "appraised", "value": 99})
        connection.execute(
            text(
                "insert into facts.declarations"
                " (partition_key, day, unit_id, source_id, period_year, metric, basis, value)"
                " values ('2025-12', '2025-12-20', :unit, 's1', 2025, :metric, :basis, :value)"
            ),
            rows,
        )
    return warehouse


def test_the_communes_are_scored_by_their_points(stated: Settings) -> None:
    run = compute(date(2025, 12, 31), SET, settings=stated)
    assert (run.geography, run.framework_in_force) == ("tay-ninh-2025", True)
    assert ask(
        stated, "select count(*), count(distinct unit_id), count(distinct indicator_code) from indicator_score"
    ) == [(96 * 62, 96, 62)]
    ranks = ask(
        stated,
        "select unit_id, index_value, rank_national, rank_region, coverage from composite_index"
        " order by rank_national, unit_id",
    )
    # 960 points; 480 by half marks; the second has 2 instead of 5 on 1.1 and 30 instead of 15 on 4.22.10: 492.
    assert ranks[0] == (BEST, Decimal("1.0000"), 1, 1, 1)
    assert ranks[1] == (SECOND, Decimal("0.5125"), 2, 2, 1)
    assert {(value, national, region) for _, value, national, region, _ in ranks[2:-1]} == {(Decimal("0.5000"), 3, 3)}
    assert ranks[-1] == (SILENT, Decimal("0.0000"), 96, 96, 0)
    assert len(ranks) == 96


def test_appraised_points_win_and_the_declared_ones_stay(stated: Settings) -> None:
    compute(date(2025, 12, 31), SET, settings=stated)
    scores = ask(
        stated,
        "select indicator_code, basis, numerator, points, is_capped from indicator_score"
        f" where unit_id = '{SECOND}' and indicator_code in ('1.1', '1.2', '4.22.10') order by indicator_no",
    )
    assert scores == [
        ("1.1", "appraised", 2, 2, False),
        ("1.2", "declared", 5, 5, False),
        ("4.22.10", "appraised", 99, 30, True),
    ]
    assert ask(
        stated,
        "select basis, value from metric_value"
        f" where unit_id = '{SECOND}' and metric = 'points.{SET}.1.1' order by basis",
    ) == [("appraised", 2), ("declared", 5)]


def test_a_pillar_of_a_commune_is_its_points_over_the_maximum(stated: Settings) -> None:
    compute(date(2025, 12, 31), SET, settings=stated)
    assert ask(
        stated,
        "select pillar_code, points, max_points, index_value from pillar_index"
        f" where unit_id = '{SECOND}' order by pillar_no",
    ) == [
        ("HT", 37, 80, Decimal("0.4625")),
        ("NL", 50, 100, Decimal("0.5000")),
        ("AT", 50, 100, Decimal("0.5000")),
        ("CQS", 275, 520, Decimal("0.5288")),
        ("KTS", 40, 80, Decimal("0.5000")),
        ("XHS", 40, 80, Decimal("0.5000")),
    ]


def test_provinces_are_no_units_of_a_commune_set(stated: Settings) -> None:
    with pytest.raises(MethodError, match="geography 34 has no units of level commune"):
        compute(date(2025, 12, 31), SET, geography="34", settings=stated)


def test_what_is_only_published_is_not_computed(warehouse: Settings) -> None:
    with pytest.raises(MethodError, match="published results only"):
        compute(date(2024, 12, 31), "405-2025", settings=warehouse)
