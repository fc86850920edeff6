"""The code in the first column: as it was typed, or as a spreadsheet left it (1.10 becomes the number 1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from dti.index.annex.pages import Cell

Code = tuple[int, ...]
"""1.10 as (1, 10)."""

_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
_NUMBERS_AND_NAME = re.compile(r"(\d+(?:[.,]\d+)*)[.)]?\s+(\D.*)", re.DOTALL)
_GROUP = re.compile(r"(?:[A-ZĐ]|[IVX]+)[.)]?")
_GROUP_AND_NAME = re.compile(r"((?:[A-ZĐ]|[IVX]+)[.)])\s+(.+)", re.DOTALL)


class CodeTroubleError(ValueError):
    """The code cannot be told; the message says why."""


@dataclass(frozen=True)
class Read:
    """A code that was understood. ``repaired_from`` is what stood there when that was not the code."""

    code: Code
    repaired_from: str | None = None


def dotted(code: Code) -> str:
    """(1, 10) as 1.10."""
    return ".".join(str(part) for part in code)


def split_cell(cell: Cell) -> tuple[Cell, str]:
    """Code and name of a first cell that holds both, as in a merged pillar row: ``1. Nhận thức số``."""
    if isinstance(cell, str):
        for pattern in (_NUMBERS_AND_NAME, _GROUP_AND_NAME):
            if match := pattern.fullmatch(cell):
                return match[1], match[2].strip()
    return cell, ""


def is_group_mark(cell: Cell) -> bool:
    """Whether the cell numbers a group of indices: A, B, I, II …"""
    return isinstance(cell, str) and _GROUP.fullmatch(cell.strip()) is not None


def looks_like_code(cell: Cell) -> bool:
    """Whether the cell holds an indicator's code, or what a spreadsheet made of one."""
    return isinstance(cell, date) or _NUMBERS.fullmatch(cell.strip().rstrip(".)")) is not None


def read_code(cell: Cell, before: Code | None) -> Read:
    """The code in ``cell``, given the code of the row ``before`` (None for the first).

    A spreadsheet drops the last zero of 1.10 and makes a date of 1.10 or 3.4; what was typed is known again only
    when exactly one code that may follow fits. Raises CodeTroubleError rather than guess.
    """
    expected = _followers(before)
    if isinstance(cell, date):
        shown = cell.isoformat()
        fits = [code for code in expected if code in {(cell.day, cell.month), (cell.month, cell.day)}]
        if len(fits) == 1:
            return Read(fits[0], shown)
        raise CodeTroubleError(f"the spreadsheet made the date {shown} of the code")
    typed = cell.strip().rstrip(".)").replace(",", ".")
    code = tuple(int(part) for part in typed.split("."))
    if before is None or code in expected:
        return Read(code)
    fits = [follower for follower in expected if len(follower) == 2 and dotted(follower).rstrip("0") == typed]
    if len(fits) == 1:
        return Read(fits[0], typed)
    if code > before and 0 not in code:
        return Read(code)
    if code == before:
        raise CodeTroubleError(f"code {typed} stands twice in a row")
    raise CodeTroubleError(f"code {typed} cannot follow {dotted(before)}")


def is_gap(code: Code, before: Code | None) -> bool:
    """Whether numbers were left out between the two; a first child whose parent has no row is none."""
    return code not in _followers(before)


def _followers(before: Code | None) -> list[Code]:
    """Every code that may stand below ``before`` without a gap: its first part, or the next at any level."""
    if before is None:
        return [(1,), (1, 1)]
    follow = [(*before, 1)]
    follow += [(*before[: length - 1], before[length - 1] + 1) for length in range(len(before), 0, -1)]
    after = [(*code, 1) for code in follow[1:]]  # a heading without a row of its own
    return [*follow, *after]
