"""A merge keeps each key once, in its newest state, whatever comes in whatever order, and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from dti import lake
from dti.feeds import load_contract
from dti.gate.schema import passed_schema
from dti.lake import merging

FEED = "online_services"
JULY, AUGUST = date(2025, 7, 20), date(2025, 8, 1)


def test_the_first_merge_makes_the_table_in_the_shape_of_the_contract(settings, passed, dossier, content):
    assert lake.version(FEED, settings=settings) is None
    version = lake.merge(FEED, [passed([dossier("H1"), dossier("H2", opened=JULY)])], settings=settings)

    assert version == lake.version(FEED, settings=settings)
    table = DeltaTable(settings.lake_dir / FEED)
    assert table.metadata().partition_columns == ["partition_key"]
    wanted = passed_schema(load_contract(FEED))
    assert [field.name for field in table.schema().fields] == wanted.names
    rows = content("dossier_id, partition_key, fee_vnd::VARCHAR, opened_at::VARCHAR, _source_id")
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        ("H1", "2025-08", "15000.500000", "portal"),
        ("H2", "2025-07", "15000.500000", "portal"),
    ]


def test_a_dossier_that_changes_state_stays_one_row_in_its_partition(settings, passed, dossier, content):
    lake.merge(FEED, [passed([dossier("H1", 2, opened=JULY), dossier("H2", 2)])], settings=settings)
    lake.merge(FEED, [passed([dossier("H1", 9, updated=2, opened=JULY)])], settings=settings)
    assert content("dossier_id, status_code, partition_key") == [("H1", 9, "2025-07"), ("H2", 2, "2025-08")]


def test_a_stale_state_does_not_come_back(settings, passed, dossier, content):
    older, newer = passed([dossier("H1", 4, updated=2)]), passed([dossier("H1", 9, updated=5)])
    late = passed([dossier("H1", 2, updated=1)])
    lake.merge(FEED, [newer], settings=settings)
    version = lake.merge(FEED, [older], settings=settings)
    assert lake.merge(FEED, [late], settings=settings) == version
    assert content("dossier_id, status_code") == [("H1", 9)]


def test_of_equal_versions_the_later_landed_wins_whatever_the_order(settings, passed, dossier, content):
    first, second = passed([dossier("H1", 4)]), passed([dossier("H1", 5)])
    lake.merge(FEED, [second], settings=settings)
    lake.merge(FEED, [first], settings=settings)
    assert content("status_code") == [(5,)]


def test_without_a_version_column_the_later_landed_wins(settings, passed, content):
    def agency(staff: int) -> dict:
        day = date(2025, 6, 30)
        key = {"unit_id": "P34-66", "agency_code": "H15.14", "reported_on": day, "partition_key": "2025-06"}
        return key | {"agency_name": "Sở Tư pháp", "staff_total": staff, "has_focal_staff": True}

    first, second = passed([agency(40)], "staffing"), passed([agency(41)], "staffing")
    lake.merge("staffing", [first, second], settings=settings)
    assert content("staff_total", "staffing") == [(41,)]
    lake.merge("staffing", [first], settings=settings)
    assert content("staff_total", "staffing") == [(41,)]


def test_merging_the_same_again_changes_nothing_not_even_the_version(settings, passed, dossier):
    verdicts = [passed([dossier(f"H{i}") for i in range(50)], files=3), passed([dossier("H1", 9, updated=3)])]
    version = lake.merge(FEED, verdicts, settings=settings)
    before = lake.files(FEED, ["2025-08"], settings=settings)
    assert lake.merge(FEED, verdicts, settings=settings) == version
    assert lake.files(FEED, ["2025-08"], settings=settings) == before


def test_one_key_in_several_batches_of_one_merge_is_one_row(settings, passed, dossier, content):
    nights = [passed([dossier("H1", status, updated=status)]) for status in (2, 9, 4)]
    lake.merge(FEED, nights, settings=settings)
    assert content("status_code") == [(9,)]


def test_a_verdict_that_lets_nothing_through_is_fine(settings, passed, dossier, content):
    empty = lake.merge(FEED, [passed([])], settings=settings)
    assert lake.version(FEED, settings=settings) == empty
    assert content("1") == []
    lake.merge(FEED, [passed([]), passed([dossier("H1")])], settings=settings)
    assert content("dossier_id") == [("H1",)]


def test_a_row_of_another_feed_is_refused(settings, passed, dossier):
    with pytest.raises(lake.LakeError, match="not of feed staffing"):
        lake.merge("staffing", [passed([dossier("H1")])], settings=settings)


def test_each_commit_names_its_batches(settings, passed, dossier):
    verdicts = [passed([dossier("H1")]), passed([dossier("H2")]), passed([])]
    lake.merge(FEED, verdicts, settings=settings)
    newest = DeltaTable(settings.lake_dir / FEED).history(1)[0]
    assert newest["dti.batches"] == f"{verdicts[0].batch_id},{verdicts[1].batch_id}"


def test_partitions_of_other_months_are_not_even_read(settings, passed, dossier):
    lake.merge(FEED, [passed([dossier("H1", opened=JULY), dossier("H2")])], settings=settings)
    for file in lake.files(FEED, ["2025-07"], settings=settings):
        Path(file).write_bytes(b"this is no Parquet")
    lake.merge(FEED, [passed([dossier("H2", 9, updated=2)])], settings=settings)


def test_a_large_merge_is_cut_by_partitions_and_loses_nothing(settings, passed, dossier, content, monkeypatch):
    monkeypatch.setattr(merging, "ROWS_AT_ONCE", 25)
    months = [date(2025, month, 5) for month in range(1, 8)]
    rows = [dossier(f"H{month.month}-{i}", opened=month) for month in months for i in range(10)]
    first = passed(rows, files=4)
    version = lake.merge(FEED, [first], settings=settings)
    assert version == 4, "seven months of ten rows, two months a commit, and the commit that made the table"
    assert content("count(*), count(DISTINCT dossier_id)") == [(70, 70)]
    assert lake.merge(FEED, [first], settings=settings) == version


def test_a_contract_that_grew_gives_the_table_a_new_column(settings, passed, dossier, content):
    lake.merge(FEED, [passed([dossier("H1")])], settings=settings)
    table = DeltaTable(settings.lake_dir / FEED)
    shorter = [field for field in table.schema().fields if field.name not in {"is_satisfied", "due_on"}]
    DeltaTable.create(
        settings.lake_dir / FEED, type(table.schema())(shorter), mode="overwrite", partition_by="partition_key"
    )
    lake.merge(FEED, [passed([dossier("H2", is_satisfied=True, due_on=AUGUST)])], settings=settings)
    assert content("dossier_id, is_satisfied, due_on") == [("H2", True, AUGUST)]


def test_a_contract_that_changed_a_type_is_refused(settings, passed, dossier):
    lake.merge(FEED, [passed([dossier("H1")])], settings=settings)
    table = DeltaTable(settings.lake_dir / FEED)
    field = type(table.schema().fields[0])
    other = [field(f.name, "string") if f.name == "status_code" else f for f in table.schema().fields]
    DeltaTable.create(
        settings.lake_dir / FEED, type(table.schema())(other), mode="overwrite", partition_by="partition_key"
    )
    with pytest.raises(lake.LakeError, match="another type to status_code"):
        lake.merge(FEED, [passed([dossier("H2")])], settings=settings)


def test_two_writers_at_once_both_get_their_rows_in(settings, passed, dossier, content):
    lake.merge(FEED, [passed([dossier("H0")])], settings=settings)
    verdicts = [
        passed([dossier(f"H{writer}-{i}") for i in range(200)] + [dossier("H0", writer, updated=writer)])
        for writer in (2, 3, 4)
    ]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda verdict: lake.merge(FEED, [verdict], settings=settings), verdicts))
    assert content("count(*)") == [(601,)]
    assert content("dossier_id, status_code")[0] == ("H0", 4)


def test_a_writer_who_lost_the_race_reads_again_and_merges_once(settings, passed, dossier, content, monkeypatch):
    monkeypatch.setattr(merging, "_PAUSE_SECONDS", 0)
    lake.merge(FEED, [passed([dossier("H1", 2)])], settings=settings)
    faster, slower = passed([dossier("H1", 4, updated=2)]), passed([dossier("H1", 9, updated=3), dossier("H2")])
    honest, tries = merging._commit, []

    def overtaken_once(contract, table, *rest):
        tries.append(table.version())
        if len(tries) == 1:
            with monkeypatch.context() as aside:
                aside.setattr(merging, "_commit", honest)
                lake.merge(FEED, [faster], settings=settings)
        honest(contract, table, *rest)

    monkeypatch.setattr(merging, "_commit", overtaken_once)
    lake.merge(FEED, [slower], settings=settings)
    assert content("dossier_id, status_code") == [("H1", 9), ("H2", 2)]
    assert len(tries) == 2, "the first commit was refused, the second started from the newer version"
    assert tries[1] > tries[0]


def test_a_writer_who_always_loses_says_so(settings, passed, dossier, monkeypatch):
    def lose(*_):
        raise CommitFailedError("somebody was faster")

    monkeypatch.setattr(merging, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(merging, "_commit", lose)
    with pytest.raises(lake.LakeError, match="other writers were faster 5 times"):
        lake.merge(FEED, [passed([dossier("H1")])], settings=settings)


@hypothesis(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_grouping_of_batches_gives_the_same_lake(data, settings, passed, dossier, content):
    ids, opened = st.integers(1, 4), {1: JULY, 2: JULY, 3: AUGUST, 4: AUGUST}
    unique = st.lists(st.tuples(ids, st.integers(1, 10), st.integers(1, 5)), max_size=4, unique_by=lambda r: r[0])
    batches = data.draw(st.lists(unique, min_size=1, max_size=5))
    feed_dir = settings.lake_dir / FEED
    verdicts = [passed([dossier(f"H{i}", s, u, opened[i]) for i, s, u in rows]) for rows in batches]
    expected = {}
    for number, rows in enumerate(batches):
        for i, status, updated in rows:
            if (updated, number) >= expected.get(i, ((0, 0), 0))[0]:
                expected[i] = ((updated, number), status)

    cut = data.draw(st.integers(0, len(verdicts)))
    shuffled = data.draw(st.permutations(verdicts))
    for group in (shuffled[:cut], shuffled[cut:], data.draw(st.permutations(verdicts))):
        lake.merge(FEED, group, settings=settings)
    assert content("dossier_id, status_code") == sorted((f"H{i}", status) for i, (_, status) in expected.items())
    feed_dir.rename(settings.home_dir / f"done-{len(list(settings.home_dir.glob('done-*')))}")
