"""The picture of a report: the rank of every unit before and after, as SVG that needs nothing else."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

ROW_HEIGHT, WIDTH = 19, 420
PADDING: Any = {"left": 45, "right": 45, "top": 5, "bottom": 5}
"""A browser may have a wider font than the one that the picture was measured with."""
KINDS = ("moved up", "moved down", "same rank")
COLOURS = ("#0b5394", "#a84300", "#6b6b6b")
"""Blue and orange are told apart by everyone; dashes and arrows say the same without colour."""
DASHES = ([1, 0], [6, 3], [1, 0])
ARROWS = ("▲", "▼", "")


@dataclass(frozen=True)
class UnitRank:
    """One unit and its ranks."""

    name: str
    rank_before: int
    rank_after: int

    @property
    def kind(self) -> int:
        """Index into KINDS."""
        gained = self.rank_before - self.rank_after
        return 0 if gained > 0 else 1 if gained < 0 else 2


def rank_chart(ranks: list[UnitRank], before: str, after: str) -> str:
    """A line a unit, from its place before to its place after; units of one rank stand below each other by name.

    ``before`` and ``after`` head the two sides. Gives an ``svg`` element without words for screen readers: whoever
    shows it gives it a name.
    """
    import altair as alt

    places = [{each: place for place, each in enumerate(order, start=1)} for order in _orders(ranks)]
    rows = [_row(each, side, places[side][each]) for each in ranks for side in (0, 1)]
    x: Any = alt.X("side:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    y: Any = alt.Y("place:Q", axis=None, scale=alt.Scale(domain=[0.4, len(ranks) + 0.6], reverse=True, nice=False))
    colour: Any = alt.Color("kind:N", scale=alt.Scale(domain=list(KINDS), range=list(COLOURS)), legend=None)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, color=colour)
    lines = base.mark_line(strokeWidth=1.6).encode(
        detail="unit:N",
        strokeDash=alt.StrokeDash("kind:N", scale=alt.Scale(domain=list(KINDS), range=list(DASHES)), legend=None),
    )
    left = base.transform_filter("datum.side == 0").mark_text(align="right", dx=-8, fontSize=12)
    right = base.transform_filter("datum.side == 1").mark_text(align="left", dx=8, fontSize=12)
    heads = alt.Chart(alt.InlineData(values=[{"side": 0, "text": before}, {"side": 1, "text": after}])).encode(
        x=x, y=alt.value(-12), text="text:N"
    )
    style: Any = {"fontSize": 12, "fontWeight": "bold", "color": "#1b1b1b"}
    chart = (
        alt.layer(
            lines,
            base.mark_circle(size=22, opacity=1),
            left.encode(text="label:N"),
            right.encode(text="label:N"),
            heads.transform_filter("datum.side == 0").mark_text(align="right", dx=-8, **style),
            heads.transform_filter("datum.side == 1").mark_text(align="left", dx=8, **style),
        )
        .properties(padding=PADDING, width=WIDTH, height=ROW_HEIGHT * len(ranks))
        .configure(font="system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", background="transparent", aria=False)
        .configure_view(stroke=None)
    )
    drawn = io.StringIO()
    chart.save(drawn, format="svg")
    return drawn.getvalue()


def _orders(ranks: list[UnitRank]) -> tuple[list[UnitRank], list[UnitRank]]:
    before = sorted(ranks, key=lambda each: (each.rank_before, each.name))
    return before, sorted(ranks, key=lambda each: (each.rank_after, each.name))


def _row(each: UnitRank, side: int, place: int) -> dict[str, Any]:
    """``side`` 0 is before, 1 is after."""
    label = f"{each.name}  {each.rank_before}"
    if side:
        moved = abs(each.rank_before - each.rank_after)
        label = f"{each.rank_after}  {each.name}" + (f"  {ARROWS[each.kind]}{moved}" if moved else "")
    return {"unit": each.name, "side": side, "place": place, "kind": KINDS[each.kind], "label": label}
