"""Folders on this machine for what must be a file while it is worked on; those of dead processes go with the next."""

from __future__ import annotations

import fcntl
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dti.settings import Settings


@contextmanager
def scratch(settings: Settings) -> Iterator[Path]:
    """An empty folder of this process in ``DTI_LOCAL/tmp/store``; it goes with the block.

    Its lock is held meanwhile, and goes with its process however that ends: whose lock is free is dead, and swept.
    """
    home = settings.local_dir / "tmp" / "store"
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    while True:
        folder = home / uuid.uuid4().hex
        lock = folder.with_suffix(".lock")
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not lock.exists():  # swept before it was held
                continue
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)
            return


def _sweep(home: Path) -> None:
    for name in {path.stem for path in home.iterdir()}:
        lock = home / f"{name}.lock"
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(home / name, ignore_errors=True)
            lock.unlink(missing_ok=True)
