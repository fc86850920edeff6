"""A lease: one holder at a time, over in any case, and never two who believe they hold it."""

from __future__ import annotations

import threading
import time

import pytest

from dti.settings import Settings
from dti.store import StoreError
from dti.store.bucket import BucketStore, bucket_of
from dti.store.lease import Lease, _taken, leased
from tests.builders.object_store import ObjectStore
from tests.builders.s3_server import HEEDLESS

pytestmark = pytest.mark.usefixtures("store_keys")


@pytest.fixture
def store(settings: Settings, object_store: ObjectStore) -> BucketStore:
    return bucket_of(object_store.settings(settings))


def test_two_take_turns(store: BucketStore) -> None:
    inside, most, turns = 0, 0, []

    def work() -> None:
        nonlocal inside, most
        with leased(store, ".lock", seconds=20, patience_seconds=60):
            inside += 1
            most = max(most, inside)
            time.sleep(0.1)
            inside -= 1
            turns.append(1)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert (most, len(turns)) == (1, 3)


def test_a_living_holder_is_waited_for_in_vain_and_named(store: BucketStore) -> None:
    with leased(store, ".lock", seconds=1.5, patience_seconds=5) as lease:
        with (
            pytest.raises(StoreError, match=r"process \d+ on .* is at it, and has been for 4 s") as caught,
            leased(store, ".lock", seconds=1.5, patience_seconds=4),
        ):
            pass
        assert ".lock" in caught.value.where
        lease.require()  # it was renewed all along, well beyond its own length


def test_a_dead_holder_is_succeeded_once_it_was_silent_for_long_enough(store: BucketStore) -> None:
    _taken(store, ".lock", 1.0, 5)  # and no one renews it
    started = time.monotonic()
    with leased(store, ".lock", seconds=1.0, patience_seconds=30):
        assert time.monotonic() - started >= 1.0


def test_a_store_that_knows_no_conditions_is_not_trusted(store: BucketStore, object_store: ObjectStore) -> None:
    with (
        object_store.holding(HEEDLESS),
        pytest.raises(StoreError, match="overwrites what it was told not to"),
        leased(store, ".lock", seconds=1, patience_seconds=5),
    ):
        pass


def test_who_was_silent_for_too_long_learns_that_it_is_over(store: BucketStore) -> None:
    silent = Lease(store, ".lock", 600, _taken(store, ".lock", 0.5, 5))
    with leased(store, ".lock", seconds=20, patience_seconds=30) as other:
        with pytest.raises(StoreError, match="its lease was taken by process"):
            silent.require()
        silent.end()
        other.require()  # nor does the end of the first take it from the second
