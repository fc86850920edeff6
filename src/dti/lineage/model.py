"""The values of this room: relations with their columns, and edges from one column to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["identity", "transformation", "aggregation", "indirect"]
KINDS: list[Kind] = ["identity", "transformation", "aggregation", "indirect"]
"""Ways to read a column, the most direct first; ``indirect``: it only decides which rows count."""

Tables = dict[str, dict[str, dict[str, str]]]
"""Schema → table → column → type, as SQLGlot wants it."""


class Edge(NamedTuple):
    """One column that another one is made of. ``dataset`` is ``schema.table``, ``lake.feed``, ``landing.feed`` …"""

    dataset: str
    column: str
    kind: Kind
    by: str


@dataclass(frozen=True)
class Origin:
    """Where one column comes from: edges, and where there are none what it is: a constant, or generated."""

    edges: tuple[Edge, ...] = ()
    made_of: tuple[str, ...] = ()
    by: str = ""
