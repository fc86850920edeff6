"""Where a batch comes to be: a folder of this machine, or an object store; the same promises in either.

One process at a time lands a source. Parts come first, the manifest last, once and for good. What a killed process
left, which is a folder without a manifest, goes at the next extraction of its source.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dti import clock, steps
from dti.errors import LandingError
from dti.settings import Settings
from dti.store import scratch

if TYPE_CHECKING:
    from dti.store.bucket import BucketStore
    from dti.store.lease import Lease

LANDING, MANIFEST, LOCK = "landing", "manifest.json", ".lock"
PATIENCE_SECONDS = 50 * 60.0
"""With another process at the same source; below the hour that Airflow gives a task."""


@dataclass(frozen=True)
class NewBatch:
    """A batch that is being filled: its id, its folder on this machine, and when it was begun.

    ``publish``, given the names of its parts and the manifest, makes it a batch; nothing before that does.
    """

    batch_id: str
    folder: Path
    started: datetime
    publish: Callable[[list[str], bytes], None]


class Place(Protocol):
    """Where batches are made."""

    def new_batch(self, feed: str, source_id: str, night: date) -> AbstractContextManager[NewBatch]:
        """A new batch, for a block in which nobody else lands this source."""


def place_of(settings: Settings) -> Place:
    """The place that the settings name."""
    if settings.store_url is None:
        return OnDisk(settings.landing_dir)
    from dti.store.bucket import bucket_of

    return InBucket(bucket_of(settings), settings)


class OnDisk:
    """Landing in a folder: written in place, synced, and read-only from then on; the lock is a file's."""

    def __init__(self, landing: Path) -> None:
        self._landing = landing

    @contextmanager
    def new_batch(self, feed: str, source_id: str, night: date) -> Iterator[NewBatch]:
        home = self._landing / feed / source_id
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home / LOCK):
            _remove_orphans(home)
            started = clock.now()
            folder = home / _batch_id(source_id, night, started)
            folder.mkdir()
            steps.note(feed=feed, source=source_id, batch_id=folder.name)
            yield NewBatch(folder.name, folder, started, lambda parts, manifest: _publish(folder, manifest))


class InBucket:
    """Landing in an object store: filled in scratch, then sent; a lease keeps others away, also on other machines."""

    def __init__(self, store: BucketStore, settings: Settings) -> None:
        self._store, self._settings = store, settings

    @contextmanager
    def new_batch(self, feed: str, source_id: str, night: date) -> Iterator[NewBatch]:
        from dti.store.lease import leased

        home = f"{LANDING}/{feed}/{source_id}"
        seconds = self._settings.store_lease_seconds
        with (
            leased(self._store, f"{home}/{LOCK}", seconds=seconds, patience_seconds=PATIENCE_SECONDS) as lease,
            scratch(self._settings) as folder,
        ):
            self._remove_orphans(home, lease)
            started = clock.now()
            batch_id = _batch_id(source_id, night, started)
            steps.note(feed=feed, source=source_id, batch_id=batch_id)

            def publish(parts: list[str], manifest: bytes) -> None:
                self._publish(f"{home}/{batch_id}", folder, parts, manifest, lease)

            yield NewBatch(batch_id, folder, started, publish)

    def _publish(self, place: str, folder: Path, parts: list[str], manifest: bytes, lease: Lease) -> None:
        for part in parts:
            self._store.create(f"{place}/{part}", folder / part)
        lease.require()  # whoever took it has swept what a dead process left, and took this for such
        self._store.create(f"{place}/{MANIFEST}", manifest)
        sizes = self._store.below(place)
        lost = [part for part in parts if sizes.get(f"{place}/{part}") != (folder / part).stat().st_size]
        if lost:  # the lease went between the two; the manifest is taken back before anybody could load the batch
            self._store.remove([f"{place}/{MANIFEST}"])
            raise LandingError(
                "parts of it were removed while it was landed", where=self._store.where(place), remedy="extract again"
            )

    def _remove_orphans(self, home: str, lease: Lease) -> None:
        """What dead writers left: a writer that lives holds the lease, and now this process does."""
        names = list(self._store.below(home))
        whole = {name.rpartition("/")[0] for name in names if name.endswith(f"/{MANIFEST}")}
        left = [
            name for name in names if name.count("/") > home.count("/") + 1 and name.rpartition("/")[0] not in whole
        ]
        if left:
            lease.require()
            self._store.remove(left)


def _batch_id(source_id: str, night: date, started: datetime) -> str:
    return f"{source_id}.{night}.{started:%Y%m%dT%H%M%S%fZ}"


def _publish(folder: Path, manifest: bytes) -> None:
    """The manifest's appearance is the batch's: whole, on disk and read-only, or not at all."""
    from dti.landing.parts import seal

    draft = folder / f".{MANIFEST}"
    draft.write_bytes(manifest)
    seal(draft)
    draft.rename(folder / MANIFEST)
    for place in (folder, folder.parent):
        handle = os.open(place, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _remove_orphans(home: Path) -> None:
    for folder in home.iterdir():
        if folder.is_dir() and not (folder / MANIFEST).exists():
            shutil.rmtree(folder)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process lands this source. The lock goes with its process, however that ends.

    Raises LandingError, naming the process, when another one has not ended after ``PATIENCE_SECONDS``.
    """
    with lock.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    file.seek(0)
                    holder = file.read(12).strip() or "?"
                    raise LandingError(
                        f"process {holder} is at this source, and has been for {PATIENCE_SECONDS:.0f} s",
                        where=lock.parent.name,
                        remedy="see what it waits for, end it if it hangs, then extract again",
                    ) from None
                time.sleep(min(0.2, PATIENCE_SECONDS))
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
