"""Finding the header of an official annex and which column is which, however often it is repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dti.index.annex.pages import Line
from dti.index.annex.titles import FIELD_OF, REQUIRED
from dti.index.annex.wording import fold

_COLUMN_NUMBER = re.compile(r"\(?(\d{1,2})\)?")


@dataclass(frozen=True)
class Columns:
    """Which columns hold which field; a heading merged over several columns holds them all."""

    of: Mapping[str, tuple[int, ...]]


def columns_of(line: Line) -> Columns | None:
    """The columns when ``line`` is a header row of the official form, else None."""
    found: dict[str, list[int]] = {}
    last: str | None = None
    for position, cell in enumerate(line.cells):
        title = fold(cell).rstrip(" :.") if isinstance(cell, str) else ""
        title = re.sub(r"\s*([/,])\s*", lambda match: match[1] + (" " if match[1] == "," else ""), title)
        field = FIELD_OF.get(re.sub(r"\s*\(.*\)$", "", title))
        if field is None and title:
            last = None
            continue
        last = field or last  # an empty heading continues its left neighbour: a cell merged over two columns
        if last is not None:
            found.setdefault(last, []).append(position)
    if not all(field in found for field in REQUIRED):
        return None
    return Columns({field: tuple(positions) for field, positions in found.items()})


def is_column_numbers(line: Line) -> bool:
    """Whether the row only numbers the columns: (1), (2), (3) …"""
    texts = [cell for cell in line.cells if cell]
    numbers = [_COLUMN_NUMBER.fullmatch(cell) if isinstance(cell, str) else None for cell in texts]
    return len(texts) >= 4 and [int(n[1]) for n in numbers if n] == list(range(1, len(texts) + 1))


def seen_titles(lines: Sequence[Line]) -> str:
    """The row that looks most like a header, for a person who must be told why none was found."""

    def known(line: Line) -> int:
        return sum(isinstance(cell, str) and fold(cell) in FIELD_OF for cell in line.cells)

    best = max(lines, key=known, default=None)
    if best is None or not known(best):
        return "no known heading"
    return " | ".join(str(cell) for cell in best.cells if cell)
