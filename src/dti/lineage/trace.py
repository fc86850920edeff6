"""One column followed back: through scores, facts and lake to what an agency sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dti.errors import ConfigError
from dti.feeds import Contract, load_contract
from dti.lineage.graph import Graph
from dti.lineage.model import Edge, Kind
from dti.settings import Settings
from dti.sources.fitness import PROMETHEUS_COLUMNS
from dti.sources.model import Source
from dti.sources.spec import load_source, readable_sources

ROWS = "*"
WRITTEN_BY = {
    "ref": "reference data: include/reference",
    "method": "the method: include/frameworks",
    "ops": "what the pipeline notes of sources, batches and loads",
    "annual": "requests and decisions on a year: dti annual",
    "published": "the publication itself",
    "score.correction": "corrections of values: include/corrections",
    "score": "the index run itself",
}
"""Where columns end that no SQL file makes."""


@dataclass
class Trace:
    """A column with those it is made of. ``ends``: what it is where there are none; ``again``: told above already."""

    dataset: str
    column: str
    kind: Kind | None = None
    by: str = ""
    ends: str = ""
    again: bool = False
    made_of: list[Trace] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON shows it, without what is empty."""
        told: dict[str, Any] = {"dataset": self.dataset, "column": self.column}
        told |= {name: value for name in ("kind", "by", "ends", "again") if (value := getattr(self, name))}
        if self.made_of:
            told["made_of"] = [each.as_dict() for each in self.made_of]
        return told


def trace(name: str, graph: Graph, settings: Settings, sources: list[Source] | None = None) -> Trace:
    """Follow ``schema.table.column`` back, to the fields of ``sources`` (default: those of the settings).

    Raises ConfigError, naming what there is, for a column that is not there.
    """
    dataset, _, column = name.rpartition(".")
    if column not in graph.columns.get(dataset, {}):
        if dataset in graph.columns:
            known = ", ".join(graph.columns[dataset])
            raise ConfigError("no such column", where=name, remedy=f"columns of {dataset}: {known}")
        known = ", ".join(sorted(each for each in graph.columns if each.startswith("marts.")))
        raise ConfigError("no such table", where=name, remedy=f"give schema.table.column; marts: {known}")
    if sources is None:
        sources, _ = readable_sources(settings.sources_dir)
    return _follow(Trace(dataset, column), graph, settings, sources, set())


def _follow(at: Trace, graph: Graph, settings: Settings, sources: list[Source], seen: set[tuple[str, str]]) -> Trace:
    if (at.dataset, at.column) in seen:
        at.again = True
        return at
    seen.add((at.dataset, at.column))
    schema, _, table = at.dataset.partition(".")
    origin = graph.origin(at.dataset, at.column)
    if schema == "lake":
        at.made_of = _of_lake(table, at.column, settings)
    elif schema == "landing":
        at.made_of = _of_landing(table, at.column, settings, sources)
    else:
        at.made_of = [Trace(e.dataset, e.column, e.kind, e.by) for e in origin.edges]
    for each in at.made_of:
        _follow(each, graph, settings, sources, seen)
    if not at.made_of and not at.ends:
        at.ends = _end(at, origin.made_of)
    return at


def origins_in_files(dataset: str, graph: Graph, settings: Settings) -> dict[str, list[Edge]]:
    """Column → the columns it is made of, of one dataset as a night writes it.

    Besides what :func:`trace` knows, ``landing.<feed>.<source>`` is what one source landed, and ``staging.<feed>`` what
    the gate let pass, which the lake is merged from.
    """
    schema, _, name = dataset.partition(".")
    if schema == "landing":
        feed, _, source_id = name.partition(".")
        source = load_source(source_id, settings.sources_dir)
        pseudonyms = _pseudonyms(source.contract)
        return {
            column: [
                Edge(f"source.{source_id}", place.field, place.kind, "")
                for place in _places(source, column, pseudonyms)
                if place.field
            ]
            for column in load_contract(feed, settings.include_dir / "feeds").landed_columns
        }
    if schema == "staging":
        return {
            column: [
                Edge(each.dataset, each.column, each.kind or "identity", each.by)
                for each in _of_lake(name, column, settings)
            ]
            for column in graph.columns.get(f"lake.{name}", {})
        }
    if schema == "lake":
        return {column: [Edge(f"staging.{name}", column, "identity", "")] for column in graph.columns.get(dataset, {})}
    return {column: list(graph.origin(dataset, column).edges) for column in graph.columns.get(dataset, {})}


def _end(at: Trace, made_of: tuple[str, ...]) -> str:
    schema = at.dataset.partition(".")[0]
    if at.column == ROWS:
        return "the rows themselves"
    if made_of:
        constants = all(text.startswith("'") or text in {"TRUE", "FALSE", "NULL"} for text in made_of)
        return f"{'constant' if constants else 'generated'}: {', '.join(made_of)}"
    if schema == "lake":
        return "generated: by the gate, of the batch the row came with"
    if schema == "landing":
        return "generated: while the record is landed, or no source has it"
    return WRITTEN_BY.get(at.dataset) or WRITTEN_BY.get(schema, "")


def _of_lake(feed: str, column: str, settings: Settings) -> list[Trace]:
    """What the gate makes a lake column of: the landed text, typed; a day of its time; a unit's id of its name."""
    contract = load_contract(feed, settings.include_dir / "feeds")
    landing, by = f"landing.{feed}", "src/dti/gate/typed.py"
    if column in contract.columns:
        return [Trace(landing, column, "transformation", by)]
    for name, each in contract.columns.items():
        if each.day_column == column:
            return [Trace(landing, name, "transformation", by)]
    if column == "unit_id":
        return [Trace(landing, "unit", "transformation", by), Trace("ref.unit_alias", "unit_id", "transformation", by)]
    if column == "partition_key":
        return [Trace(f"lake.{feed}", contract.day_column, "transformation", by)]
    return []


def _of_landing(feed: str, column: str, settings: Settings, sources: list[Source]) -> list[Trace]:
    """Where each source of the feed has a column: a field of its records, a constant, a query, a pseudonym."""
    contract = load_contract(feed, settings.include_dir / "feeds")
    pseudonyms = _pseudonyms(contract)
    return [
        Trace(f"source.{source.source}", place.label, place.kind, "", ends=source.agency)
        for source in sources
        if source.feed == feed
        for place in _places(source, column, pseudonyms)
    ]


class _Place(NamedTuple):
    """Where a source has a column: for a person, and the field itself where there is one."""

    label: str
    kind: Kind = "identity"
    field: str = ""


def _pseudonyms(contract: Contract) -> dict[str | None, str]:
    """Column that receives a pseudonym → the personal field it is made of."""
    return {each.to_column: name for name, each in contract.personal.items() if each.to_column}


def _places(source: Source, column: str, pseudonyms: dict[str | None, str]) -> list[_Place]:
    if column == "unit":
        rule = source.unit
        return [_Place(rule.field, "identity", rule.field) if rule.field else _Place(f"fixed: {rule.fixed}")]
    if column in source.fields:
        found = source.fields[column]
        return [_Place(found, "transformation" if column in source.codes else "identity", found)]
    if column in source.constants:
        return [_Place(f"constant: {source.constants[column]}")]
    if (personal := pseudonyms.get(column)) and personal in source.fields:
        found = source.fields[personal]
        return [_Place(f"keyed pseudonym of {found}", "transformation", found)]
    if source.connector.type == "prometheus" and column in PROMETHEUS_COLUMNS:
        return [_Place(f"query {query.measure}", "transformation", query.measure) for query in source.connector.queries]
    return []
