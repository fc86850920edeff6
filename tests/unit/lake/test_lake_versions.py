"""What changed since a version is known exactly, and all is given when it cannot be known."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from deltalake import DeltaTable

from dti import lake
from dti.rollup import rollup

FEED = "online_services"
JUNE, JULY, AUGUST = date(2025, 6, 20), date(2025, 7, 20), date(2025, 8, 1)


def test_nothing_was_merged_yet(settings):
    assert lake.version(FEED, settings=settings) is None
    assert lake.changed_partitions(FEED, None, settings=settings) == []
    assert lake.changed_partitions(FEED, 3, settings=settings) == []
    assert lake.files(FEED, ["2025-08"], settings=settings) == []


def test_only_the_partitions_touched_since_a_version_are_changed(settings, passed, dossier):
    def changed(since):
        return lake.changed_partitions(FEED, since, settings=settings)

    first = lake.merge(
        FEED, [passed([dossier("H6", opened=JUNE), dossier("H7", opened=JULY), dossier("H8")])], settings=settings
    )
    assert changed(None) == ["2025-06", "2025-07", "2025-08"]
    assert changed(first) == []
    second = lake.merge(FEED, [passed([dossier("H7", 9, 2, JULY), dossier("H6", 1, 1, JUNE)])], settings=settings)
    third = lake.merge(FEED, [passed([dossier("H9")])], settings=settings)
    assert changed(first) == ["2025-06", "2025-07", "2025-08"]
    assert changed(second) == ["2025-08"]
    assert changed(third) == []
    lake.merge(FEED, [passed([dossier("H7", 2, 1, JULY)])], settings=settings)
    assert changed(third) == [], "a stale row moves nothing"


def test_files_are_those_of_the_partitions_asked_for(settings, passed, dossier):
    lake.merge(
        FEED, [passed([dossier("H6", opened=JUNE), dossier("H7", opened=JULY), dossier("H8")])], settings=settings
    )
    files = lake.files(FEED, ["2025-06", "2025-08"], settings=settings)
    assert [file.split("partition_key=")[1].split("/")[0] for file in files] == ["2025-06", "2025-08"]
    assert all(file.startswith(str(settings.lake_dir)) for file in files)
    assert lake.files(FEED, [], settings=settings) == []
    assert lake.files(FEED, ["1999-01"], settings=settings) == []


def test_a_home_may_have_a_vietnamese_name(settings, passed, dossier):
    home = settings.model_copy(update={"home": settings.home_dir / "Tỉnh Đắk Lắk"})
    lake.merge(FEED, [passed([dossier("H8")])], settings=home)
    (file,) = lake.files(FEED, ["2025-08"], settings=home)
    assert pq.read_metadata(file).num_rows == 1
    assert rollup(FEED, [file], settings=home).read_all().num_rows == 0, "read, and nothing received to count"
    assert lake.sweep(FEED, settings=home) == []
    assert Path(file).is_file()


def test_a_rebuilt_lake_counts_anew_so_everything_changed(settings, passed, dossier):
    verdict = passed([dossier("H8")])
    lake.merge(FEED, [verdict], settings=settings)
    lake.merge(FEED, [passed([dossier("H8", 9, 2)])], settings=settings)
    reflected = lake.merge(FEED, [passed([dossier("H8", 10, 3)])], settings=settings)
    shutil.rmtree(settings.lake_dir)
    lake.merge(FEED, [verdict], settings=settings)
    assert lake.changed_partitions(FEED, reflected, settings=settings) == ["2025-08"]


def test_a_version_whose_log_is_gone_means_everything_changed(settings, passed, dossier):
    first = lake.merge(FEED, [passed([dossier("H7", opened=JULY)])], settings=settings)
    for day in range(2, 5):
        lake.merge(FEED, [passed([dossier("H8", 2, day)])], settings=settings)
    assert lake.changed_partitions(FEED, first, settings=settings) == ["2025-08"]
    DeltaTable(settings.lake_dir / FEED).create_checkpoint()
    log = settings.lake_dir / FEED / "_delta_log"
    for entry in sorted(log.glob("0*.json"))[: first + 2]:
        entry.unlink()
    assert lake.changed_partitions(FEED, first, settings=settings) == ["2025-07", "2025-08"]
