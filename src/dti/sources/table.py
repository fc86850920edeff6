"""A table as an office sent it: rows of cells with their row numbers, before anyone has found its header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dti.sources.conform import as_text

Cells = list[Any]


@dataclass(frozen=True)
class Table:
    """One sheet or one CSV file. ``rows`` are (number as the office sees it, cells); ``name`` is for messages.

    ``uncomputed`` are the places (row and column from 0) of formulas without a stored value, ``errors`` of cells that
    hold an error such as #REF!: both look empty in ``rows``.
    """

    name: str
    rows: list[tuple[int, Cells]]
    uncomputed: frozenset[tuple[int, int]] = frozenset()
    errors: frozenset[tuple[int, int]] = frozenset()

    def place(self, number: int) -> str:
        """Where a row stands, for a person."""
        return f"{self.name}!row {number}"

    def cell(self, number: int, column: int) -> str:
        """The name a spreadsheet gives to a cell: D7."""
        return f"{column_letter(column)}{number}"

    def texts(self, index: int) -> list[str | None]:
        """The cells of the ``index``-th row as text."""
        return [as_text(cell) for cell in self.rows[index][1]]


def is_blank(cells: Cells) -> bool:
    """True when no cell holds anything."""
    return not any(cell is not None and (not isinstance(cell, str) or cell.strip()) for cell in cells)


def column_letter(index: int) -> str:
    """The name a spreadsheet gives to the ``index``-th column, counted from 0: A, B, … Z, AA."""

    def letters(number: int) -> Iterator[str]:
        while number > 0:
            number, rest = divmod(number - 1, 26)
            yield chr(65 + rest)

    return "".join(reversed(list(letters(index + 1))))
