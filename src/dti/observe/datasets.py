"""Our datasets as OpenLineage names them, with schema, owner, version and where each column comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    dataset_version_dataset,
    documentation_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
)
from sqlalchemy import make_url

from dti.feeds import load_contract
from dti.landing.batch import Manifest
from dti.lineage import Graph
from dti.lineage.model import Kind
from dti.lineage.trace import ROWS, origins_in_files
from dti.settings import Settings
from dti.sources.spec import load_source
from dti.warehouse import connect

KEEPERS = "team:data-engineering"
"""Who answers for what no agency and no feed owns, as Airflow's DAGs say too."""

AGENCIES = "dti.agency"
"""Namespace of agency systems: a source's own id, never its address, which may hold a key."""

_TRANSFORMATIONS: dict[Kind, tuple[str, str]] = {
    "identity": ("DIRECT", "IDENTITY"),
    "transformation": ("DIRECT", "TRANSFORMATION"),
    "aggregation": ("DIRECT", "AGGREGATION"),
    "indirect": ("INDIRECT", "FILTER"),
}


class Datasets:
    """Makes datasets of the names that ``dti.lineage`` uses: ``source.…``, ``landing.…``, ``lake.…``, tables."""

    def __init__(self, graph: Graph, settings: Settings) -> None:
        self._graph, self._settings = graph, settings

    def input(self, dataset: str, version: str | None = None, **facets: Any) -> InputDataset:
        """A dataset that is read; ``facets`` are facets of this reading."""
        namespace, name = self._place(dataset)
        return InputDataset(namespace, name, facets, facets=self._facets(dataset, version))

    def output(
        self,
        dataset: str,
        version: str | None = None,
        rows: int | None = None,
        *,
        size: int | None = None,
        files: int | None = None,
        read: Mapping[str, str] | None = None,
    ) -> OutputDataset:
        """A dataset that is written, with how much, and with the columns that each of its columns is made of.

        ``read``: of a dataset that many fill, the one that was read this time.
        """
        namespace, name = self._place(dataset)
        facets = self._facets(dataset, version)
        if lineage := self._column_lineage(dataset, read or {}):
            facets["columnLineage"] = lineage
        counted: dict[str, Any] = {} if rows is None else {
            "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rows, size, files)
        }  # fmt: skip
        return OutputDataset(namespace, name, counted, facets=facets)

    def _place(self, dataset: str) -> tuple[str, str]:
        schema, _, name = dataset.partition(".")
        if schema == "source":
            return AGENCIES, name
        folders = {"landing": "landing", "staging": "staging", "held": "staging", "lake": "lake"}
        if schema in folders:
            path = f"{name}/quarantine" if schema == "held" else name.replace(".", "/")
            home = self._settings.store_url or str(self._settings.home_dir)
            return _stored(f"{home}/{folders[schema]}", path)
        namespace, database = _warehouse(self._settings)
        return namespace, f"{database}.{dataset}"

    def _facets(self, dataset: str, version: str | None) -> dict[str, Any]:
        facets: dict[str, Any] = {}
        if fields := self._fields(dataset):
            facets["schema"] = schema_dataset.SchemaDatasetFacet(
                [
                    schema_dataset.SchemaDatasetFacetFields(name, kind or None, about or None)
                    for name, kind, about in fields
                ]
            )
        if version:
            facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(version)
        description, owner = self._told(dataset)
        if description:
            facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(description)
        if owner:
            facets["ownership"] = ownership_dataset.OwnershipDatasetFacet([ownership_dataset.Owner(owner, "OWNER")])
        return facets

    def _fields(self, dataset: str) -> list[tuple[str, str, str]]:
        """Name, type and description of each column."""
        schema, _, name = dataset.partition(".")
        if schema == "held":
            return []
        if schema == "source":
            return [
                (place, "", f"column {column}")
                for column, place in load_source(name, self._settings.sources_dir).fields.items()
            ]
        if schema in {"landing", "staging", "lake"}:
            feed = name.partition(".")[0]
            contract = load_contract(feed, self._settings.include_dir / "feeds")
            about = {column: each.description for column, each in contract.columns.items()}
            if schema == "landing":
                return [(column, "VARCHAR", about.get(column, "")) for column in contract.landed_columns]
            return [(c, kind, about.get(c, "")) for c, kind in self._graph.columns.get(f"lake.{feed}", {}).items()]
        comments = self._graph.comments
        return [
            (column, kind, comments.get(f"{dataset}.{column}", ""))
            for column, kind in self._graph.columns.get(dataset, {}).items()
        ]

    def _told(self, dataset: str) -> tuple[str, str]:
        """What a dataset is, and who answers for it."""
        schema, _, name = dataset.partition(".")
        if schema == "source":
            source = load_source(name, self._settings.sources_dir)
            told = f"{source.agency}: {source.contract.title_en}; licence: {source.licence}"
            return f"{told}{_SYNTHETIC if source.synthetic else ''}", source.agency  # not its owner: a mailbox
        if schema in {"landing", "staging", "held", "lake", "facts"}:
            contract = load_contract(name.partition(".")[0], self._settings.include_dir / "feeds")
            return f"{contract.title_en}: {contract.grain}", contract.owner
        return self._graph.comments.get(dataset, ""), KEEPERS

    def _column_lineage(self, dataset: str, read: Mapping[str, str]) -> Any:
        fields = {}
        for column, edges in origins_in_files(dataset, self._graph, self._settings).items():
            inputs = [
                column_lineage_dataset.InputField(
                    *self._place(read.get(each.dataset, each.dataset)),
                    each.column,
                    [column_lineage_dataset.Transformation(*_TRANSFORMATIONS[each.kind])],
                )
                for each in edges
                if each.column != ROWS
            ]
            if inputs:
                fields[column] = column_lineage_dataset.Fields(inputs)
        return column_lineage_dataset.ColumnLineageDatasetFacet(fields) if fields else None


_SYNTHETIC = "; SYNTHETIC sandbox data"


def read_by(outputs: Iterable[str], graph: Graph) -> list[str]:
    """The datasets whose columns the ``outputs`` are made of, without those outputs themselves."""
    made = set(outputs)
    found = {e.dataset for d in made for c in graph.columns.get(d, {}) for e in graph.origin(d, c).edges}
    return sorted(found - made)


def of_batch(manifest: Manifest) -> str:
    """The name of what a source has landed."""
    return f"landing.{manifest.feed}.{manifest.source_id}"


def _stored(place: str, name: str) -> tuple[str, str]:
    """Namespace and name of files, as OpenLineage names them: ``file`` and a path, ``s3://bucket`` and a key."""
    scheme, separator, rest = place.partition("://")
    if not separator or scheme == "file":
        return "file", f"{rest if separator else place}/{name}"
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", f"{key.rstrip('/')}/{name}".lstrip("/")


@lru_cache(maxsize=4)
def _warehouse(settings: Settings) -> tuple[str, str]:
    """Namespace and database name: ``postgres://host:port``; the embedded server, on its socket, has neither."""
    if connect.is_embedded(settings):
        return "postgres://embedded", "dti"
    url = make_url(connect.url(settings, "loader"))
    return f"postgres://{url.host or 'localhost'}:{url.port or 5432}", url.database or ""
