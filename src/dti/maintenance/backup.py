"""A copy of what cannot be made again: the warehouse, what landed, publications and reports.

The lake, Data Docs and staging are not copied: they are made from these. ``manifest.json`` names every part with its
checksum and is replaced last, in one step: a backup that was killed leaves the one before it whole.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from dti import clock
from dti.errors import DtiError
from dti.landing import ledger
from dti.landing.batch import Manifest
from dti.landing.places import MANIFEST as BATCH
from dti.maintenance.dump import dump_warehouse
from dti.secrets import pseudonym_key
from dti.settings import Settings
from dti.warehouse import connect

MANIFEST = "manifest.json"
SECRETS = "secrets.json"
FOLDERS = ("published", "annual")
"""Of DTI_HOME: bundles of publications, and reports of requests."""


class BackupError(DtiError):
    """A backup that cannot be written or is not whole."""

    kind = "backup"


class Backup(BaseModel):
    """What a backup holds: relative path → sha256. Of a batch of landing the manifest stands for its parts."""

    model_config = ConfigDict(frozen=True)

    taken_at: datetime
    embedded: bool
    dump: str
    has_secrets: bool
    key_check: str
    files: dict[str, str]


def backup(folder: Path, settings: Settings, *, with_secrets: bool = False) -> Backup:
    """Write a backup into ``folder``; into the same folder again it copies only what is new of landing.

    The warehouse is dumped first: whatever it has decided is in landing by then, and what lands later is pending in a
    restored one. ``with_secrets`` copies secrets.json too, readable by this user only. Raises WarehouseError or
    LandingError; then ``folder`` holds the backup of before, if there was one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    taken_at = clock.now()
    dump = f"warehouse-{taken_at:%Y%m%dT%H%M%SZ}.dump"
    dump_warehouse(folder / dump, settings)
    files = {dump: checksum(folder / dump)}
    for manifest in ledger.manifests(settings):
        place = Path("landing") / manifest.feed / manifest.source_id / manifest.batch_id
        _copy_batch(manifest, folder / place, settings)
        files[str(place / BATCH)] = checksum(folder / place / BATCH)
    for name in FOLDERS:
        files |= _copy_tree(settings.home_dir / name, folder / name, folder)
    (folder / SECRETS).unlink(missing_ok=True)
    if with_secrets:
        files[SECRETS] = _copy_secrets(settings, folder)
    told = Backup(
        taken_at=taken_at,
        embedded=connect.is_embedded(settings),
        dump=dump,
        has_secrets=with_secrets,
        key_check=key_check(settings),
        files=files,
    )
    _write_manifest(told, folder)
    for old in folder.glob("warehouse-*.dump*"):
        if old.name != dump:
            old.unlink()
    return told


def read_backup(folder: Path) -> Backup:
    """The backup in ``folder``, with every file of it checked. Raises BackupError naming what is not as written."""
    try:
        told = Backup.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BackupError(
            "no backup: it has no manifest, which is written last", where=str(folder), remedy="take another one"
        ) from None
    except ValidationError:
        raise BackupError("its manifest cannot be read", where=str(folder), remedy="take another backup") from None
    remedy = "take another backup: this one was damaged after it was written"
    for name, expected in told.files.items():
        path = folder / name
        if not path.is_file():
            raise BackupError("the file is gone", where=str(path), remedy=remedy)
        if checksum(path) != expected:
            raise BackupError("the file is not the one that was written (checksum)", where=str(path), remedy=remedy)
        if path.name == BATCH and name.startswith("landing/"):
            ledger.verify_in(Manifest.model_validate_json(path.read_bytes()), path.parent)
    return told


def key_check(settings: Settings) -> str:
    """A mark by which installations tell that their keys of pseudonyms are the same; it does not give the key away."""
    return hmac.new(pseudonym_key(settings), b"dti backup", "sha256").hexdigest()[:16]


def checksum(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_batch(manifest: Manifest, there: Path, settings: Settings) -> None:
    """A batch never changes: one that is there is whole, for its manifest was copied last, by the folder's rename."""
    if (there / BATCH).is_file():
        return
    draft = there.with_name(f".{there.name}")
    for attempt in (1, 2):
        shutil.rmtree(draft, ignore_errors=True)
        try:
            shutil.copytree(ledger.batch_folder(manifest, settings), draft)
            break
        except (FileNotFoundError, shutil.Error):  # maintenance is just moving it to the archive
            if attempt == 2:
                raise
    ledger.verify_in(manifest, draft)
    draft.rename(there)


def _copy_tree(source: Path, target: Path, root: Path) -> dict[str, str]:
    if not source.is_dir():
        return {}
    shutil.copytree(source, target, dirs_exist_ok=True)
    wanted = [target / path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): checksum(path) for path in wanted}


def _copy_secrets(settings: Settings, folder: Path) -> str:
    handle = os.open(folder / SECRETS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write((settings.local_dir / SECRETS).read_bytes())
    return checksum(folder / SECRETS)


def _write_manifest(told: Backup, folder: Path) -> None:
    draft = folder / f".{MANIFEST}"
    draft.write_text(told.model_dump_json(indent=1) + "\n", "utf-8")
    os.sync()  # all that it names, before it names it
    draft.replace(folder / MANIFEST)
    os.sync()
