"""Landing in an object store keeps its promises: whole batches or none, once and for good, one writer at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dti.errors import LandingError
from dti.landing import ledger, places
from dti.landing.batch import Manifest
from dti.landing.parts import write_parts
from dti.settings import Settings
from dti.store import AlreadyThere, StoreError
from dti.store.bucket import bucket_of
from dti.store.lease import _taken
from tests.builders.object_store import SECRET, ObjectStore

pytestmark = pytest.mark.usefixtures("store_keys")
NIGHT, NOON = date(2026, 6, 30), datetime(2026, 6, 30, 12, tzinfo=UTC)
SOURCE = ("staffing", "s1")
PLACE = "landing/staffing/s1"


@pytest.fixture
def here(settings: Settings, object_store: ObjectStore) -> Settings:
    return object_store.settings(settings)


def filled(batch: places.NewBatch, rows: int = 3) -> Manifest:
    """Fill a batch, but for its manifest."""
    parts = write_parts(({"a": str(n)} for n in range(rows)), ["a"], batch.folder)
    return Manifest(
        batch_id=batch.batch_id, feed=SOURCE[0], source_id=SOURCE[1], agency="A", synthetic=True, licence="none",
        night=NIGHT, since=NOON, until=NOON, outcome="landed", rows=rows, parts=parts, started_at=batch.started,
        finished_at=NOON, source_hash="", contract_hash="",
    )  # fmt: skip


def landed(settings: Settings) -> Manifest:
    with ledger.new_batch(*SOURCE, NIGHT, settings) as batch:
        return ledger.seal_batch(filled(batch), batch)


def test_a_batch_is_found_read_and_verified(here: Settings, object_store: ObjectStore) -> None:
    manifest = landed(here)
    assert list(ledger.manifests(here)) == [manifest]
    with ledger.at_hand(manifest, here) as (path,):
        assert pq.read_table(path).to_pylist() == [{"a": "0"}, {"a": "1"}, {"a": "2"}]
    assert not path.exists()
    store = bucket_of(here)
    assert SECRET.encode() not in store.read(f"{PLACE}/{manifest.batch_id}/manifest.json")
    store.replace(ledger.part_names(manifest)[0], b"PAR1 of somebody else")
    with pytest.raises(LandingError, match=rf"s3://.*/{manifest.batch_id}/part-00000.parquet: .*checksum"):
        ledger.verify(manifest, here)
    store.remove(ledger.part_names(manifest))
    with pytest.raises(LandingError, match="the file is gone"):
        ledger.verify(manifest, here)


def test_a_manifest_is_written_once(here: Settings) -> None:
    with ledger.new_batch(*SOURCE, NIGHT, here) as batch:
        manifest = ledger.seal_batch(filled(batch), batch)
        other = manifest.model_copy(update={"agency": "another"})
        with pytest.raises(AlreadyThere):
            ledger.seal_batch(other, batch)
    assert list(ledger.manifests(here)) == [manifest]


def test_what_a_dead_writer_left_goes_and_a_whole_batch_stays(here: Settings, object_store: ObjectStore) -> None:
    first = landed(here)
    bucket_of(here).replace(f"{PLACE}/s1.2026-06-30.dead/part-00000.parquet", b"half")
    second = landed(here)
    assert [each.batch_id for each in ledger.manifests(here)] == [first.batch_id, second.batch_id]
    names = (
        f"{PLACE}/{each.batch_id}/{file}"
        for each in (first, second)
        for file in ("manifest.json", "part-00000.parquet")
    )
    assert object_store.keys(here) == sorted([f"{PLACE}/.lock", *names])
    assert list((here.local_dir / "tmp" / "store").iterdir()) == []


def test_two_writers_of_a_source_land_one_after_the_other(here: Settings) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [each.result() for each in [pool.submit(landed, here) for _ in range(2)]]
    assert sorted(each.batch_id for each in ledger.manifests(here)) == sorted(each.batch_id for each in both)


def steal(here: Settings) -> None:
    """Take the lease as another machine does that believes its holder dead, and sweep."""
    store = bucket_of(here)
    _, tag = store.read_tagged(f"{PLACE}/.lock")
    store.swap(f"{PLACE}/.lock", b'{"holder": "process 1 on elsewhere", "seconds": 600}', tag)
    store.remove([name for name in store.below(PLACE) if name.endswith(".parquet")])


def test_a_writer_that_was_taken_for_dead_lands_nothing(here: Settings) -> None:
    with ledger.new_batch(*SOURCE, NIGHT, here) as batch:
        manifest = filled(batch)
        steal(here)
        with pytest.raises(StoreError, match="process 1 on elsewhere"):
            ledger.seal_batch(manifest, batch)
    assert list(ledger.manifests(here)) == []


def test_taken_for_dead_at_the_last_moment_it_takes_its_manifest_back(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dti.store.lease import Lease

    require = Lease.require

    def too_early(self: Lease) -> None:
        require(self)
        steal(here)

    with ledger.new_batch(*SOURCE, NIGHT, here) as batch:
        monkeypatch.setattr(Lease, "require", too_early)
        with pytest.raises(LandingError, match="removed while it was landed"):
            ledger.seal_batch(filled(batch), batch)
    assert list(ledger.manifests(here)) == []


def test_who_waits_for_a_source_is_told_who_is_at_it(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.2)
    _taken(bucket_of(here), f"{PLACE}/.lock", 600, 5)
    with pytest.raises(StoreError, match=r"process \d+ on .* is at it"), ledger.new_batch(*SOURCE, NIGHT, here):
        pass


def test_a_disk_needs_no_scratch(settings: Settings) -> None:
    manifest = landed(settings)
    with ledger.at_hand(manifest, settings) as (path,):
        assert path == settings.landing_dir / "staffing" / "s1" / manifest.batch_id / "part-00000.parquet"
    assert not Path(settings.local_dir / "tmp").exists()
