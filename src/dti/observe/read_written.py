"""What each step read and wrote, as datasets: from its arguments and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    sql_job,
)
from sqlalchemy import Connection, text

from dti.landing import ledger
from dti.landing.batch import Manifest
from dti.lineage import Graph, column_graph
from dti.observe.datasets import Datasets, of_batch, read_by
from dti.observe.words import tellable
from dti.settings import Settings
from dti.steps import Step
from dti.warehouse.connect import engine


@dataclass
class Told:
    """The datasets of one event, and what is said of its job besides."""

    inputs: list[InputDataset] = field(default_factory=list)
    outputs: list[OutputDataset] = field(default_factory=list)
    job_facets: dict[str, Any] = field(default_factory=dict)


def _extract(of: Datasets, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
    feed, source_id = step.fields["feed"], step.fields["source"]
    manifest = ledger.manifest_of(feed, source_id, result["batch_id"], settings)
    size = sum(each.bytes for each in manifest.parts)
    landed = of.output(of_batch(manifest), manifest.batch_id, manifest.rows, size=size, files=len(manifest.parts))
    return Told([of.input(f"source.{source_id}")], [landed])


def _judge(of: Datasets, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
    manifest: Manifest = given["manifest"]
    assertions = [
        data_quality_assertions_dataset.Assertion(
            assertion=each.rule,
            success=each.passed,
            severity={"critical": "error", "warning": "warn"}.get(each.severity, each.severity),
            params={"checked_count": each.checked_count, "failed_count": each.failed_count},
        )
        for each in result.rules
    ] + [
        data_quality_assertions_dataset.Assertion(
            assertion="batch_passes",
            success=result.status == "passed",
            severity="error",
            description=tellable(result.stopped_reason, settings) if result.stopped_reason else None,
        )
    ]  # what was seen of failing rows stays out: it stands in quarantine, for those who may read it
    landed = of.input(
        of_batch(manifest),
        manifest.batch_id,
        dataQualityMetrics=data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            {}, result.rows_landed, sum(each.bytes for each in manifest.parts), len(manifest.parts)
        ),
        dataQualityAssertions=data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions),
    )
    return Told(
        [landed, of.input("ref.unit_alias")],
        [
            of.output(
                f"staging.{manifest.feed}",
                manifest.batch_id,
                result.rows_passed,
                read={f"landing.{manifest.feed}": of_batch(manifest)},
            ),
            of.output(f"held.{manifest.feed}", manifest.batch_id, result.rows_quarantined),
        ],
    )


def _merge(of: Datasets, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
    feed, verdicts = given["feed"], given["verdicts"]
    batches = ",".join(sorted(each.batch_id for each in verdicts))
    rows = sum(each.rows_passed for each in verdicts)
    return Told([of.input(f"staging.{feed}", batches)], [of.output(f"lake.{feed}", str(result), rows)])


def _facts(of: Datasets, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
    feed, version = given["feed"], given["lake_version"]
    told = Told()
    if given["partitions"]:
        path = settings.include_dir / "sql" / "rollup" / f"{feed}.sql"
        told.job_facets["sql"] = sql_job.SQLJobFacet(path.read_text("utf-8"), "duckdb")
        told.inputs.append(of.input(f"lake.{feed}", None if version is None else str(version)))
        told.outputs.append(of.output(f"facts.{feed}", str(result.load_number), result.rows))
    if given["receipts"]:
        held = sum(each.verdict.rows_quarantined for each in given["receipts"] if each.verdict is not None)
        told.inputs.append(of.input(f"held.{feed}"))
        told.outputs.append(of.output("ops.batch", str(result.load_number), len(given["receipts"])))
        told.outputs.append(of.output("ops.quarantine", str(result.load_number), held))
    return told


def _compute(of: Datasets, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
    graph, run_id = column_graph(settings), result["run_id"]
    with engine(settings, "loader").connect() as connection:
        rows = _written(connection, graph, "score", "run_id", run_id)
        loads: Any = connection.execute(
            text("select feed, load_number from score.run_input where run_id = :run_id"), {"run_id": run_id}
        )
        versions = {f"facts.{feed}": str(number) for feed, number in loads}
    marts = _marts_of("score.", graph)
    return Told(
        [of.input(name, versions.get(name)) for name in read_by([*rows, *marts], graph)],
        _outputs(of, run_id, rows, marts),
    )


def _candidate(of: Datasets, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
    run_id = result["run_id"]
    with engine(settings, "loader").connect() as connection:
        rows = _written(connection, column_graph(settings), "score", "run_id", run_id)
        known: Any = connection.execute(text("select distinct feed, source_id from ops.batch order by 1, 2"))
        read = [f"landing.{feed}.{source_id}" for feed, source_id in known]
    return Told([of.input(name) for name in read], _outputs(of, run_id, rows, []))


def _publication(of: Datasets, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
    graph, publication_id = column_graph(settings), result["publication_id"]
    with engine(settings, "loader").connect() as connection:
        rows = _written(connection, graph, "published", "publication_id", publication_id)
    marts = _marts_of("published.", graph)
    read = read_by([*rows, *marts], graph)
    return Told(
        [of.input(name, result["run_id"] if name.startswith("score.") else None) for name in read],
        _outputs(of, publication_id, rows, marts),
    )


def _written(connection: Connection, graph: Graph, schema: str, column: str, value: str) -> dict[str, int]:
    """Tables of ``schema`` that SQL files write → their rows of one run or publication."""
    tables = [name for name in graph.written() if name.startswith(f"{schema}.")]
    counted = {name: f"select count(*) from {name} where {column} = :value" for name in tables}  # noqa: S608 - our names
    return {name: connection.execute(text(query), {"value": value}).scalar_one() for name, query in counted.items()}


def _outputs(of: Datasets, version: str, rows: Mapping[str, int], marts: list[str]) -> list[OutputDataset]:
    return [of.output(name, version, rows.get(name)) for name in (*rows, *marts)]


def _marts_of(schema: str, graph: Graph) -> list[str]:
    """The marts that stand on a table of ``schema`` first of all: by their own columns, or by those of another mart."""
    direct: dict[str, set[str]] = {
        name: {e.dataset for c in graph.columns[name] for e in graph.origin(name, c).edges}
        for name in graph.written()
        if name.startswith("marts.")
    }
    found = {name for name, read in direct.items() if any(each.startswith(schema) for each in read)}
    while more := {name for name, read in direct.items() if read & found} - found:
        found |= more
    return sorted(found)


READ_WRITTEN: dict[str, Callable[..., Told]] = {
    "extract": _extract,
    "judge": _judge,
    "merge": _merge,
    "facts": _facts,
    "compute": _compute,
    "annual_compute": _candidate,
    "annual_publish": _publication,
}
