"""The landing zone: one immutable folder a batch, from which everything else can be rebuilt.

``DTI_HOME/landing/<feed>/<source>/<batch>/`` holds the parts and ``manifest.json``. The manifest is written last and
atomically: a folder without one is what a killed process left, is seen by no reader, and goes at the next extraction.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dti import clock
from dti.errors import DtiError, LandingError
from dti.landing.batch import Fault, Manifest
from dti.settings import Settings
from dti.sources.credentials import Credentials, CredentialsLookup
from dti.sources.model import Source
from dti.sources.pull import PullStats
from dti.sources.window import Window, window_for

MANIFEST = "manifest.json"


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
    for path in _manifest_paths(settings, feed, source_id):
        if path.parent.name not in skip:
            yield _read_manifest(path)


def part_paths(manifest: Manifest, settings: Settings) -> list[Path]:
    """The batch's Parquet files, in order. A landed batch has at least one, a failed one none."""
    folder = batch_folder(manifest, settings)
    return [folder / part.file for part in manifest.parts]


def batch_folder(manifest: Manifest, settings: Settings) -> Path:
    """The folder of a batch."""
    return settings.landing_dir / manifest.feed / manifest.source_id / manifest.batch_id


def verify(manifest: Manifest, settings: Settings) -> None:
    """Raise LandingError, naming the file, unless every part is there and is what was written."""
    from dti.landing.parts import sha256

    remedy = "restore the file, or delete the batch's folder and extract that night again"
    for part, path in zip(manifest.parts, part_paths(manifest, settings), strict=True):
        if not path.is_file():
            raise LandingError("the file is gone", where=str(path), remedy=remedy)
        if path.stat().st_size != part.bytes or sha256(path) != part.sha256:
            raise LandingError("the file is not the one that was landed (checksum)", where=str(path), remedy=remedy)
    if manifest.outcome == "landed" and manifest.sha256 != _checksum(manifest):
        where = str(batch_folder(manifest, settings) / MANIFEST)
        raise LandingError("the manifest does not fit its own parts (checksum)", where=where, remedy=remedy)


def _land(
    source: Source, window: Window, credentials: Callable[[], Credentials | None], settings: Settings
) -> Manifest:
    from dti.landing.parts import write_parts
    from dti.secrets import pseudonym_key
    from dti.sources.read import read

    home = settings.landing_dir / source.feed / source.source
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home / ".lock"):
        _remove_orphans(home)
        started = clock.now()
        batch_id = f"{source.source}.{window.night}.{started:%Y%m%dT%H%M%S%fZ}"
        folder, stats = home / batch_id, PullStats()
        folder.mkdir()
        try:
            rows = read(source, window, credentials(), pseudonym_key(settings), stats, settings.home_dir / "drop")
            parts = write_parts(rows, source.contract.landed_columns, folder)
        except Exception as error:
            for left in folder.iterdir():
                left.unlink()
            _write_manifest(
                _manifest(source, window, batch_id, started, stats, outcome="failed", fault=_fault(error, source)),
                folder,
            )
            raise
        landed = sum(part.rows for part in parts)
        manifest = _manifest(source, window, batch_id, started, stats, outcome="landed", rows=landed, parts=parts)
        manifest = manifest.model_copy(update={"sha256": _checksum(manifest)})
        _write_manifest(manifest, folder)
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
        source_files=stats.source_files,
        started_at=started,
        finished_at=clock.now(),
        source_hash=source.content_hash,
        contract_hash=source.contract.content_hash,
        **outcome,
    )


def _fault(error: Exception, source: Source) -> Fault:
    """What a manifest says of a failure. The text of an error that is not ours may hold anything, so it stays out."""
    if isinstance(error, DtiError):
        return Fault(kind=error.kind, where=error.where, what=error.what, remedy=error.remedy)
    what = f"unexpected {type(error).__name__} while pulling"
    return Fault(kind="error", where=source.source, what=what, remedy="read the task's log and report it")


def _checksum(manifest: Manifest) -> str:
    return hashlib.sha256("".join(part.sha256 for part in manifest.parts).encode()).hexdigest()


def _write_manifest(manifest: Manifest, folder: Path) -> None:
    """The manifest's appearance is the batch's: whole, on disk and read-only, or not at all."""
    from dti.landing.parts import seal

    draft = folder / f".{MANIFEST}"
    draft.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    seal(draft)
    draft.rename(folder / MANIFEST)
    for place in (folder, folder.parent):
        handle = os.open(place, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as fault:
        remedy = "restore the file, or delete the batch's folder and extract that night again"
        raise LandingError(
            f"the manifest cannot be read ({type(fault).__name__})", where=str(path), remedy=remedy
        ) from None


def _manifest_paths(settings: Settings, feed: str | None, source_id: str | None) -> list[Path]:
    return sorted(settings.landing_dir.glob(f"{feed or '*'}/{source_id or '*'}/*/{MANIFEST}"))


def _last_until_before(night: date, source: Source, settings: Settings) -> datetime | None:
    """The end of the newest window of this source that landed for a night before ``night``."""
    for path in reversed(_manifest_paths(settings, source.feed, source.source)):
        manifest = _read_manifest(path)
        if manifest.outcome == "landed" and manifest.night < night:
            return manifest.until
    return None


def _remove_orphans(home: Path) -> None:
    for folder in home.iterdir():
        if folder.is_dir() and not (folder / MANIFEST).exists():
            shutil.rmtree(folder)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process lands this source. The lock goes with its process, however that ends."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
