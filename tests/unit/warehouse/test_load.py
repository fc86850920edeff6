from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect, state
from dti.warehouse.load import Receipt, load_feed
from tests.builders.facts import online_services
from tests.builders.receipts import failed, line, manifest, receipt

FEED = "online_services"


def ask(settings: Settings, question: str) -> list[tuple[object, ...]]:
    with connect.connect(settings, "owner") as connection:
        return connection.execute(question.encode()).fetchall()


def counts(settings: Settings) -> list[tuple[object, ...]]:
    return ask(
        settings, "SELECT partition_key, sum(dossiers_received)::int FROM facts.online_services GROUP BY 1 ORDER BY 1"
    )


def test_a_load_replaces_its_partitions_and_no_other(warehouse: Settings) -> None:
    january = {"partition_key": "2026-01", "day": date(2026, 1, 5)}
    load_feed(FEED, online_services(january, {}), ["2026-01", "2026-03"], [], 1, settings=warehouse)
    more = [{"procedure_code": f"1.00000{n}"} for n in range(5)]
    load_feed(FEED, online_services(*more), ["2026-03"], [], 2, settings=warehouse)
    assert counts(warehouse) == [("2026-01", 1), ("2026-03", 5)]
    assert state.lake_version(FEED, settings=warehouse) == 2
    load_feed(FEED, None, ["2026-03"], [], 3, settings=warehouse)
    assert counts(warehouse) == [("2026-01", 1)]


def test_loading_the_same_again_changes_nothing(warehouse: Settings, tmp_path: Path) -> None:
    batch = receipt(tmp_path, quarantined=2)
    for _ in range(3):
        load_feed(FEED, online_services({}), ["2026-03"], [batch], 1, settings=warehouse)
    assert counts(warehouse) == [("2026-03", 1)]
    assert ask(warehouse, "SELECT rows_landed, rows_loaded, rows_quarantined FROM ops.batch") == [(3, 1, 2)]
    assert ask(
        warehouse, "SELECT count(*)::int FROM ops.quarantine UNION ALL SELECT count(*) FROM ops.quality_result"
    ) == [
        (2,),
        (1,),
    ]


def test_a_load_writes_only_the_days_that_differ(warehouse: Settings) -> None:
    days = [{"day": date(2026, 3, n), "procedure_code": f"1.00000{m}"} for n in (1, 2, 3, 4) for m in (1, 2)]
    where = "SELECT day, procedure_code, dossiers_received::int, tableoid::int, ctid::text FROM facts.online_services"
    load_feed(FEED, online_services(*days), ["2026-03"], [], 1, settings=warehouse)
    before = ask(warehouse, where)
    assert load_feed(FEED, online_services(*reversed(days)), ["2026-03"], [], 2, settings=warehouse).rows == len(days)
    assert sorted(ask(warehouse, where)) == sorted(before)

    days[2] |= {"dossiers_received": 5}  # one figure of the 2nd, one row less on the 3rd, one more on the 4th
    changed = [*days[:4], *days[5:], {"day": date(2026, 3, 4), "procedure_code": "1.000003"}]
    load_feed(FEED, online_services(*changed), ["2026-03"], [], 3, settings=warehouse)
    after = ask(warehouse, where)
    assert sorted(row[:3] for row in after) == sorted(
        (row["day"], row["procedure_code"], row.get("dossiers_received", 1)) for row in changed
    )
    stayed = {row[0] for row in {*before} & {*after}}
    assert stayed == {date(2026, 3, 1)}


@pytest.mark.parametrize("known", [[{}], [{}, {"day": date(2026, 3, 2)}]])
def test_a_fact_that_comes_twice_is_refused_on_a_day_that_is_what_it_was_too(
    warehouse: Settings, known: list[dict[str, object]]
) -> None:
    load_feed(FEED, online_services(*known), ["2026-03"], [], 1, settings=warehouse)
    with pytest.raises(WarehouseError, match=r"duplicated|already exists"):
        load_feed(FEED, online_services({}, {}), ["2026-03"], [], 2, settings=warehouse)
    assert counts(warehouse) == [("2026-03", len(known))]


def test_a_batch_judged_anew_replaces_its_own_lines_only(warehouse: Settings, tmp_path: Path) -> None:
    other = receipt(tmp_path, manifest("sandbox-dossiers-79"), quarantined=1)
    load_feed(FEED, None, [], [receipt(tmp_path, quarantined=3), other], None, settings=warehouse)
    load_feed(FEED, None, [], [receipt(tmp_path, quarantined=1)], None, settings=warehouse)
    assert ask(
        warehouse,
        "SELECT source_id, rows_quarantined, count(*)::int FROM ops.batch JOIN ops.quarantine USING (batch_id) "
        "GROUP BY 1, 2 ORDER BY 1",
    ) == [("sandbox-dossiers-66", 1, 1), ("sandbox-dossiers-79", 1, 1)]


def test_loads_of_a_feed_are_counted_and_a_batch_stays_with_the_load_that_first_decided_it(
    warehouse: Settings, tmp_path: Path
) -> None:
    first, second = receipt(tmp_path), receipt(tmp_path, manifest("sandbox-dossiers-79"))
    assert load_feed(FEED, None, [], [], None, settings=warehouse).load_number == 0
    assert load_feed(FEED, online_services({}), ["2026-03"], [first], 1, settings=warehouse).load_number == 1
    was = ask(warehouse, "SELECT load_number, units_hash, loaded_at FROM ops.batch")
    with connect.connect(warehouse, "loader") as driver:
        driver.execute(
            "INSERT INTO ops.input_seen (kind, name, content_hash) VALUES "
            "('aliases', 'aliases', 'old'), ('aliases', 'aliases', 'new'), ('framework', 'x', 'other')"
        )
    assert load_feed(FEED, None, [], [first, second], None, settings=warehouse).load_number == 2
    assert load_feed(FEED, None, [], [], None, settings=warehouse).load_number == 2
    assert ask(warehouse, "SELECT load_number, units_hash, loaded_at FROM ops.batch WHERE load_number = 1") == was
    assert ask(warehouse, "SELECT load_number, units_hash FROM ops.batch WHERE load_number > 1") == [(2, "new")]
    assert load_feed("staffing", None, [], [failed()], None, settings=warehouse).load_number == 1


def test_a_failure_in_the_middle_leaves_everything_as_it_was(warehouse: Settings, tmp_path: Path) -> None:
    load_feed(FEED, online_services({}), ["2026-03"], [], 1, settings=warehouse)
    schema = online_services({}).schema

    def broken() -> Iterator[pa.RecordBatch]:
        yield from online_services({"procedure_code": "2.000001"})
        raise OSError("the lake's disk went away")

    with pytest.raises(OSError, match="disk"):
        load_feed(
            FEED,
            pa.RecordBatchReader.from_batches(schema, broken()),
            ["2026-03"],
            [receipt(tmp_path)],
            2,
            settings=warehouse,
        )
    assert ask(warehouse, "SELECT procedure_code FROM facts.online_services") == [("1.000656",)]
    assert state.decided_batches(FEED, settings=warehouse) == set()
    assert state.lake_version(FEED, settings=warehouse) == 1
    assert ask(warehouse, "SELECT feed, load_number FROM ops.feed_load") == [(FEED, 1)]


def test_readers_see_the_old_facts_until_the_new_ones_are_whole(warehouse: Settings) -> None:
    load_feed(FEED, online_services({}), ["2026-03"], [], 1, settings=warehouse)
    half_way, go_on = threading.Event(), threading.Event()
    schema = online_services({}).schema

    def slow() -> Iterator[pa.RecordBatch]:
        yield from online_services({"procedure_code": "2.000001"}, {"procedure_code": "2.000002"})
        half_way.set()
        go_on.wait(20)

    reader = pa.RecordBatchReader.from_batches(schema, slow())
    loading = threading.Thread(
        target=load_feed, args=(FEED, reader, ["2026-03"], [], 2), kwargs={"settings": warehouse}
    )
    loading.start()
    assert half_way.wait(20)
    assert counts(warehouse) == [("2026-03", 1)]
    go_on.set()
    loading.join(20)
    assert counts(warehouse) == [("2026-03", 2)]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{}, {}], "already exists"),
        ([{"partition_key": "2026-04"}], "partition_key not expected: 2026-04"),
        ([{"unit_id": "P34-99"}], "unit_id not expected: P34-99"),
        ([{"unit_id": None}], "unit_id not expected: None"),
        ([{"day": None}], "day"),
    ],
)
def test_facts_that_would_be_wrong_are_refused_by_name(
    warehouse: Settings, rows: list[dict[str, object]], told: str
) -> None:
    with pytest.raises(WarehouseError, match=told) as caught:
        load_feed(FEED, online_services(*rows), ["2026-03"], [], 1, settings=warehouse)
    assert FEED in caught.value.where
    assert caught.value.remedy
    assert counts(warehouse) == []


def test_columns_that_differ_are_named(warehouse: Settings) -> None:
    table = online_services({}).read_all()
    wrong = table.rename_columns([n if n != "dossiers_early" else "dossiers_soon" for n in table.column_names])
    with pytest.raises(WarehouseError, match="dossiers_early, dossiers_soon"):
        load_feed(FEED, wrong.to_reader(), ["2026-03"], [], 1, settings=warehouse)
    shuffled = table.select(sorted(table.column_names))
    load_feed(FEED, shuffled.to_reader(), ["2026-03"], [], 1, settings=warehouse)
    assert counts(warehouse) == [("2026-03", 1)]


def test_older_facts_never_replace_newer_ones(warehouse: Settings) -> None:
    load_feed(FEED, online_services({}), ["2026-03"], [], 7, settings=warehouse)
    with pytest.raises(WarehouseError, match="version 7, newer than 6"):
        load_feed(FEED, None, ["2026-03"], [], 6, settings=warehouse)
    assert counts(warehouse) == [("2026-03", 1)]
    state.forget_lake(FEED, settings=warehouse)
    load_feed(FEED, None, ["2026-03"], [], 0, settings=warehouse)
    assert state.lake_version(FEED, settings=warehouse) == 0


def test_failed_and_stopped_batches_are_recorded_with_their_reasons(warehouse: Settings, tmp_path: Path) -> None:
    stopped = receipt(tmp_path, manifest("sandbox-dossiers-79", rows=5), status="stopped")
    load_feed(FEED, None, [], [failed(), stopped], None, settings=warehouse)
    assert ask(
        warehouse,
        "SELECT status, rows_landed, rows_quarantined, coalesce(stopped_reason, fault_what) FROM ops.batch ORDER BY 1",
    ) == [("failed", 0, 0, "no answer in 30 s"), ("stopped", 5, 5, "no row has a key")]
    assert state.decided_batches(FEED, settings=warehouse) == {failed().manifest.batch_id, stopped.manifest.batch_id}
    assert state.decided_batches("staffing", settings=warehouse) == set()


def test_strange_characters_of_an_agency_do_not_stop_the_night(warehouse: Settings, tmp_path: Path) -> None:
    odd = 'a"b,\n\\N\x00 Đắk'
    record = '{"unit": "x\\u0000", "path": "C:\\\\\\\\u0000"}'
    lines = [line(0, reason=odd, key_text="", record=record), line(1, key_text=None)]
    batch = receipt(tmp_path, quarantined=2, lines=lines)
    load_feed(FEED, online_services({"procedure_code": odd}), ["2026-03"], [batch], 1, settings=warehouse)
    clean = odd.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    assert ask(warehouse, "SELECT procedure_code FROM facts.online_services") == [(clean,)]
    assert ask(
        warehouse,
        "SELECT reason, key_text, record ->> 'unit', record ->> 'path' FROM ops.quarantine ORDER BY row_number",
    ) == [
        (clean, "", "x\N{REPLACEMENT CHARACTER}", "C:\\\\u0000"),
        ("unit 'Đắc Lắcc' is not known", None, "Đắc Lắcc", None),
    ]


def test_a_receipt_that_does_not_hold_together_is_no_receipt(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="has a verdict"):
        Receipt(manifest=manifest(), verdict=None)
    with pytest.raises(ValidationError, match="with 3 rows"):
        Receipt(manifest=manifest(rows=4), verdict=receipt(tmp_path).verdict)


def test_two_loads_of_one_feed_wait_for_one_another(warehouse: Settings) -> None:
    def load(version: int) -> None:
        rows = [{"procedure_code": f"{version}.{n:06d}"} for n in range(200)]
        load_feed(FEED, online_services(*rows), ["2026-03"], [], 1, settings=warehouse)

    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counts(warehouse) == [("2026-03", 200)]
