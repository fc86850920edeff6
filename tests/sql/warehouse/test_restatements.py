"""Given loads of a feed one after another, expect which days are recorded as restated, late or withdrawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from dti.clock import day_end
from dti.settings import Settings
from dti.warehouse import connect, state
from dti.warehouse.load import Loaded, load_feed
from dti.warehouse.query import run_select
from tests.builders.facts import online_services
from tests.builders.receipts import manifest, receipt

SOURCE = "sandbox-dossiers-66"
FIRST = date(2026, 3, 1)
Row = dict[str, Any]


def day(number: int) -> date:
    return date(2026, 3, number)


class Loads:
    """Loads of one feed: each replaces partitions by rows, and says which nights of the source came with it."""

    def __init__(self, settings: Settings, folder: Path, feed: str = "online_services") -> None:
        self.settings, self.folder, self.feed, self.count = settings, folder, feed, 0
        self.schema: pa.Schema | None = None

    def load(
        self,
        rows: Sequence[Row],
        *nights: date,
        partitions: Sequence[str] = ("2026-03",),
        sources: Sequence[str] = (SOURCE,),
    ) -> Loaded:
        self.count += 1
        receipts = [
            receipt(self.folder, manifest(source, night, feed=self.feed, started_at=at(night, self.count)))
            for source in sources
            for night in nights
        ]
        facts = self.facts(rows) if rows else None
        return load_feed(self.feed, facts, list(partitions), receipts, self.count, settings=self.settings)

    def facts(self, rows: Sequence[Row]) -> pa.RecordBatchReader:
        if self.feed == "online_services":
            return online_services(*rows)
        plain: Row = {"partition_key": "2026-03", "day": FIRST, "unit_id": "P34-66", "source_id": SOURCE}
        return pa.Table.from_pylist([plain | row for row in rows], self.schema).to_reader()

    def recorded(self, columns: str = "day, kind, changes") -> list[tuple[object, ...]]:
        with connect.connect(self.settings, "owner") as driver:
            query = f"SELECT {columns} FROM ops.restatement ORDER BY restatement_number"
            return driver.execute(query.encode()).fetchall()


def at(night: date, count: int) -> datetime:
    return day_end(night) + timedelta(hours=1, seconds=count)


@pytest.fixture
def loads(warehouse: Settings, tmp_path: Path) -> Loads:
    return Loads(warehouse, tmp_path)


def test_a_first_load_and_a_new_night_restate_nothing(loads: Loads) -> None:
    assert loads.load([{"day": day(1)}, {"day": day(2)}], day(2)) == Loaded(1, 2)
    assert loads.load([{"day": day(n)} for n in (1, 2, 3)], day(3)) == Loaded(2, 3)
    assert loads.recorded() == []


def test_a_day_with_other_figures_is_restated_by_the_batches_of_its_source(loads: Loads) -> None:
    loads.load([{"day": day(1)}, {"day": day(2)}], day(2))
    loaded = loads.load([{"day": day(1), "dossiers_received": 5, "dossiers_online": 2}, {"day": day(2)}], day(3))
    assert loaded == Loaded(2, 2, 1, (2026,))
    assert loads.recorded("feed, load_number, source_id, unit_id, day, kind, changes, batch_ids") == [
        (
            "online_services",
            2,
            SOURCE,
            "P34-66",
            day(1),
            "restated",
            {"dossiers_received": [1, 5], "dossiers_online": [0, 2]},
            [manifest(SOURCE, day(3), started_at=at(day(3), 2)).batch_id],
        )
    ]


def test_the_day_that_was_not_over_yet_grows_without_being_restated(loads: Loads) -> None:
    loads.load([{"day": day(1)}, {"day": day(2)}], day(1))  # pulled at one in the morning of the 2nd
    assert loads.load([{"day": day(1)}, {"day": day(2), "dossiers_received": 40}], day(2)).restated_days == 0
    assert loads.load([{"day": day(1)}, {"day": day(2), "dossiers_received": 41}], day(2)).restated_days == 1


def test_a_day_that_comes_after_later_ones_is_late_and_one_whose_facts_go_is_withdrawn(loads: Loads) -> None:
    loads.load([{"day": day(1)}, {"day": day(3)}], day(3))
    loads.load([{"day": day(1)}, {"day": day(2), "dossiers_received": 7}, {"day": day(3)}], day(4))
    loads.load([{"day": day(1)}, {"day": day(2), "dossiers_received": 7}], day(5))
    (late, withdrawn) = loads.recorded()
    assert late[:2] == (day(2), "late")
    assert (late[2]["rows"], late[2]["dossiers_received"]) == ([None, 1], [None, 7])
    assert withdrawn[:2] == (day(3), "withdrawn")
    assert (withdrawn[2]["rows"], withdrawn[2]["dossiers_received"]) == ([1, None], [1, None])


def test_days_that_a_dead_source_catches_up_on_are_not_late(loads: Loads) -> None:
    loads.load([{"day": day(1)}], day(1))
    assert loads.load([{"day": day(n)} for n in (1, 2, 3, 4)], day(4)).restated_days == 0


def test_a_day_without_dossiers_in_another_unit_says_nothing_of_this_one(loads: Loads) -> None:
    other = {"unit_id": "P34-68"}
    loads.load([{"day": day(1)}, {"day": day(4)} | other], day(4))
    assert loads.load([{"day": day(1)}, {"day": day(3)}, {"day": day(4)} | other], day(5)).restated_days == 0


def test_loading_the_same_again_or_a_lake_built_anew_records_nothing(loads: Loads) -> None:
    rows = [{"day": day(n), "procedure_code": f"1.00000{n}"} for n in (1, 2, 3)]
    loads.load(rows, day(3))
    assert loads.load(rows, day(3)).restated_days == 0
    state.forget_lake("online_services", settings=loads.settings)
    assert loads.load(list(reversed(rows))).restated_days == 0


def test_figures_are_told_over_all_partitions_of_the_day(loads: Loads) -> None:
    old = {"partition_key": "2026-01", "day": day(1), "dossiers_received": 0, "dossiers_finished": 10}
    loads.load([old, {"day": day(1), "dossiers_received": 3}], day(2), partitions=["2026-01", "2026-03"])
    loads.load([{"day": day(1), "dossiers_received": 3, "dossiers_finished": 1}], day(3))
    assert loads.recorded() == [(day(1), "restated", {"dossiers_finished": [10, 11]})]
    loads.load([], day(4))
    assert loads.recorded()[1:] == [
        (day(1), "restated", {"rows": [2, 1], "dossiers_received": [3, 0], "dossiers_finished": [11, 10]})
    ]


def test_rows_that_differ_behind_the_same_sums_are_seen(loads: Loads) -> None:
    loads.load([{"day": day(1)}, {"day": day(1), "procedure_code": "2.000001", "dossiers_received": 4}], day(2))
    loads.load([{"day": day(1), "dossiers_received": 4}, {"day": day(1), "procedure_code": "2.000001"}], day(3))
    ((at_day, kind, changes),) = loads.recorded()
    assert (at_day, kind, list(changes)) == (day(1), "restated", ["content"])


def test_a_source_that_is_new_beside_others_restates_nothing(loads: Loads) -> None:
    loads.load([{"day": day(1)}], day(1))
    new = [{"day": day(n), "source_id": "sandbox-dossiers-68", "unit_id": "P34-68"} for n in (1, 2)]
    loaded = loads.load([{"day": day(1)}, *new], day(2), sources=[SOURCE, "sandbox-dossiers-68"])
    assert loaded.restated_days == 0


def test_facts_that_change_without_a_batch_name_none(loads: Loads) -> None:
    loads.load([{"day": day(1)}], day(1))
    loads.load([{"day": day(1), "dossiers_early": 1}])
    assert loads.recorded("kind, batch_ids") == [("restated", [])]


def test_a_failed_load_records_nothing(loads: Loads) -> None:
    loads.load([{"day": day(1)}], day(1))
    twice = {"day": day(1), "dossiers_received": 9}
    with pytest.raises(Exception, match="already exists"):
        loads.load([twice, twice], day(2))
    assert loads.recorded() == []


def test_a_stated_figure_is_told_by_metric_year_and_basis(warehouse: Settings, tmp_path: Path) -> None:
    loads = Loads(warehouse, tmp_path, "declarations")
    kept = {"period_year": 2025, "metric": "a", "basis": "declared", "value": Decimal("1.50"), "evidence_ref": "1/QĐ"}
    loads.load([kept, kept | {"metric": "b"}], day(2))
    loads.load([kept, kept | {"metric": "b", "value": Decimal("2.00")}], day(3))
    loads.load([kept | {"evidence_ref": "2/QĐ"}, kept | {"metric": "b", "value": Decimal("2.00")}], day(4))
    first, second = loads.recorded()
    assert first == (FIRST, "restated", {"2025 b declared": [1.5, 2]})
    assert list(second[2]) == ["content"]


def test_what_was_never_measured_is_told_apart_from_nought(warehouse: Settings, tmp_path: Path) -> None:
    loads = Loads(warehouse, tmp_path, "data_centre")
    sampled = {
        "data_centre_id": "dc",
        "data_centre_up_seconds": Decimal("86400.000000"),
        "data_centre_expected_seconds": Decimal(86400),
        "cpu_utilisation_avg_pct": 1 / 3,
        "memory_utilisation_avg_pct": 0.1 + 0.2,
        "storage_utilisation_avg_pct": None,
        "servers_total": None,
        "servers_with_antimalware": None,
    }
    full = sampled | {"data_centre_id": "full", "storage_utilisation_avg_pct": 0.5, "servers_total": 0}
    full |= {"servers_with_antimalware": 0}
    plain = {"partition_key": "2026-03", "day": FIRST, "unit_id": "P34-66", "source_id": SOURCE}
    loads.schema = pa.Table.from_pylist([plain | full]).schema
    loads.load([full, sampled], day(2))
    loads.load([full, sampled | {"memory_utilisation_avg_pct": 0.3}], day(3))
    assert loads.recorded() == []
    loads.load([full | {"servers_total": None}, sampled | {"servers_with_antimalware": 4}], day(4))
    assert loads.recorded() == [
        (FIRST, "restated", {"servers_total": [0, None], "servers_with_antimalware": [0, 4]}),
    ]


def test_the_mart_names_agency_unit_and_year(loads: Loads) -> None:
    loads.load([{"day": day(1)}], day(1))
    loads.load([{"day": day(1), "dossiers_received": 2}], day(2))
    columns = "agency, unit_name, year, kind, changes"
    _, rows = run_select(f"select {columns} from restatement", loads.settings)
    assert list(rows) == [("Tỉnh Đắk Lắk", "Đắk Lắk", 2026, "restated", {"dossiers_received": [1, 2]})]


FACT = st.fixed_dictionaries(
    {
        "partition_key": st.sampled_from(["2026-01", "2026-03"]),
        "day": st.integers(1, 4).map(day),
        "procedure_code": st.sampled_from(["1.000001", "1.000002"]),
        "dossiers_received": st.integers(0, 3),
        "dossiers_online": st.integers(0, 3),
    }
)
FACTS = st.lists(FACT, max_size=6, unique_by=lambda row: (row["partition_key"], row["day"], row["procedure_code"]))


def sums(driver: psycopg.Connection) -> dict[date, dict[str, int]]:
    query = "SELECT day, count(*), sum(dossiers_received), sum(dossiers_online) FROM facts.online_services GROUP BY day"
    names = ("rows", "dossiers_received", "dossiers_online")
    return {row[0]: dict(zip(names, map(int, row[1:]), strict=True)) for row in driver.execute(query.encode())}


@given(st.lists(st.tuples(FACTS, st.sets(st.sampled_from(["2026-01", "2026-03"]), min_size=1)), max_size=3), FACTS)
@budget(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_recorded_changes_lead_from_the_first_sums_to_the_last(
    loads: Loads, later: list[tuple[list[Row], set[str]]], first: list[Row]
) -> None:
    with connect.connect(loads.settings, "owner") as driver:
        driver.execute("TRUNCATE facts.online_services, ops.restatement, ops.batch, ops.lake_state CASCADE")
        driver.commit()
        latest = {"day": day(5), "procedure_code": "9.999999", "dossiers_received": 1}
        loads.load([*first, latest], day(5), partitions=["2026-01", "2026-03"])
        expected: dict[date, dict[str, int]] = defaultdict(dict, sums(driver))
        driver.commit()
        for rows, partitions in later:
            kept = [row for row in rows if row["partition_key"] in partitions]
            kept += [latest] if "2026-03" in partitions else []
            loads.load(kept, day(6), partitions=sorted(partitions))
        for at_day, changes in loads.recorded("day, changes"):
            for name, (was, became) in changes.items():
                if name in ("rows", "dossiers_received", "dossiers_online"):
                    assert expected[at_day].pop(name, None) == was
                    expected[at_day] |= {} if became is None else {name: became}
        assert {at_day: figures for at_day, figures in expected.items() if figures} == sums(driver)
