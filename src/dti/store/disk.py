"""DTI_HOME in a folder of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class DiskStore:
    """Files in a folder; see ``dti.store.kind.Store``. What is not there is looked for in the archive of its folder.

    ``archives``: folder below ``home`` → another folder in which its older files may be. They are read there, like
    those of ``home``; nothing is written to or removed from an archive.
    """

    def __init__(self, home: Path, archives: dict[str, Path] | None = None) -> None:
        self.home = home
        self._archives = archives or {}

    def path(self, name: str) -> Path:
        """The file of that name: in the home, else in an archive that has it."""
        here = self.home / name
        top, _, rest = name.partition("/")
        if top in self._archives and not here.exists() and (there := self._archives[top] / rest).exists():
            return there
        return here

    def where(self, name: str = "") -> str:
        return str(self.path(name))

    def find(self, pattern: str) -> list[str]:
        top, _, rest = pattern.partition("/")
        found = {path.relative_to(self.home).as_posix() for path in self.home.glob(pattern)}
        if archive := self._archives.get(top):
            found |= {f"{top}/{path.relative_to(archive).as_posix()}" for path in archive.glob(rest)}
        return sorted(found)

    def below(self, folder: str) -> dict[str, int]:
        top, _, rest = folder.partition("/")
        archived = _files(self._archives[top] / rest) if top in self._archives else {}
        found = archived | _files(self.home / folder)
        return {f"{folder}/{name}".lstrip("/"): found[name] for name in sorted(found)}

    def folders(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.home / folder).glob("*") if path.is_dir())

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def replace(self, name: str, content: bytes) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            (self.home / name).unlink(missing_ok=True)

    def remove_folder(self, folder: str) -> None:
        shutil.rmtree(self.home / folder, ignore_errors=True)

    def show_in(self, folder: str, home: Path) -> None:
        there = home / folder
        there.parent.mkdir(parents=True)
        there.symlink_to(self.home / folder, target_is_directory=True)

    def fetch(self, names: list[str], folder: Path) -> list[Path]:
        return [self.path(name) for name in names]

    @contextmanager
    def at_hand(self, names: list[str]) -> Iterator[list[Path]]:
        yield self.fetch(names, self.home)


def _files(folder: Path) -> dict[str, int]:
    """Files below ``folder``, by name in it, and their sizes."""
    if folder.is_symlink():
        return {}
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
