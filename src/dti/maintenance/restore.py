"""A new DTI_HOME from a backup: secrets where it has them, landing, the warehouse, and the lake built from landing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from dti import flow
from dti.feeds import feed_names
from dti.maintenance.backup import FOLDERS, SECRETS, Backup, BackupError, key_check, read_backup
from dti.maintenance.dump import require_unused, restore_warehouse
from dti.settings import Settings
from dti.warehouse import connect

UNFINISHED = "restoring"
"""File in DTI_HOME while a restore is not done: repeated, it begins anew, and nothing else may use the home."""


@dataclass(frozen=True)
class Restored:
    """What was restored; ``feeds`` are those of whose lake was built anew, with its rows."""

    backup: Backup
    feeds: dict[str, int]
    same_pseudonyms: bool


def restore(folder: Path, settings: Settings) -> Restored:
    """Make ``settings.home_dir`` of the backup in ``folder``, which is checked whole before anything is written.

    Killed anywhere, it is repeated. Raises BackupError when the backup is not whole or the home is already in use,
    WarehouseError when PostgreSQL refuses, LakeError when the lake of landing does not give the facts restored.
    """
    told = read_backup(folder)
    _require_new(told, settings)
    home = settings.home_dir
    home.mkdir(parents=True, exist_ok=True)
    (home / UNFINISHED).touch()
    if told.has_secrets and not (home / SECRETS).exists():
        draft = home / f".{SECRETS}"
        draft.touch(mode=0o600)
        draft.write_bytes((folder / SECRETS).read_bytes())
        draft.rename(home / SECRETS)
    for name in told.files:
        top, _, _ = name.partition("/")
        if top in (*FOLDERS, "landing"):
            source = (folder / name).parent if top == "landing" else folder / name
            _copy(source, home / source.relative_to(folder))
    restore_warehouse(folder / told.dump, settings)
    flow.prepare(settings)
    feeds = {
        feed: int(flow.rebuild_lake(feed, settings=settings)["rows"])
        for feed in feed_names(settings.include_dir / "feeds")
    }
    (home / UNFINISHED).unlink()
    return Restored(told, feeds, key_check(settings) == told.key_check)


def _require_new(told: Backup, settings: Settings) -> None:
    home = settings.home_dir
    if told.embedded != connect.is_embedded(settings):
        kind = "the embedded server" if told.embedded else "a server of one's own"
        raise BackupError(
            f"it was taken of {kind}",
            where="DTI_WAREHOUSE_URL",
            remedy="unset it" if told.embedded else "set it to an empty database and its owner",
        )
    if (home / UNFINISHED).exists():
        return
    in_use = [name for name in ("postgres", "landing", "lake") if (home / name).exists()]
    if in_use:
        raise BackupError(
            f"already in use: it has {', '.join(in_use)}",
            where=str(home),
            remedy="restore into a new DTI_HOME, then put it in the place of the old one",
        )
    require_unused(settings)


def _copy(source: Path, target: Path) -> None:
    """Landing by batch, all else by file; what a killed restore left is written anew."""
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
