"""Sheets as offices fill them in: a title, a header of one or two rows, rows, a total, signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from sandbox.world.draws import draw

Cell = str | int | float | date | None


@dataclass(frozen=True)
class Line:
    """One row of a sheet and the flaw that shows in it, if any."""

    cells: tuple[Cell, ...]
    flaw: str | None = None


@dataclass(frozen=True)
class Table:
    """One sheet. ``header`` holds (group, name) pairs; the group is empty where one cell spans both rows."""

    name: str
    title: tuple[str, ...]
    header: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    total: tuple[Cell, ...] | None = None
    signatures: tuple[str, ...] = ()
    hidden: tuple[str, ...] = field(default=())

    @property
    def labels(self) -> tuple[str, ...]:
        """The header in one text a column: ``Group / Name``, or the name alone."""
        return tuple(f"{group} / {name}" if group else name for group, name in self.header)

    def records(self) -> list[tuple[dict[str, Cell], str | None]]:
        """The rows by label, each with its flaw."""
        return [(dict(zip(self.labels, line.cells, strict=True)), line.flaw) for line in self.lines]


def written(value: float, *place: object) -> Cell:
    """A number as it stands in an office's sheet: now a number, now text such as ``1.234,5``."""
    whole = float(value).is_integer()
    if draw("as text", *place) < 0.5:
        return int(value) if whole else float(value)
    return vietnamese(value)


def vietnamese(value: float) -> str:
    """A number with a point between thousands and a decimal comma."""
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


def yes_no(value: bool | None) -> str | None:
    """Có, Không, or nothing."""
    return None if value is None else "Có" if value else "Không"


def totals(lines: list[Line], label_column: int, summed: dict[int, Callable[[Line], float]]) -> tuple[Cell, ...]:
    """The total row: its label in ``label_column``, and the sums of the ``summed`` columns."""
    cells: list[Cell] = [None] * len(lines[0].cells)
    cells[label_column] = "Tổng cộng"
    for column, figure in summed.items():
        cells[column] = vietnamese(sum(figure(line) for line in lines))
    return tuple(cells)


def number_of(cell: Cell) -> float:
    """The number in a cell, 0 where there is none: offices add up what can be added up."""
    if isinstance(cell, str):
        text = cell.replace(".", "").replace(",", ".")
        return float(text) if text.replace(".", "").isdecimal() else 0.0
    return float(cell) if isinstance(cell, int | float) else 0.0
