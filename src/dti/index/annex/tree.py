"""The tree of an annex: main indices and component indicators, with points that add up or are told not to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from dti.errors import MethodError
from dti.index.annex.codes import Code, dotted


@dataclass
class Row:
    """One numbered row of the table, with the text of the rows it was split over."""

    place: str
    code: Code
    points: Decimal | None
    group: str = ""
    name: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def dotted(self) -> str:
        """The code as it is written: 1.10."""
        return dotted(self.code)


@dataclass(frozen=True)
class Annex:
    """What the table says. ``remarks`` are what a person should look at: repairs, gaps, sums that disagree."""

    file: str
    titles: tuple[str, ...]
    pillars: tuple[Row, ...]
    indicators: tuple[Row, ...]
    total_points: Decimal | None
    remarks: tuple[str, ...]

    def pillar_of(self, indicator: Row) -> Row:
        """The main index an indicator belongs to: the one whose number its code begins with."""
        return next(pillar for pillar in self.pillars if pillar.code == indicator.code[:1])

    def indicators_of(self, pillar: Row) -> list[Row]:
        """The component indicators of a main index, in their order."""
        return [indicator for indicator in self.indicators if indicator.code[:1] == pillar.code]


def grow(rows: list[Row], file: str, titles: Sequence[str], total: Decimal | None, remarks: Sequence[str]) -> Annex:
    """The tree of ``rows``: those of one number are main indices, those with none below them are indicators.

    Raises MethodError at the row that belongs nowhere, or that has no points where points count.
    """
    parents = {row.code[:length] for row in rows for length in range(1, len(row.code))}
    leaves = [row for row in rows if row.code not in parents]
    pillars = [row for row in rows if len(row.code) == 1 and row.code in parents]
    numbers = {pillar.code for pillar in pillars}
    for row in leaves:
        if row.code[:1] not in numbers:
            what = "is a main index without indicators" if len(row.code) == 1 else "belongs to no main index"
            raise _refusal(file, row, f"{row.name[:60]!r} {what}", "give the rows 1, 1.1, 1.2 … 2, 2.1 …")
    for pillar in pillars:
        _fill_points(pillar, [leaf for leaf in leaves if leaf.code[:1] == pillar.code], file)
    told = [remark for row in rows if row.code in parents for remark in _sum_up(row, leaves)]
    return Annex(file, tuple(titles), tuple(pillars), tuple(leaves), total, (*remarks, *told))


def _fill_points(pillar: Row, own: Sequence[Row], file: str) -> None:
    """A main index that is not scored may leave the points of all its rows empty; any other may leave none."""
    is_scored = bool(pillar.points) or any(row.points for row in own)
    for row in own:
        if row.points is None:
            if is_scored:
                raise _refusal(file, row, "has no points", "fill the cell; 0 when it is not scored")
            row.points = Decimal(0)


def _sum_up(row: Row, leaves: Sequence[Row]) -> list[str]:
    """Give a heading that states no points their sum; say so, or that what it states is another number."""
    total = sum((leaf.points or Decimal(0) for leaf in leaves if leaf.code[: len(row.code)] == row.code), Decimal(0))
    if row.points is None:
        row.points = total
        return [f"{row.place}: {row.dotted} states no points; {total} is the sum of its rows"] if total else []
    if row.points != total and len(row.code) > 1:  # the lint holds main indices against their rows
        return [f"{row.place}: {row.dotted} states {row.points} points, its rows add up to {total}"]
    return []


def _refusal(file: str, row: Row, what: str, remedy: str) -> MethodError:
    return MethodError(f"{row.dotted} {what}", where=f"{file}, {row.place}", remedy=remedy)
