"""Finding the header of an official annex and which column is which, however often it is repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dti.index.annex.pages import Line
from dti.index.annex.wording import fold

TITLES: Mapping[str, tuple[str, ...]] = {
    "code": ("stt", "tt", "so tt", "so thu tu", "ma", "ma chi so"),
    "name": (
        "chi so/chi so thanh phan", "chi so, chi so thanh phan", "chi so va chi so thanh phan", "chi so thanh phan",
        "chi so", "ten chi so", "tieu chi", "tieu chi/tieu chi thanh phan", "noi dung", "noi dung chi so",
    ),
    "points": ("diem toi da", "diem", "thang diem", "diem chuan", "so diem toi da"),
    "scoring": (
        "cach xac dinh va tinh diem", "cach xac dinh, tinh diem", "cach xac dinh va cach tinh diem",
        "cach xac dinh/tinh diem", "cach tinh diem", "phuong phap tinh diem", "phuong phap xac dinh va tinh diem",
    ),
    "evidence": ("tai lieu kiem chung", "tai lieu minh chung", "tai lieu, minh chung", "minh chung"),
    "source": ("nguon thu thap du lieu", "nguon du lieu", "nguon thu thap so lieu", "nguon cung cap du lieu"),
    "verifier": ("don vi phoi hop xac minh", "co quan phoi hop xac minh", "don vi xac minh", "don vi phoi hop"),
}  # fmt: skip
"""Field → what its column is headed, folded. The first of each is the wording of the official form."""

REQUIRED = ("code", "name", "points", "scoring")
_FIELD = {title: field for field, titles in TITLES.items() for title in titles}
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
        field = _FIELD.get(re.sub(r"\s*\(.*\)$", "", title))
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
        return sum(isinstance(cell, str) and fold(cell) in _FIELD for cell in line.cells)

    best = max(lines, key=known, default=None)
    if best is None or not known(best):
        return "no known heading"
    return " | ".join(str(cell) for cell in best.cells if cell)
