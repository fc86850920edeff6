"""What a step of maintenance did, or would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dti.settings import Settings


@dataclass(frozen=True)
class Tidied:
    """One step's result: how many things went (or moved, or were tidied) and the bytes that freed.

    ``detail`` says what they were; ``bytes_freed`` is counted on disk where it can be, else 0.
    """

    step: str
    removed_count: int
    bytes_freed: int
    detail: str


Step = Callable[[Settings, bool], Tidied]
"""Takes the settings and whether it is only to count."""


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; what vanishes meanwhile counts nothing."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
