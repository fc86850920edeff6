"""What a store answers, and which one the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from dti.errors import ConfigError
from dti.settings import Settings
from dti.store.disk import DiskStore


class Store(Protocol):
    """Files below DTI_HOME by name: relative, with slashes. A folder is but the beginning of names."""

    def where(self, name: str = "") -> str:
        """The name as a person finds it: a path, or s3://bucket/key."""

    def find(self, pattern: str) -> list[str]:
        """Names that fit ``pattern``, sorted; ``*`` stands for any part of one step of the name."""

    def below(self, folder: str) -> dict[str, int]:
        """Every name below ``folder`` and its size in bytes; nothing when there is no such folder."""

    def folders(self, folder: str) -> list[str]:
        """Names of the folders that stand in ``folder``, sorted, without the way to them."""

    def read(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError when there is none."""

    def replace(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in the place of one that may be there."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, in this order; those that are not there are no fault."""

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and all that is below it."""

    def show_in(self, folder: str, home: Path) -> None:
        """Let another DTI_HOME, on this machine, have a folder of this one: by a link, or as a copy."""

    def fetch(self, names: list[str], folder: Path) -> list[Path]:
        """These files on this machine: themselves, or copies below ``folder``. FileNotFoundError: one is gone."""

    def at_hand(self, names: list[str]) -> AbstractContextManager[list[Path]]:
        """As ``fetch``, into a scratch folder that goes with the block."""


def store_of(settings: Settings) -> Store:
    """The store that DTI_HOME names. Raises ConfigError when what it takes is not installed or not set."""
    if settings.store_url is None:
        return disk_of(settings)
    if settings.landing_archive is not None:
        raise ConfigError(
            "an object store has no archive of ours",
            where="DTI_LANDING_ARCHIVE",
            remedy="unset it, and let the store move old objects to a colder class of its own",
        )
    from dti.store.bucket import bucket_of

    return bucket_of(settings)


def disk_of(settings: Settings) -> DiskStore:
    """DTI_HOME as a folder, with its archive of old batches. Raises ConfigError when it is an object store."""
    archive = settings.landing_archive
    return DiskStore(settings.home_dir, {"landing": archive} if archive else None)
