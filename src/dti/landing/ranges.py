"""Row numbers as people and manifests write them: '3,7-9'."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RANGES = re.compile(r"\s*[0-9]{1,12}(\s*-\s*[0-9]{1,12})?(\s*,\s*[0-9]{1,12}(\s*-\s*[0-9]{1,12})?)*\s*")
MOST = 10_000_000
"""Rows that one text may name: more than any batch has, and little enough to hold."""


def ranges_of(numbers: Iterable[int]) -> str:
    """Row numbers as text, runs drawn together."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def numbers_of(text: str) -> frozenset[int]:
    """The row numbers that a text names; none for a text that names none, such as 'all'.

    Raises ValueError when a range runs backwards or names more than ``MOST`` rows.
    """
    if not _RANGES.fullmatch(text):
        return frozenset()
    numbers: set[int] = set()
    for part in text.split(","):
        low, _, high = (piece.strip() for piece in part.partition("-"))
        first, last = int(low), int(high or low)
        if last < first or last - first + len(numbers) > MOST:
            raise ValueError(f"{part.strip()}: not a range of rows")
        numbers.update(range(first, last + 1))
    return frozenset(numbers)
