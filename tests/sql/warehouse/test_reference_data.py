"""The files of include/reference, as they stand in schema ref and in the marts over it."""

from __future__ import annotations

import csv
import unicodedata
from decimal import Decimal

import pytest

from dti.settings import Settings
from dti.warehouse.query import run_select
from dti.warehouse.reference import reference_files


def ask(settings: Settings, question: str) -> list[tuple[object, ...]]:
    return list(run_select(question, settings)[1])


def test_both_geographies_with_their_regions(warehouse: Settings) -> None:
    regions = {"63": "", "34": "", "tay-ninh-2025": ""}
    for geography, region, units in ask(
        warehouse, "select geography, region_code, count(*) from unit group by 1, 2 order by 1, 2"
    ):
        regions[str(geography)] += f"{region} {units}, "
    assert regions["63"] == "BTBDHMT 14, DBSCL 13, DBSH 11, DNB 6, TDMNPB 14, TN 5, "
    assert regions["34"] == "BTB 5, DBSCL 5, DBSH 6, DNB 3, NTBTN 6, TDMNPB 9, "
    days = ask(warehouse, "select distinct geography, valid_from::text, valid_to::text from unit order by 1 desc")
    assert days == [
        ("tay-ninh-2025", "2025-07-01", None),
        ("63", "2008-08-01", "2025-07-01"),
        ("34", "2025-07-01", None),
    ]


def test_the_96_communes_of_tay_ninh_have_their_codes_and_their_province(warehouse: Settings) -> None:
    assert ask(
        warehouse,
        "select unit_type, parent_unit_id, region_name, count(*), count(distinct code), min(unit_id), max(unit_id) "
        "from unit where unit_level = 'commune' group by 1, 2, 3 order by 1",
    ) == [
        ("commune", "P34-80", "Tỉnh Tây Ninh", 82, 82, "C34-25486", "C34-28243"),
        ("ward", "P34-80", "Tỉnh Tây Ninh", 14, 14, "C34-25459", "C34-27787"),
    ]


def test_seventeen_pairs_six_triples_and_eleven_unchanged(warehouse: Settings) -> None:
    sizes = ask(
        warehouse,
        "select n, count(*) from (select count(*) as n from unit where geography = '63' group by successor_unit_id) "
        "as merged group by 1 order by 1",
    )
    assert sizes == [(1, 11), (2, 17), (3, 6)]
    assert ask(warehouse, "select predecessor_unit_ids from unit where unit_id = 'P34-66'") == [("P63-54 P63-66",)]
    assert ask(warehouse, "select count(*) from unit where geography = '34' and predecessor_unit_ids is null") == [(0,)]


def test_a_code_may_mean_another_province_in_the_other_geography(warehouse: Settings) -> None:
    assert ask(warehouse, "select unit_id, unit_name from unit where code = '80' order by 1") == [
        ("P34-80", "Tây Ninh"),
        ("P63-80", "Long An"),
    ]


def aliases() -> dict[tuple[str, str], str]:
    path = next(p for p in reference_files() if p.name == "unit_alias.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["geography"], row["alias"]): row["unit_id"] for row in rows}
    assert len(found) == len(rows), "an alias stands twice in one geography"
    return found


@pytest.mark.parametrize(
    ("geography", "text", "unit_id"),
    [
        ("63", "Hòa Bình", "P63-17"), ("63", "Hoà Bình", "P63-17"), ("63", "Tỉnh Hoà Bình", "P63-17"),
        ("34", "Thanh Hoá", "P34-38"), ("34", "Khánh Hoà", "P34-56"), ("34", "UBND tỉnh Khánh Hòa", "P34-56"),
        ("63", "Thừa Thiên - Huế", "P63-46"), ("63", "Huế", "P63-46"), ("34", "TP. Huế", "P34-46"),
        ("34", "Thừa Thiên Huế", "P34-46"), ("34", "TP.HCM", "P34-79"), ("34", "Thành phố Hồ Chí Minh", "P34-79"),
        ("34", "Ho Chi Minh City", "P34-79"), ("63", "Bà Rịa – Vũng Tàu", "P63-77"), ("34", "Dak Lak", "P34-66"),
        ("34", "Đắc Lắc", "P34-66"), ("34", "66", "P34-66"), ("63", "1", "P63-01"), ("34", "01", "P34-01"),
        ("34", "P34-66", "P34-66"), ("63", "80", "P63-80"), ("34", "80", "P34-80"),
    ],
)  # fmt: skip
def test_an_agencys_way_of_writing_a_province_is_known(geography: str, text: str, unit_id: str) -> None:
    assert aliases()[geography, text] == unit_id


def test_a_province_that_no_longer_exists_is_not_answered_for() -> None:
    names = {text for geography, text in aliases() if geography == "34"}
    assert not names & {"Phú Yên", "Bình Dương", "Hà Giang", "Kon Tum", "74", "02"}


def test_no_two_units_share_an_alias_once_case_spaces_and_prefix_are_set_aside() -> None:
    meant: dict[tuple[str, str], set[str]] = {}
    for (geography, text), unit_id in aliases().items():
        assert unicodedata.is_normalized("NFC", text)
        plain = " ".join(text.casefold().split())
        for prefix in ("tỉnh ", "thành phố ", "tp. ", "tp.", "tp "):
            plain = plain.removeprefix(prefix)
        meant.setdefault((geography, plain), set()).add(unit_id)
    assert {key: units for key, units in meant.items() if len(units) > 1} == {}


def test_published_figures_are_whole_and_nothing_is_filled_in(warehouse: Settings) -> None:
    assert ask(warehouse, "select count(*), count(value), count(rank) from published_index") == [(1090, 1048, 188)]
    assert ask(warehouse, "select distinct year, decision from published_index order by 1") == [
        (2020, "1726/QĐ-BTTTT"),
        (2021, "922/QĐ-BTTTT"),
        (2022, "922/QĐ-BTTTT"),
        (2023, "922/QĐ-BTTTT"),
        (2024, "405/QĐ-BKHCN"),
    ]
    measures = {str(measure) for (measure,) in ask(warehouse, "select distinct measure from published_index")}
    assert " ".join(sorted(measures)) == "AT CHINH_QUYEN_SO CQS HT KINH_TE_SO KTS NL NT PDTI TC XA_HOI_SO XHS"
    assert ask(warehouse, "select count(*) from published_index where source = '' or provenance = ''") == [(0,)]


def test_dak_lak_2021_was_published_as_ranks_only(warehouse: Settings) -> None:
    rows = ask(
        warehouse,
        "select measure, rank, value, published_part, rank_by_value from published_index "
        "where unit_id = 'P63-66' and year = 2021 order by rank, measure",
    )
    ranks = "NT 22, AT 27, KTS 34, HT 35, PDTI 36, CQS 37, XHS 39, NL 53, TC 53"
    assert ", ".join(f"{measure} {rank}" for measure, rank, *_ in rows) == ranks
    assert {tuple(rest) for _, _, *rest in rows} == {(None, "rank_only", None)}


def test_ties_share_a_rank_and_the_next_is_skipped(warehouse: Settings) -> None:
    rows = ask(
        warehouse,
        "select unit_name, rank, value from published_index "
        "where year = 2022 and measure = 'PDTI' and rank between 14 and 17 order by rank, unit_name",
    )
    assert [(name, rank) for name, rank, _ in rows][1:3] == [("Thanh Hóa", 15), ("Yên Bái", 15)]
    assert [rank for _, rank, _ in rows] == [14, 15, 15, 17]
    assert {value for _, rank, value in rows if rank == 15} == {Decimal("0.6350")}


def test_our_own_ranks_agree_with_the_published_ones_and_stand_apart(warehouse: Settings) -> None:
    assert ask(
        warehouse,
        "select count(*), count(*) filter (where rank = rank_by_value) from published_index "
        "where year = 2022 and measure = 'PDTI'",
    ) == [(63, 63)]
    assert ask(
        warehouse, "select count(*), count(rank_by_value) from published_index where year = 2023 and rank is null"
    ) == [(315, 315)]
    assert ask(warehouse, "select count(rank_by_value) from published_index where year in (2020, 2021)") == [(0,)]


def test_every_metric_has_both_names_and_one_way_to_add_up(warehouse: Settings) -> None:
    path = next(p for p in reference_files() if p.name == "metrics.csv")
    with path.open(encoding="utf-8", newline="") as file:
        metrics = {(row["metric"], row["feed"]): row for row in csv.DictReader(file)}
    assert len(metrics) == 167
    assert all(all(row.values()) for row in metrics.values())
    assert metrics["months_in_period", "calendar"]["aggregation"] == "calendar"
    assert {row["aggregation"] for (_, feed), row in metrics.items() if feed == "declarations"} == {"last"}
