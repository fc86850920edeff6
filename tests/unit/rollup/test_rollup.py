"""The rollup's boundary: which files it reads, how it streams, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dti.errors import ConfigError, DtiError
from dti.rollup import rollup
from dti.settings import Settings


def _part(folder: Path, partition_key: str, name: str, **columns: list[object]) -> str:
    path = folder / f"partition_key={partition_key}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_partition_stays_text_and_a_column_older_files_lack_is_null(tmp_path: Path, settings: Settings) -> None:
    old = _part(
        tmp_path, "2025", "old.parquet", unit_id=["P63-66"], metric=["grdp"], basis=["declared"], _source_id=["s'1"]
    )
    new = _part(
        tmp_path, "2026-01", "new's.parquet", unit_id=["P34-66"], metric=["grdp"], basis=["declared"],
        _source_id=["s2"], evidence_ref=["12/BC"],
    )  # fmt: skip
    facts = rollup("declarations", [old, new], settings=settings).read_all().sort_by("partition_key")
    assert facts["partition_key"].to_pylist() == ["2025", "2026-01"]
    assert facts["source_id"].to_pylist() == ["s'1", "s2"]
    assert facts["evidence_ref"].to_pylist() == [None, "12/BC"]


def test_facts_come_in_batches_within_the_memory_limit(tmp_path: Path, settings: Settings) -> None:
    count = 300_000
    many = _part(
        tmp_path, "2026-01", "many.parquet", unit_id=["P34-66"] * count, metric=[f"m{n}" for n in range(count)],
        basis=["declared"] * count, _source_id=["s"] * count,
    )  # fmt: skip
    reader = rollup("declarations", [many], settings=settings.model_copy(update={"rollup_memory_limit": "200MB"}))
    sizes = [batch.num_rows for batch in reader]
    assert sum(sizes) == count
    assert max(sizes) <= 100_000


def test_a_lake_file_that_is_gone_names_the_rollup_and_the_remedy(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(DtiError, match="staffing") as caught:
        rollup("staffing", [str(tmp_path / "partition_key=2026-01" / "gone.parquet")], settings=settings).read_all()
    assert caught.value.where.endswith("include/sql/rollup/staffing.sql")
    assert "load the feed again" in caught.value.remedy


def test_a_feed_without_a_rollup_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="has no rollup"):
        rollup("weather", [], settings=settings)


def test_a_broken_lake_file_is_told_even_when_it_breaks_half_way(tmp_path: Path, settings: Settings) -> None:
    file = Path(
        _part(tmp_path, "2026-01", "broken.parquet", unit_id=["P34-66"] * 9, metric=["grdp"] * 9, _source_id=["s"] * 9)
    )
    whole = file.read_bytes()
    middle = len(whole) // 4
    file.write_bytes(whole[:4] + b"\xff" * middle + whole[4 + middle :])
    with pytest.raises(DtiError, match="the rollup of declarations failed"):
        rollup("declarations", [str(file)], settings=settings).read_all()
