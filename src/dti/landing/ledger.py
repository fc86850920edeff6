"""The landing zone: one immutable folder a batch, from which everything else can be rebuilt.

``DTI_HOME/landing/<feed>/<source>/<batch>/`` holds the parts and ``manifest.json``. The manifest is written last and
atomically: a folder without one is what a killed process left, is seen by no reader, and goes at the next extraction.
How a batch comes to its place, on a disk or in an object store, is said in ``dti.landing.places``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dti import clock
from dti.disk import full_disk
from dti.errors import DtiError, LandingError
from dti.landing.batch import Fault, Manifest
from dti.landing.places import LANDING, MANIFEST, NewBatch, place_of
from dti.settings import Settings
from dti.sources.credentials import Credentials, CredentialsLookup
from dti.sources.model import Source
from dti.sources.pull import PullStats
from dti.sources.window import Window, window_for
from dti.store import disk_of, store_of

REMEMBERED = 10  # batches that tell what a source usually sends


def extract_night(source: Source, night: date, lookup: CredentialsLookup, *, settings: Settings) -> Manifest:
    """Pull ``source`` for ``night`` from where its newest batch of an earlier night ended, and land what comes.

    A night that is run again asks for the same window again, and so do nights that are filled in later.
    Raises what :func:`land` raises; connections that are not defined are recorded as failed fetches too.
    """
    window = window_for(source.contract, night, _last_until_before(night, source, settings))
    return _land(source, window, lambda: lookup(source.connection) if source.connection else None, settings)


def land(source: Source, window: Window, credentials: Credentials | None, *, settings: Settings) -> Manifest:
    """Pull ``source`` for ``window`` into one new batch and return its manifest.

    A fetch that fails is recorded as a batch without rows, outcome "failed", and its error is raised again:
    SourceError or ConfigError. Two processes landing one source wait for each other.
    """
    return _land(source, window, lambda: credentials, settings)


def manifests(
    settings: Settings, feed: str | None = None, source_id: str | None = None, *, skip: Container[str] = ()
) -> Iterator[Manifest]:
    """All batches, of one feed or source or of all, by feed, source and batch id, so by night and time in a source.

    Batches named in ``skip`` are not even opened. Raises LandingError when a manifest cannot be read.
    """
    for name in _manifest_names(settings, feed, source_id):
        if name.split("/")[-2] not in skip:
            yield _read_manifest(name, settings)


def manifest_of(feed: str, source_id: str, batch_id: str, settings: Settings) -> Manifest:
    """The manifest of one batch. Raises LandingError when it is gone or cannot be read."""
    return _read_manifest(f"{LANDING}/{feed}/{source_id}/{batch_id}/{MANIFEST}", settings)


def part_paths(manifest: Manifest, settings: Settings) -> list[Path]:
    """The batch's Parquet files on this machine's disk, in order; a failed batch has none. See ``at_hand``."""
    return [disk_of(settings).path(name) for name in part_names(manifest)]


def batch_folder(manifest: Manifest, settings: Settings) -> Path:
    """The folder of a batch on this machine's disk: in landing, or in the archive once it has moved there."""
    return disk_of(settings).path(f"{folder_name(manifest)}/{MANIFEST}").parent


def archived_folder(manifest: Manifest, settings: Settings) -> Path:
    """Where the archive has or will have a batch. Raises LandingError when there is no archive."""
    if settings.landing_archive is None:
        raise LandingError("there is no archive", where=manifest.batch_id, remedy="set DTI_LANDING_ARCHIVE")
    return settings.landing_archive / manifest.feed / manifest.source_id / manifest.batch_id


def part_names(manifest: Manifest) -> list[str]:
    """Names below DTI_HOME of the batch's Parquet files, in order; a landed batch has at least one."""
    return [f"{folder_name(manifest)}/{part.file}" for part in manifest.parts]


def folder_name(manifest: Manifest) -> str:
    """Name below DTI_HOME of a batch's folder."""
    return f"{LANDING}/{manifest.feed}/{manifest.source_id}/{manifest.batch_id}"


@contextmanager
def at_hand(manifest: Manifest, settings: Settings) -> Iterator[list[Path]]:
    """The batch's Parquet files as files of this machine, in order, for the block; verified, see ``verify``."""
    with ExitStack() as held:
        try:
            paths = held.enter_context(store_of(settings).at_hand(part_names(manifest)))
        except FileNotFoundError as fault:
            raise _gone(fault) from None
        _verify(manifest, paths, settings)
        yield paths


def fetch(manifest: Manifest, settings: Settings, folder: Path) -> list[Path]:
    """As ``at_hand``; what is not on this machine is copied below ``folder``, and stays until that goes."""
    try:
        paths = store_of(settings).fetch(part_names(manifest), folder)
    except FileNotFoundError as fault:
        raise _gone(fault) from None
    _verify(manifest, paths, settings)
    return paths


def verify(manifest: Manifest, settings: Settings) -> None:
    """Raise LandingError, naming the file, unless every part is there and is what was written."""
    with at_hand(manifest, settings):
        pass


def verify_in(manifest: Manifest, folder: Path) -> None:
    """The same of a copy of the batch in ``folder``."""
    _verify_files(manifest, [folder / part.file for part in manifest.parts], lambda name: str(folder / name))


_RESTORE = "restore the file, or delete the batch's folder and extract that night again"


def _verify(manifest: Manifest, paths: list[Path], settings: Settings) -> None:
    store = store_of(settings)
    _verify_files(manifest, paths, lambda name: store.where(f"{folder_name(manifest)}/{name}"))


def _verify_files(manifest: Manifest, paths: list[Path], where: Callable[[str], str]) -> None:
    """``where`` says of a file of the batch, by its name, where a person finds it."""
    from dti.landing.parts import sha256

    for part, path in zip(manifest.parts, paths, strict=True):
        if not path.is_file():
            raise LandingError("the file is gone", where=where(part.file), remedy=_RESTORE)
        if path.stat().st_size != part.bytes or sha256(path) != part.sha256:
            what = "the file is not the one that was landed (checksum)"
            raise LandingError(what, where=where(part.file), remedy=_RESTORE)
    if manifest.outcome == "landed" and manifest.sha256 != _checksum(manifest):
        what = "the manifest does not fit its own parts (checksum)"
        raise LandingError(what, where=where(MANIFEST), remedy=_RESTORE)


def _gone(fault: FileNotFoundError) -> LandingError:
    return LandingError("the file is gone", where=str(fault), remedy=_RESTORE)


def _land(
    source: Source, window: Window, credentials: Callable[[], Credentials | None], settings: Settings
) -> Manifest:
    from dti.landing.parts import write_parts
    from dti.secrets import pseudonym_key
    from dti.sources.drift import added_up
    from dti.sources.read import read

    with new_batch(source.feed, source.source, window.night, settings) as batch:
        folder, started, batch_id, stats = batch.folder, batch.started, batch.batch_id, PullStats()
        try:
            history, drop = added_up(_newest_landed(source, settings)), settings.local_dir / "drop"
            rows = read(source, window, credentials(), pseudonym_key(settings), stats, drop, history)
            parts = write_parts(rows, source.contract.landed_columns, folder)
        except Exception as error:
            for left in folder.iterdir():
                left.unlink()
            fault = _fault(error, source, settings)
            _write_manifest(_manifest(source, window, batch_id, started, stats, outcome="failed", fault=fault), batch)
            raise
        landed = sum(part.rows for part in parts)
        manifest = _manifest(source, window, batch_id, started, stats, outcome="landed", rows=landed, parts=parts)
        return seal_batch(manifest, batch)


@contextmanager
def new_batch(feed: str, source_id: str, night: date, settings: Settings) -> Iterator[NewBatch]:
    """An empty folder for a new batch, and its start; while it is filled, no other process lands this source.

    Raises LandingError or StoreError, naming who holds the source, when another one has not ended in time.
    """
    with place_of(settings).new_batch(feed, source_id, night) as batch:
        yield batch


def seal_batch(manifest: Manifest, batch: NewBatch) -> Manifest:
    """Make a batch of the parts in its folder by writing its manifest, with its checksum, last."""
    manifest = manifest.model_copy(update={"sha256": _checksum(manifest)})
    _write_manifest(manifest, batch)
    return manifest


def _manifest(
    source: Source, window: Window, batch_id: str, started: datetime, stats: PullStats, **outcome: Any
) -> Manifest:
    return Manifest(
        batch_id=batch_id,
        feed=source.feed,
        source_id=source.source,
        agency=source.agency,
        synthetic=source.synthetic,
        licence=source.licence,
        night=window.night,
        since=window.since,
        until=window.until,
        requests_count=stats.requests_count,
        retries_count=stats.retries_count,
        bytes_received=stats.bytes_received,
        passes_count=stats.passes_count,
        warnings=stats.warnings,
        unmapped_fields=sorted(stats.unmapped_fields),
        records_count=stats.records_count,
        field_counts=stats.field_counts,
        value_kinds=stats.value_kinds,
        source_files=stats.source_files,
        started_at=started,
        finished_at=clock.now(),
        source_hash=source.content_hash,
        contract_hash=source.contract.content_hash,
        **outcome,
    )


def _fault(error: Exception, source: Source, settings: Settings) -> Fault:
    """What a manifest says of a failure. The text of an error that is not ours may hold anything, so it stays out."""
    error = full_disk(error, settings.local_dir) or error
    if isinstance(error, DtiError):
        return Fault(kind=error.kind, where=error.where, what=error.what, remedy=error.remedy)
    what = f"unexpected {type(error).__name__} while pulling"
    return Fault(kind="error", where=source.source, what=what, remedy="read the task's log and report it")


def _checksum(manifest: Manifest) -> str:
    return hashlib.sha256("".join(part.sha256 for part in manifest.parts).encode()).hexdigest()


def _write_manifest(manifest: Manifest, batch: NewBatch) -> None:
    """The manifest's appearance is the batch's: whole, for good and only once, or not at all."""
    batch.publish([part.file for part in manifest.parts], (manifest.model_dump_json(indent=2) + "\n").encode())


def _read_manifest(name: str, settings: Settings) -> Manifest:
    store = store_of(settings)
    try:
        return Manifest.model_validate_json(store.read(name))
    except (ValidationError, OSError) as fault:
        raise LandingError(
            f"the manifest cannot be read ({type(fault).__name__})", where=store.where(name), remedy=_RESTORE
        ) from None


def _manifest_names(settings: Settings, feed: str | None, source_id: str | None) -> list[str]:
    """Landing's and the archive's, as one; without what is just on its way into the archive."""
    names = store_of(settings).find(f"{LANDING}/{feed or '*'}/{source_id or '*'}/*/{MANIFEST}")
    return [name for name in names if not name.split("/")[-2].startswith(".")]


def _last_until_before(night: date, source: Source, settings: Settings) -> datetime | None:
    """The end of the newest window of this source that landed for a night before ``night``."""
    for name in reversed(_manifest_names(settings, source.feed, source.source)):
        manifest = _read_manifest(name, settings)
        if manifest.outcome == "landed" and manifest.night < night:
            return manifest.until
    return None


def _newest_landed(source: Source, settings: Settings) -> Iterator[Manifest]:
    """The newest batches of this source that landed with records, of whatever night: what it looked like so far."""
    names = reversed(_manifest_names(settings, source.feed, source.source))
    landed = (_read_manifest(name, settings) for name in names)
    return islice((each for each in landed if each.outcome == "landed" and each.records_count), REMEMBERED)
