"""Every column and the columns it is made of, from lake to mart; derived once and kept."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dti.errors import ConfigError
from dti.lineage.model import KINDS, Edge, Kind, Origin
from dti.settings import Settings


@dataclass(frozen=True)
class Graph:
    """``columns``: dataset → column → type, of every relation; ``origins``: ``dataset.column`` → what it is made of."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)

    def origin(self, dataset: str, column: str) -> Origin:
        """What a column is made of; nothing is known of a column that no SQL writes."""
        return self.origins.get(f"{dataset}.{column}", Origin())

    def written(self) -> list[str]:
        """The datasets that SQL writes, sorted."""
        return sorted({name.rpartition(".")[0] for name in self.origins})


def column_graph(settings: Settings) -> Graph:
    """The graph of the SQL files as they are now.

    It comes with the checkout (``include/lineage.json``). Where a file was changed since, it is derived once and kept
    in ``DTI_HOME/lineage``; only then is the warehouse asked for its columns. Raises WarehouseError when it is not
    there, ConfigError for a column that cannot be followed.
    """
    return _newest(settings, fingerprint(settings))


@lru_cache(maxsize=2)
def _newest(settings: Settings, wanted: str) -> Graph:
    own = settings.local_dir / "lineage" / "columns.json"
    for path in (shipped_path(settings), own):
        try:
            read = json.loads(path.read_text("utf-8"))
            if read["fingerprint"] == wanted:
                return _load(read)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not there, or not of this version
    graph = derive(settings)
    own.parent.mkdir(parents=True, exist_ok=True)
    write(graph, wanted, own)
    return graph


def shipped_path(settings: Settings) -> Path:
    """The graph that comes with the checkout; a test holds it against the SQL."""
    return settings.include_dir / "lineage.json"


def write(graph: Graph, wanted: str, path: Path) -> None:
    """Write the graph whole or not at all, a column a line."""
    dumped = _dump(graph, wanted)
    parts = [f'"fingerprint": {json.dumps(wanted)}']
    for name in ("columns", "comments", "origins"):
        lines = [f"{json.dumps(key)}: {_json(value)}" for key, value in sorted(dumped[name].items())]
        parts.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")
    draft.replace(path)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def derive(settings: Settings) -> Graph:
    """Read every SQL file and the catalogue, and follow each column. Takes about two seconds.

    Raises WarehouseError without a prepared warehouse, ConfigError for a column that cannot be followed.
    """
    from sqlglot.errors import SqlglotError

    try:
        return _derive(settings)
    except (LookupError, SqlglotError) as fault:
        said = " ".join(str(fault).split())
        remedy = "write the column so that SQLGlot can follow it, or teach src/dti/lineage/reads.py"
        raise ConfigError(said, where="include/sql", remedy=remedy) from fault


def _derive(settings: Settings) -> Graph:
    from dti.lineage.catalogue import read_catalogue
    from dti.lineage.reads import ROWS, Reads, reads_of
    from dti.lineage.statements import METRIC_TABLES, statements

    tables, comments = read_catalogue(settings)
    found: dict[str, Reads] = {}
    by: dict[str, dict[tuple[str, str], str]] = {}
    last: dict[str, str] = {}
    for statement in statements(settings, tables):
        reads = reads_of(statement.query, tables, statement.dialect)
        names = statement.columns or tuple(name for name, _ in reads)
        if len(names) != len(reads):
            raise LookupError(f"{statement.file}: {len(reads)} columns for {len(names)}")
        for name, (_, each) in zip(names, reads, strict=True):
            key = f"{statement.target}.{name}"
            found.setdefault(key, Reads()).take(each)
            last[key] = statement.file
            for read in each.columns:
                by.setdefault(key, {}).setdefault(read, statement.file)
    _add_what_python_writes(found, by, METRIC_TABLES)
    origins = {
        key: Origin(
            tuple(Edge(*column, kind, by[key][column]) for column, kind in sorted(reads.columns.items())),
            tuple(sorted(reads.made_of)),
            last.get(key, ""),
        )
        for key, reads in found.items()
    }
    columns = {f"{schema}.{table}": kinds for schema, held in tables.items() for table, kinds in held.items()}
    for key in found:  # the columns of a function are in no catalogue of tables
        dataset, _, column = key.rpartition(".")
        columns.setdefault(dataset, {}).setdefault(column, "")
    for key, origin in origins.items():
        for edge in origin.edges:
            if edge.column != ROWS and edge.column not in columns.get(edge.dataset, {}):
                raise LookupError(f"{key} reads {edge.dataset}.{edge.column}, which is not there")
    return Graph(columns, comments, origins)


_BY_PYTHON: tuple[tuple[str, str, str, Kind, str], ...] = (
    ("score.metric_value.value", "score.correction", "given_value", "transformation", "src/dti/index/correct.py"),
    ("score.metric_part.value", "score.correction", "given_value", "transformation", "src/dti/index/correct.py"),
    ("score.metric_part.unit_id", "ref.unit_succession", "unit_id_34", "transformation", "src/dti/index/run.py"),
)
"""What ``dti.index`` adds to the rows of the metric files: corrections, and the unit that a former one is part of."""


def _add_what_python_writes(found: Any, by: dict[str, dict[tuple[str, str], str]], targets: tuple[str, ...]) -> None:
    from dti.lineage.reads import Reads

    for target in targets:
        for column, made_of in (("run_id", ":run_id"), ("feed", "the name of the metric file")):
            found.setdefault(f"{target}.{column}", Reads()).made_of.add(made_of)
    part = found.setdefault("score.metric_part.part_unit_id", Reads())
    part.take(found["score.metric_part.unit_id"])
    by["score.metric_part.part_unit_id"] = dict(by["score.metric_part.unit_id"])
    for key, dataset, column, kind, file in _BY_PYTHON:
        found[key].read((dataset, column), kind)
        by[key].setdefault((dataset, column), file)


def fingerprint(settings: Settings) -> str:
    """Of everything the graph is derived from, by content."""
    from dti.feeds import feed_names

    digest = hashlib.sha256(f"{version('sqlglot')} {KINDS}".encode())
    include = settings.include_dir
    files = [path for folder in ("rollup", "metrics", "index", "publication", "marts") for path in
             sorted((include / "sql" / folder).glob("*.sql"))]  # fmt: skip
    files += [include / "feeds" / f"{feed}.yml" for feed in feed_names(include / "feeds")]
    files += sorted((settings.project / "migrations").rglob("*.sql"))
    files += sorted((settings.project / "migrations" / "versions").glob("*.py"))
    files += sorted(Path(__file__).parent.glob("*.py"))
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _dump(graph: Graph, wanted: str) -> dict[str, Any]:
    origins = {name: [[list(e) for e in o.edges], list(o.made_of), o.by] for name, o in graph.origins.items()}
    return {"fingerprint": wanted, "columns": graph.columns, "comments": graph.comments, "origins": origins}


def _load(read: dict[str, Any]) -> Graph:
    origins = {
        name: Origin(tuple(Edge(*edge) for edge in edges), tuple(made_of), by)
        for name, (edges, made_of, by) in read["origins"].items()
    }
    return Graph(read["columns"], read["comments"], origins)
