"""Quarantined rows landed again, as they were, because a person vouches for them: a batch of its own.

What landed stays as it is. A release is found in the ledger like any batch, so it is judged, merged, rebuilt and
counted like one; its manifest says whose rows these are, who released them, why, and which rules were waived.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dti import clock
from dti.errors import DtiError
from dti.landing import ledger
from dti.landing.batch import Manifest, Release
from dti.landing.parts import Row, write_parts
from dti.landing.ranges import numbers_of
from dti.settings import Settings

ALL = "all"
"""In place of row numbers: every row of a batch that was stopped."""
_BATCH_ROWS = 10_000


class ReleaseError(DtiError):
    """Rows that cannot be released; nothing has landed."""

    kind = "release"


def land_release(original: Manifest, release: Release, *, settings: Settings) -> Manifest:
    """Land the rows of ``original`` that ``release`` names as one new batch of the same source and night.

    Raises ReleaseError when one of them was released before, LandingError when the original is not what landed.
    """
    with (
        ledger.at_hand(original, settings) as landed,
        ledger.new_batch(original.feed, original.source_id, original.night, settings) as batch,
    ):
        try:
            _refuse_twice(original, release, settings)
            parts = write_parts(_rows(landed, release), pq.read_schema(landed[0]).names, batch.folder)
        except BaseException:
            shutil.rmtree(batch.folder, ignore_errors=True)
            raise
        manifest = Manifest(
            batch_id=batch.batch_id,
            **original.model_dump(
                include={"feed", "source_id", "agency", "synthetic", "licence", "night", "since", "until"}
            ),
            outcome="landed",
            rows=sum(part.rows for part in parts),
            parts=parts,
            release=release,
            started_at=batch.started,
            finished_at=clock.now(),
            source_hash=original.source_hash,
            contract_hash=original.contract_hash,
        )
        return ledger.seal_batch(manifest, batch)


def releases_of(original: Manifest, settings: Settings) -> Iterator[tuple[Manifest, Release]]:
    """Every release of rows of this batch, oldest first."""
    for manifest in ledger.manifests(settings, original.feed, original.source_id):
        if manifest.release is not None and manifest.release.released_from == original.batch_id:
            yield manifest, manifest.release


def _refuse_twice(original: Manifest, release: Release, settings: Settings) -> None:
    wanted = numbers_of(release.rows)
    for manifest, earlier in releases_of(original, settings):
        if release.rows == earlier.rows or wanted & numbers_of(earlier.rows) or ALL in (release.rows, earlier.rows):
            rows = sorted(wanted & numbers_of(earlier.rows))
            told = f"row {rows[0]}" if rows else "the batch"
            raise ReleaseError(
                f"{told} was released before, by {earlier.released_by} in {manifest.batch_id}",
                where=original.batch_id,
                remedy="a row is released once; list what is still held: dti quarantine list",
            )


def _rows(landed: Sequence[Path], release: Release) -> Iterator[Row]:
    """The rows as they landed, in their order."""
    wanted = None if release.rows == ALL else pa.array(sorted(numbers_of(release.rows)), pa.int64())
    first = 0
    for path in landed:
        for batch, start in _batches(path, first):
            if wanted is not None:
                numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
                yield from batch.filter(pc.is_in(numbers, wanted)).to_pylist()
            else:
                yield from batch.to_pylist()
        first += pq.read_metadata(path).num_rows


def _batches(path: Path, first: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            yield batch, first
            first += batch.num_rows


def rows_in(manifest: Manifest) -> Sequence[int]:
    """Numbers in the original of a release's rows, in the order in which they stand in it; of a whole batch, all."""
    if manifest.release is None or manifest.release.rows == ALL:
        return range(manifest.rows)
    return sorted(numbers_of(manifest.release.rows))
