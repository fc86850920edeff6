"""The lake in an object store: as on a disk, also when two write at once and when one is killed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import pytest

from dti import lake
from dti.gate import Verdict
from dti.lake.table import open_table
from dti.settings import Settings
from dti.store.bucket import bucket_of
from tests.builders.object_store import ObjectStore

FEED = "online_services"


@pytest.fixture
def here(settings: Settings, object_store: ObjectStore, store_keys: None) -> Settings:
    return object_store.settings(settings)


def held(settings: Settings) -> list[tuple[Any, ...]]:
    partitions = lake.changed_partitions(FEED, None, settings=settings)
    with lake.at_hand(FEED, partitions, settings=settings) as files, duckdb.connect() as db:
        rows = db.read_parquet(files, hive_partitioning=True, union_by_name=True)
        return rows.project("dossier_id, status_code, partition_key").order("dossier_id").fetchall()


def test_two_merges_at_once_both_stand_and_nothing_is_doubled(
    here: Settings, passed: Callable[..., Verdict], dossier: Callable[..., Any]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        for number in range(3):  # the first of them also make the table, both at once
            rows = [[dossier("shared", number)], [dossier("shared", number), dossier(f"D{number}")]]
            verdicts = [passed(each) for each in rows]
            ends = [pool.submit(lake.merge, FEED, [verdict], settings=here) for verdict in verdicts]
            assert [each.result() is not None for each in ends] == [True, True]
    assert [row[0] for row in held(here)] == ["D0", "D1", "D2", "shared"]
    assert open_table(FEED, here) is not None


def test_what_a_killed_merge_left_is_swept_and_nothing_else(
    here: Settings, object_store: ObjectStore, passed: Callable[..., Verdict], dossier: Callable[..., Any]
) -> None:
    lake.merge(FEED, [passed([dossier("A"), dossier("B")])], settings=here)
    lake.merge(FEED, [passed([dossier("A", 3, updated=2)])], settings=here)
    before, rows = object_store.keys(here), held(here)
    assert lake.sweep(FEED, settings=here) == []
    orphan = "partition_key=2025-08/part-00000-dead.snappy.parquet"
    bucket_of(here).replace(f"lake/{FEED}/{orphan}", b"of no version")
    assert lake.sweep(FEED, settings=here) == [orphan]
    assert (object_store.keys(here), held(here)) == (before, rows)
    assert lake.changed_partitions(FEED, 1, settings=here) == ["2025-08"], "older versions can still be read"
