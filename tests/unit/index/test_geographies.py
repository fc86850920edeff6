"""Runs of either geography: whose data counts before, across and after the merger, and what cannot be asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from dti.errors import MethodError
from dti.index.run import compute
from dti.settings import Settings
from dti.warehouse.connect import engine

END_2024, LAST_OF_63, FIRST_OF_34, END_2025 = (
    date(2024, 12, 31),
    date(2025, 6, 30),
    date(2025, 7, 1),
    date(2025, 12, 31),
)
PHU_YEN, OLD_DAK_LAK, DAK_LAK = "P63-54", "P63-66", "P34-66"


def ask(settings: Settings, query: str, **bound: object) -> list[dict[str, Any]]:
    with engine(settings, "analyst").connect() as connection:
        return [dict(row) for row in connection.execute(text(query), bound).mappings()]


def fact(settings: Settings, feed: str, **known: object) -> None:
    """One fact row; counts that are not named are 0."""
    with engine(settings, "loader").begin() as connection:
        counts = connection.execute(
            text(
                "select column_name from information_schema.columns where table_schema = 'facts'"
                " and table_name = :feed and data_type = 'bigint' and is_nullable = 'NO'"
            ),
            {"feed": feed},
        ).scalars()
        row: dict[str, object] = {**dict.fromkeys(counts, 0), "partition_key": "2025-01", "source_id": "s1", **known}
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        connection.execute(text(f"insert into facts.{feed} ({names}) values ({values})"), row)


def finish(settings: Settings, unit: str, day: str, finished: int, on_time: int, procedures: str = "p1") -> None:
    """Finished dossiers; each of the ``procedures`` also received one online."""
    for procedure in procedures.split():
        fact(
            settings, "online_services", day=day, unit_id=unit, procedure_code=procedure, dossiers_finished=finished,
            dossiers_on_time=on_time, dossiers_online=1, dossiers_received=1,
        )  # fmt: skip


def state(settings: Settings, unit: str, day: str, metric: str, value: object, year: int) -> None:
    fact(
        settings, "declarations", day=day, unit_id=unit, period_year=year, metric=metric, basis="declared", value=value
    )  # fmt: skip


def staff(settings: Settings, unit: str, day: str, agency: str, total: int, trained: int) -> None:
    fact(
        settings, "staffing", day=day, unit_id=unit, agency_code=agency, staff_total=total, staff_trained_dx=trained
    )  # fmt: skip


def indicator(settings: Settings, run_id: str, code: str, unit: str = DAK_LAK) -> dict[str, Any]:
    (row,) = ask(
        settings,
        "select * from marts.indicator_score where run_id = :run and unit_id = :unit and indicator_code = :code",
        run=run_id, unit=unit, code=code,
    )  # fmt: skip
    return row


def metric(settings: Settings, run_id: str, name: str, unit: str = DAK_LAK) -> dict[str, Any] | None:
    rows = ask(
        settings,
        "select * from marts.metric_value where run_id = :run and unit_id = :unit and metric = :name",
        run=run_id, unit=unit, name=name,
    )  # fmt: skip
    return rows[0] if rows else None


def test_a_year_before_the_merger_may_be_merged_both_ways(warehouse: Settings) -> None:
    finish(warehouse, PHU_YEN, "2024-03-01", finished=10, on_time=10)
    finish(warehouse, OLD_DAK_LAK, "2024-03-01", finished=30, on_time=0)
    average, recomputed = (
        compute(END_2024, "922-2022", geography="34", merge_method=way, settings=warehouse)
        for way in ("average", "recomputed")
    )
    assert (average.run_id, recomputed.run_id) == (
        "night-2024-12-31.922-2022.34.average",
        "night-2024-12-31.922-2022.34.recomputed",
    )
    assert indicator(warehouse, average.run_id, "7.5")["points"] == Decimal("7.5"), "of 15 and 0"
    row = indicator(warehouse, recomputed.run_id, "7.5")
    assert (row["numerator"], row["denominator"], row["points"]) == (10, 40, Decimal("3.75"))
    labels = ask(warehouse, "select merge_method, geography, units_count, parts_run_id from marts.run order by run_id")
    assert [tuple(row.values()) for row in labels] == [
        ("average", "34", 34, "night_parts-2024-12-31.922-2022.63"),
        ("recomputed", "34", 34, None),
        ("none", "63", 63, None),
    ]
    (beside,) = ask(warehouse, f"select * from marts.merge_comparison where unit_id = '{DAK_LAK}' and measure = 'CQS'")
    assert (str(beside["average_value"]), str(beside["recomputed_value"])) == ("0.1125", "0.0938"), (
        "7.5 and 3.75 of 200, beside the 15 of 7.3"
    )
    assert beside["difference"] == Decimal("-0.0187")
    assert (beside["average_run_id"], beside["recomputed_run_id"]) == (average.run_id, recomputed.run_id)


def test_the_recomputed_run_tells_what_each_part_gave(warehouse: Settings) -> None:
    finish(warehouse, PHU_YEN, "2024-03-01", finished=10, on_time=10)
    finish(warehouse, OLD_DAK_LAK, "2024-05-01", finished=30, on_time=0)
    run = compute(END_2024, "922-2022", geography="34", merge_method="recomputed", settings=warehouse)
    parts = ask(
        warehouse,
        "select part_unit_id, value from marts.metric_part where run_id = :run and metric = 'dossiers_finished'"
        " order by 1",
        run=run.run_id,
    )
    assert [tuple(row.values()) for row in parts] == [(PHU_YEN, 10), (OLD_DAK_LAK, 30)]
    merged = metric(warehouse, run.run_id, "dossiers_finished")
    assert merged is not None
    assert (merged["value"], merged["parts"]) == (40, [PHU_YEN, OLD_DAK_LAK])
    assert (merged["first_day"], merged["last_day"]) == (date(2024, 3, 1), date(2024, 5, 1))


def test_what_one_of_two_knows_speaks_for_half(warehouse: Settings) -> None:
    finish(warehouse, PHU_YEN, "2024-03-01", finished=10, on_time=5)
    state(warehouse, PHU_YEN, "2024-03-01", "dx_day_held", 1, 2024)
    run = compute(END_2024, "922-2022", geography="34", merge_method="recomputed", settings=warehouse)
    row = indicator(warehouse, run.run_id, "7.5")
    assert (row["value"], row["coverage"], row["status"]) == (Decimal("0.5"), Decimal("0.5"), "scored")
    assert metric(warehouse, run.run_id, "dx_day_held") is None, "a yes of one is no yes of both"
    average = compute(END_2024, "922-2022", geography="34", merge_method="average", settings=warehouse)
    row = indicator(warehouse, average.run_id, "7.5")
    assert (row["points"], row["coverage"], row["status"], row["value"]) == (
        Decimal("3.75"), Decimal("0.5"), "scored", None
    )  # fmt: skip


def test_numerator_and_denominator_come_from_the_same_provinces(warehouse: Settings) -> None:
    for unit in (PHU_YEN, OLD_DAK_LAK):
        state(warehouse, unit, "2024-03-01", "directives_total", 10, 2024)
    state(warehouse, PHU_YEN, "2024-03-01", "directives_signed_by_head", 10, 2024)
    run = compute(END_2024, "922-2022", geography="34", merge_method="recomputed", settings=warehouse)
    assert indicator(warehouse, run.run_id, "1.3")["status"] == "missing", "10 of one is not half of 20 of both"


def test_a_year_across_the_merger_adds_flows_and_takes_the_new_ones_snapshot(warehouse: Settings) -> None:
    finish(warehouse, PHU_YEN, "2025-03-01", finished=10, on_time=10, procedures="a b c")
    finish(warehouse, OLD_DAK_LAK, "2025-06-30", finished=10, on_time=10, procedures="b")
    finish(warehouse, DAK_LAK, "2025-07-01", finished=20, on_time=0, procedures="a b")
    staff(warehouse, PHU_YEN, "2025-05-31", "old agency", 100, 100)
    state(warehouse, OLD_DAK_LAK, "2025-05-01", "grdp", 7, 2025)
    state(warehouse, DAK_LAK, "2025-08-01", "grdp", 12, 2025)
    run = compute(END_2025, "922-2022", settings=warehouse)
    assert run.run_id == "night-2025-12-31.922-2022.34.recomputed", "a period that crosses the day needs no asking"

    def value(name: str) -> Decimal | None:
        found = metric(warehouse, run.run_id, name)
        return found["value"] if found else None

    assert (value("dossiers_finished"), value("dossiers_on_time")) == (80, 40)
    assert value("services_with_online_dossier") == 3, "the same procedures in both halves: at least the larger half's"
    assert value("staff_total") == 100
    assert value("grdp") == 12
    assert value("months_in_period") == 12
    staff(warehouse, DAK_LAK, "2025-08-31", "new agency", 150, 30)
    compute(END_2025, "922-2022", settings=warehouse)
    assert (value("staff_total"), value("agencies_total")) == (150, 1), "the new unit's word is the later one"
    own = compute(END_2025, "922-2022", merge_method="none", settings=warehouse)
    assert indicator(warehouse, own.run_id, "7.5")["denominator"] == 40


def test_a_closed_year_is_whole_and_knows_what_was_stated_after_it(warehouse: Settings) -> None:
    finish(warehouse, OLD_DAK_LAK, "2024-12-31", finished=10, on_time=5)
    finish(warehouse, OLD_DAK_LAK, "2025-01-01", finished=90, on_time=90)
    state(warehouse, OLD_DAK_LAK, "2025-04-20", "security_drills", 2, 2024)
    run = compute(date(2025, 5, 1), "922-2022", year=2024, settings=warehouse)
    assert run.run_id == "night-2025-05-01.922-2022.63.2024"
    assert (run.period_from, run.period_to, run.year) == (date(2024, 1, 1), END_2024, 2024)
    assert indicator(warehouse, run.run_id, "7.5", OLD_DAK_LAK)["denominator"] == 10
    assert indicator(warehouse, run.run_id, "5.8", OLD_DAK_LAK)["points"] == 5
    assert compute(date(2026, 5, 1), "922-2022", year=2022, settings=warehouse).framework_in_force
    early = compute(date(2025, 4, 1), "922-2022", year=2024, settings=warehouse)
    assert indicator(warehouse, early.run_id, "5.8", OLD_DAK_LAK)["status"] == "missing"


def test_an_averaged_run_is_replaced_with_its_parts(warehouse: Settings) -> None:
    ask_again = {"geography": "34", "merge_method": "average", "settings": warehouse}
    finish(warehouse, PHU_YEN, "2024-03-01", finished=10, on_time=10)
    first = compute(END_2024, "922-2022", **ask_again)  # type: ignore[arg-type]
    finish(warehouse, OLD_DAK_LAK, "2024-03-01", finished=10, on_time=10)
    second = compute(END_2024, "922-2022", **ask_again)  # type: ignore[arg-type]
    assert first == second
    assert indicator(warehouse, second.run_id, "7.5")["points"] == 15
    assert len(ask(warehouse, "select from marts.run")) == 2
    assert ask(warehouse, "select count(*) as n from marts.latest_run where geography = '34'") == [{"n": 1}]


@pytest.mark.parametrize(
    ("as_of", "asked", "what", "remedy"),
    [
        (END_2025, {"geography": "63"}, "ended on 2025-06-30", "for a day up to 2025-06-30"),
        (date(2026, 3, 1), {"geography": "63"}, "cannot be divided", "geography of the day"),
        (END_2024, {"geography": "34"}, "no data of their own before 2025-07-01", "merge average"),
        (END_2024, {"geography": "34", "merge_method": "none"}, "no data of their own", "merge recomputed"),
        (END_2025, {"merge_method": "average"}, "average needs units of geography 63", "merge recomputed"),
        (date(2026, 3, 1), {"merge_method": "recomputed"}, "nothing to merge", "leave the merge method out"),
        (END_2024, {"merge_method": "average"}, "nothing to merge", "another geography"),
        (END_2024, {"geography": "35"}, "geography 35 has no units of level province", "34, 63"),
        (END_2024, {"year": 2025}, "year 2025 has not begun on 2024-12-31", "a later day"),
    ],
)
def test_what_cannot_be_had_is_refused_with_a_remedy(
    warehouse: Settings, as_of: date, asked: dict[str, Any], what: str, remedy: str
) -> None:
    with pytest.raises(MethodError) as fault:
        compute(as_of, "922-2022", **asked, settings=warehouse)
    assert what in str(fault.value)
    assert remedy in str(fault.value)
    assert ask(warehouse, "select * from marts.run") == []


@pytest.mark.parametrize(("as_of", "geography"), [(LAST_OF_63, "63"), (FIRST_OF_34, "34")])
def test_the_day_of_the_merger(warehouse: Settings, as_of: date, geography: str) -> None:
    finish(warehouse, OLD_DAK_LAK, "2025-06-30", finished=10, on_time=10)
    finish(warehouse, DAK_LAK, "2025-07-01", finished=10, on_time=0)
    run = compute(as_of, "922-2022", settings=warehouse)
    unit = OLD_DAK_LAK if geography == "63" else DAK_LAK
    assert indicator(warehouse, run.run_id, "7.5", unit)["denominator"] == (10 if geography == "63" else 20)
