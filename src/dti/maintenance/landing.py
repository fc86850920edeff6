"""Old batches move to the archive, a folder on a cheaper disk that the ledger reads like landing itself.

Nothing that landed is ever deleted: any as-of, and a lost lake, are rebuilt from it. A batch is copied, the copy is
checked against the manifest's checksums, its manifest appears last, and only then the original goes, manifest first.
Killed anywhere, the batch is whole in one of the two places or in both, and the next time finishes it.
"""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from dti import clock
from dti.feeds import feed_names
from dti.landing import ledger
from dti.landing.batch import Manifest
from dti.landing.places import MANIFEST
from dti.maintenance.model import Tidied, size_of
from dti.settings import Settings
from dti.warehouse import connect, state
from dti.warehouse.alone import feed_alone

STEP = "landing"


def archive(settings: Settings, dry_run: bool) -> Tidied:
    """Move batches of nights before ``landing_archive_days`` that the warehouse has decided into the archive.

    Waits for whoever judges or loads the feed. While a candidate is computed, which reads all of landing, nothing
    moves. Raises LandingError when a batch is not what landed: then it stays where it is.
    """
    if settings.landing_archive is None:
        return Tidied(STEP, 0, 0, "no archive is set (DTI_LANDING_ARCHIVE): all batches stay")
    if _being_read(settings):
        return Tidied(STEP, 0, 0, "a candidate is being computed from it: left for the next time")
    before = clock.local_day(clock.now()) - timedelta(days=settings.landing_archive_days)
    moved, freed = 0, 0
    for feed in feed_names(settings.include_dir / "feeds"):
        with feed_alone(feed, settings):
            decided = state.decided_batches(feed, settings=settings)
            for manifest in ledger.manifests(settings, feed):
                here = settings.landing_dir / feed / manifest.source_id / manifest.batch_id
                if manifest.night >= before or manifest.batch_id not in decided or not here.exists():
                    continue
                moved, freed = moved + 1, freed + size_of(here)
                if not dry_run:
                    _move(manifest, here, settings)
    return Tidied(STEP, moved, freed, f"decided batches of nights before {before} to {settings.landing_archive}")


def _move(manifest: Manifest, here: Path, settings: Settings) -> None:
    there = ledger.archived_folder(manifest, settings)
    if not (there / MANIFEST).is_file():
        ledger.verify(manifest, settings)
        draft = there.with_name(f".{there.name}")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(there, ignore_errors=True)  # without a manifest it is nothing
        shutil.copytree(here, draft)
        for path in (*draft.iterdir(), draft):
            _to_disk(path)
        draft.rename(there)
        _to_disk(there.parent)
    ledger.verify_in(manifest, there)
    (here / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(here)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _being_read(settings: Settings) -> bool:
    query = text("select exists (select from annual.request where status = 'requested')")
    with connect.engine(settings, "loader").connect() as connection:
        return bool(connection.execute(query).scalar_one())
