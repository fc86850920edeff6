"""``dti lineage``: where a column of the warehouse comes from."""

from __future__ import annotations

import json

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from dti.cli.plain import problems
from dti.lineage import Trace, column_graph, trace
from dti.lineage.graph import derive, fingerprint, shipped_path, write
from dti.settings import get_settings

_HOW = {
    "identity": "",
    "transformation": " (computed)",
    "aggregation": " (aggregated)",
    "indirect": " (decides which rows)",
}


def print_lineage(column: str, *, as_json: bool) -> None:
    """Print what ``schema.table.column`` is made of, as a tree or as JSON."""
    settings = get_settings()
    found = trace(column, column_graph(settings), settings)
    if as_json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, indent=1))  # noqa: T201
        return
    Console(highlight=False, width=400).print(_tree(found))


def write_lineage() -> None:
    """Write ``include/lineage.json`` as the SQL files and the warehouse's catalogue have it now."""
    settings = get_settings()
    path = shipped_path(settings)
    graph = derive(settings)
    write(graph, fingerprint(settings), path)
    problems.print(f"{path}: {len(graph.origins)} columns", markup=False)


def _tree(at: Trace, within: Tree | None = None) -> Tree:
    said = Text(f"{at.dataset}.{at.column}", style="bold" if within is None else "")
    said.append(_HOW[at.kind] if at.kind else "", style="dim")
    if at.again:
        said.append(" … as above", style="dim")
    if at.ends:
        said.append(f" ← {at.ends}", style="green")
    here = Tree(said) if within is None else within.add(said)
    for each in at.made_of:
        _tree(each, here)
    return here
