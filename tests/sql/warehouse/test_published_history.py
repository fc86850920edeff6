"""Every published figure that follows from others by a known formula, and published figures beside computed ones."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text

from dti.index.framework import load_framework
from dti.index.run import compute
from dti.settings import Settings
from dti.warehouse.connect import engine
from tests.oracle.merging import former_units

Figures = dict[tuple[int, str, str], dict[str, Any]]
LAST_PLACE = Decimal("0.0001")


def ask(settings: Settings, query: str, **bound: object) -> list[dict[str, Any]]:
    with engine(settings, "analyst").connect() as connection:
        return [dict(row) for row in connection.execute(text(query), bound).mappings()]


@pytest.fixture
def figures(warehouse: Settings) -> Figures:
    """Every published figure by year, unit and measure."""
    rows = ask(warehouse, "select * from marts.published_index")
    return {(row["year"], row["unit_id"], row["measure"]): row for row in rows}


@pytest.fixture
def weights(warehouse: Settings) -> dict[str, dict[str, Fraction]]:
    """Composite → pillar → weight, as framework 922-2022 says."""
    framework = load_framework("922-2022", settings=warehouse)
    return {code: {p: Fraction(w) for p, w in own.weights.items()} for code, own in framework.composites.items()}


def known(figures: Figures, year: int, unit: str, measure: str) -> Fraction | None:
    row = figures.get((year, unit, measure))
    return None if row is None or row["value"] is None else Fraction(row["value"])


def units_of(figures: Figures, year: int) -> list[str]:
    return sorted({unit for y, unit, _ in figures if y == year and unit.startswith("P63")})


def rounded(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(LAST_PLACE, ROUND_HALF_UP)


def test_pdti_2022_follows_from_the_eight_pillars(figures: Figures, weights: dict[str, dict[str, Fraction]]) -> None:
    pdti = weights["PDTI"]
    whole = {
        unit: [known(figures, 2022, unit, pillar) for pillar in pdti] for unit in units_of(figures, 2022)
    }  # fmt: skip
    complete = {unit: values for unit, values in whole.items() if None not in values}
    assert len(complete) == 5
    for unit, values in complete.items():
        recomputed = sum(w * v for w, v in zip(pdti.values(), values, strict=True) if v is not None) / 1000
        # Eight figures rounded to 4 decimals may be off by half of the last, and so may PDTI.
        assert abs(recomputed - Fraction(figures[2022, unit, "PDTI"]["value"])) <= Fraction(LAST_PLACE), unit


def test_composites_follow_from_pdti_and_three_pillars(
    figures: Figures, weights: dict[str, dict[str, Fraction]]
) -> None:
    """The points of the foundation are what PDTI leaves beside the three activities; values and ranks of 2022, 2023."""
    own_pillar = {"CHINH_QUYEN_SO": "CQS", "KINH_TE_SO": "KTS", "XA_HOI_SO": "XHS"}
    pdti, checked = weights["PDTI"], {"values": 0, "ranks": 0}
    for year in (2022, 2023):
        for composite, pillar in own_pillar.items():
            derived: dict[str, Fraction] = {}
            for unit in units_of(figures, year):
                points = {p: pdti[p] * (known(figures, year, unit, p) or 0) for p in own_pillar.values()}
                whole = 1000 * (known(figures, year, unit, "PDTI") or 0)
                foundation = whole - sum(points.values())
                derived[unit] = (foundation + points[pillar]) / sum(weights[composite].values())
            assert len(derived) == 63
            places = {unit: rounded(value) for unit, value in derived.items()}
            for unit, value in places.items():
                figure = figures.get((year, unit, composite))
                if figure and figure["value"] is not None:
                    assert abs(value - figure["value"]) <= LAST_PLACE, "its parts are rounded"
                    checked["values"] += 1
                if figure and figure["rank"] is not None:
                    assert 1 + sum(other > value for other in places.values()) == figure["rank"], (
                        year,
                        unit,
                        composite,
                    )
                    checked["ranks"] += 1
    assert checked == {"values": 3, "ranks": 21}


def test_pdti_2020_is_the_weighted_mean_of_its_three_pillars(figures: Figures) -> None:
    parts = [known(figures, 2020, "P63-27", code) for code in ("CHINH_QUYEN_SO", "KINH_TE_SO", "XA_HOI_SO")]
    assert None not in parts
    value = sum(Fraction(w, 10) * p for w, p in zip((4, 3, 3), parts, strict=True) if p is not None)
    assert rounded(value) == figures[2020, "P63-27", "PDTI"]["value"] == Decimal("0.4096")


@pytest.mark.parametrize(
    ("year", "measure"),
    [(2022, "PDTI"), (2021, "PDTI"), (2021, "CHINH_QUYEN_SO"), (2021, "KINH_TE_SO"), (2021, "XA_HOI_SO")],
)
def test_published_ranks_follow_from_published_values(figures: Figures, year: int, measure: str) -> None:
    """Where all above a unit are known, its rank counts them; where some are not, it leaves room for them."""
    listed = [row for (y, _, m), row in figures.items() if (y, m) == (year, measure) and row["value"] is not None]
    assert len(listed) >= 17
    for row in listed:
        above = sum(other["value"] > row["value"] for other in listed)
        assert row["rank"] == above + 1 if measure == "PDTI" else row["rank"] >= above + 1, row
        for other in listed:
            assert (other["rank"] < row["rank"]) == (other["value"] > row["value"]), (row, other)


def test_ties_share_a_rank_and_skip_the_next(figures: Figures) -> None:
    for year, tied, rank in ((2022, {"P63-38", "P63-15"}, 15), (2021, {"P63-38", "P63-26"}, 12)):
        ranks = {unit: row["rank"] for (y, unit, m), row in figures.items() if (y, m) == (year, "PDTI")}
        assert {unit for unit, place in ranks.items() if place == rank} == tied
        assert rank + 1 not in ranks.values()
        assert rank + 2 in ranks.values()


def test_ranks_in_the_region_can_be_computed(warehouse: Settings, figures: Figures) -> None:
    dak_lak = figures[2022, "P63-66", "PDTI"]
    assert (dak_lak["rank_region_by_value"], dak_lak["region_units_count"]) == (3, 5)
    assert dak_lak["region_name"] == "Tây Nguyên"
    highlands = ask(
        warehouse,
        "select unit_name from marts.published_index where year = 2022 and measure = 'PDTI' and region_code = 'TN'"
        " order by rank_region_by_value",
    )
    assert [row["unit_name"] for row in highlands] == ["Lâm Đồng", "Kon Tum", "Đắk Lắk", "Đắk Nông", "Gia Lai"]
    assert all(row["rank_region_by_value"] is None for (year, *_), row in figures.items() if year == 2020)


def test_national_means(warehouse: Settings) -> None:
    rows = ask(warehouse, "select * from marts.published_mean where geography = '63'")
    means = {(row["year"], row["measure"]): row for row in rows}
    of_2024 = means[2024, "PDTI"]
    assert (of_2024["mean_value"], of_2024["published_value"], of_2024["difference"]) == (
        Decimal("0.6961"), Decimal("0.6961"), 0,
    )  # fmt: skip
    of_2021 = means[2021, "PDTI"]
    assert (of_2021["mean_value"], of_2021["values_count"], of_2021["published_value"]) == (None, 18, Decimal("0.4014"))
    assert means[2022, "PDTI"]["mean_value"] == Decimal("0.5787")


def test_merged_provinces_of_2024_are_the_mean_of_their_parts(warehouse: Settings, figures: Figures) -> None:
    merged = ask(warehouse, "select * from marts.published_merged where year = 2024")
    assert len(merged) == 34 * 5
    for row in merged:
        parts = former_units()[row["unit_id"]]
        values = [known(figures, 2024, part, row["measure"]) for part in parts]
        mean = sum((value for value in values if value is not None), Fraction(0)) / len(parts)
        assert (row["value"], row["former_unit_ids"]) == (rounded(mean), parts)
        rivals = [other for other in merged if other["measure"] == row["measure"]]
        assert row["rank_by_value"] == 1 + sum(other["value"] > row["value"] for other in rivals)
        near = [other for other in rivals if other["region_code"] == row["region_code"]]
        assert row["rank_region_by_value"] == 1 + sum(other["value"] > row["value"] for other in near)
        assert row["region_units_count"] == len(near)


def test_the_published_list_of_the_34_is_reproduced(warehouse: Settings) -> None:
    rows = ask(
        warehouse, "select * from marts.published_merged where published_rank is not null order by published_rank"
    )
    names = "Hà Nội 1, Huế 2, Hải Phòng 3, Hồ Chí Minh 4, Thanh Hóa 5, Điện Biên 6, Hà Tĩnh 7, Đà Nẵng 17, Cao Bằng 34"
    assert ", ".join(f"{row['unit_name']} {row['rank_by_value']}" for row in rows) == names
    assert all(row["rank_by_value"] == row["published_rank"] for row in rows)
    off = {row["unit_id"]: row["difference"] for row in rows if row["difference"]}
    assert off == {"P34-79": Decimal("-0.0001")}, "the ministry averaged figures that were not rounded yet"


def test_years_that_are_not_whole_are_not_merged(warehouse: Settings) -> None:
    years = ask(warehouse, "select distinct year, measure from marts.published_merged order by 1, 2")
    assert [tuple(row.values()) for row in years] == [
        (year, measure) for year in (2022, 2023, 2024) for measure in ("CQS", "HT", "KTS", "PDTI", "XHS")
    ]


def beside(settings: Settings, unit: str, measure: str, year: int = 2022) -> dict[str, Any]:
    (row,) = ask(
        settings,
        "select * from marts.published_vs_computed where unit_id = :unit and measure = :measure and year = :year",
        unit=unit, measure=measure, year=year,
    )  # fmt: skip
    return row


def test_a_figure_that_no_run_has_computed_stands_alone(warehouse: Settings) -> None:
    row = beside(warehouse, "P63-48", "PDTI")
    assert (str(row["published_value"]), row["published_rank"], row["origin"]) == ("0.8002", 1, "published")
    assert (row["computed_value"], row["run_id"], row["likely_cause"]) == (None, None, None)
    assert beside(warehouse, "P34-66", "PDTI", 2024)["origin"] == "derived"
    assert beside(warehouse, "P34-79", "PDTI", 2024)["origin"] == "published"
    figures = ask(warehouse, "select count(*) as n from marts.published_vs_computed where origin = 'published'")
    assert figures == ask(warehouse, "select count(*) as n from marts.published_index")


def set_computed(settings: Settings, run_id: str, unit: str, value: str, coverage: str, rank: int = 1) -> None:
    with engine(settings, "loader").begin() as connection:
        connection.execute(
            text(
                "update score.composite_index set index_value = cast(:value as numeric),"
                " coverage = cast(:coverage as numeric), rank_national = :rank"
                " where run_id = :run and unit_id = :unit and composite_code = 'PDTI'"
            ),
            {"run": run_id, "unit": unit, "value": value, "coverage": coverage, "rank": rank},
        )


@pytest.mark.parametrize(
    ("value", "coverage", "rank", "synthetic", "cause"),
    [
        ("0.8002", "1", 1, False, "agrees"),
        ("0.8002", "0.5", 1, True, "agrees"),
        ("0.8003", "1", 1, False, "rounding"),
        ("0.8001", "0.9", 2, False, "rounding"),
        ("0.7000", "0.8", 2, False, "coverage"),
        ("0.7000", "0.95", 2, False, "missing components"),
        ("0.9000", "0.5", 1, False, "missing components"),
        ("0.9000", "0.5", 1, True, "data"),
        ("0.7000", "0.8", 2, True, "coverage"),
    ],
)
def test_the_likely_cause_follows_the_rules(
    warehouse: Settings, value: str, coverage: str, rank: int, synthetic: bool, cause: str
) -> None:
    run = compute(date(2022, 12, 31), "922-2022", settings=warehouse)
    with engine(warehouse, "loader").begin() as connection:
        connection.execute(text("update score.run set synthetic = :synthetic"), {"synthetic": synthetic})
    set_computed(warehouse, run.run_id, "P63-48", value, coverage, rank)
    row = beside(warehouse, "P63-48", "PDTI")
    assert (row["likely_cause"], row["difference"]) == (cause, Decimal(value) - Decimal("0.8002"))
    assert (row["run_id"], row["rank_difference"]) == (run.run_id, rank - 1)


def test_another_method_is_the_cause_before_all_else(warehouse: Settings) -> None:
    compute(date(2024, 12, 31), "922-2022", settings=warehouse)
    row = beside(warehouse, "P63-48", "PDTI", 2024)
    assert (row["likely_cause"], row["published_decision"], row["computed_decision"]) == (
        "framework", "405/QĐ-BKHCN", "922/QĐ-BTTTT",
    )  # fmt: skip


def test_part_of_a_year_and_runs_to_be_averaged_are_not_compared(warehouse: Settings) -> None:
    compute(date(2022, 6, 30), "922-2022", settings=warehouse)
    merged = compute(date(2022, 12, 31), "922-2022", geography="34", merge_method="average", settings=warehouse)
    assert beside(warehouse, "P63-48", "PDTI")["run_id"] is None
    assert beside(warehouse, "P34-48", "PDTI")["run_id"] == merged.run_id


def test_figures_of_ranks_only_compare_by_rank(warehouse: Settings) -> None:
    run = compute(date(2021, 12, 31), "922-2022", settings=warehouse)
    row = beside(warehouse, "P63-66", "PDTI", 2021)
    assert (row["published_value"], row["published_rank"], row["likely_cause"]) == (None, 36, "coverage")
    set_computed(warehouse, run.run_id, "P63-66", "0.5", "1", rank=36)
    assert beside(warehouse, "P63-66", "PDTI", 2021)["likely_cause"] == "agrees"
