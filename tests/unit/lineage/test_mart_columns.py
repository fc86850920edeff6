"""Every column of every mart, followed back to where it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from dti.cli import app
from dti.lineage import Graph, Trace, column_graph, trace
from dti.lineage.graph import derive, fingerprint, shipped_path
from dti.settings import Settings
from dti.sources.spec import load_sources
from tests.conftest import PROJECT

MADE_UP = {
    "marts.published_merged.provenance",
    "marts.published_vs_computed.origin",
    "marts.rank_change.note",
    "marts.rank_contribution.note",
}
"""Columns that a mart reads from no table: texts of its SQL, and what ``comparable_runs`` says of two runs."""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return column_graph(Settings(project=PROJECT))


@pytest.fixture(scope="module")
def traces(graph: Graph) -> dict[str, Trace]:
    settings = Settings(project=PROJECT)
    sources = load_sources(sources_dir=settings.sources_dir)
    names = [f"{d}.{c}" for d, held in graph.columns.items() if d.startswith("marts.") for c in held]
    return {name: trace(name, graph, settings, sources) for name in names}


def ends(at: Trace) -> Iterator[Trace]:
    """Where a trace ends; what is told above already ended there."""
    if not at.made_of and not at.again:
        yield at
    for each in at.made_of:
        yield from ends(each)


def test_every_mart_has_its_columns(traces: dict[str, Trace]) -> None:
    marts = {name.rpartition(".")[0].removeprefix("marts.") for name in traces}
    files = {path.stem for path in (PROJECT / "include" / "sql" / "marts").glob("*.sql")}
    assert files - marts == {"comparable_runs"}, "a function that gives one value"


def test_no_column_ends_in_silence(traces: dict[str, Trace]) -> None:
    silent = {
        name: f"{end.dataset}.{end.column}" for name, found in traces.items() for end in ends(found) if not end.ends
    }
    assert silent == {}
    assert len(traces) > 600


def test_columns_that_no_table_stands_behind_are_known(traces: dict[str, Trace]) -> None:
    made_up = {name: found.ends for name, found in traces.items() if not found.made_of}
    assert set(made_up) == MADE_UP
    assert all(ends.startswith(("constant: ", "generated: ")) for ends in made_up.values()), made_up


@pytest.mark.parametrize(
    ("column", "through", "place"),
    [
        ("marts.pillar_index.index_value", "facts.online_services.dossiers_on_time", "source.dvc-dak-lak"),
        ("marts.latest_composite_index.rank_national", "score.pillar_index.index_unrounded", "source.bo-noi-vu"),
        ("marts.metric_value.value", "lake.data_centre.step_seconds", "source.prometheus-dak-lak"),
        ("marts.published_pillar_index.points", "score.indicator_score.points", "source.dvc-dak-lak"),
        ("marts.latest_rank_change.ranks_gained", "marts.rank_change.ranks_gained", "source.dvc-dak-lak"),
        ("marts.quarantine_record.reason", "ops.quarantine.reason", ""),
        ("marts.unit.unit_name", "ref.unit.name_vi", ""),
    ],
)
def test_a_column_leads_through_what_it_is_computed_from(
    traces: dict[str, Trace], column: str, through: str, place: str
) -> None:
    def passed(at: Trace) -> Iterator[str]:
        yield f"{at.dataset}.{at.column}"
        for each in at.made_of:
            yield from passed(each)

    assert through in set(passed(traces[column]))
    reached = {end.dataset for end in ends(traces[column])}
    assert place in reached if place else not any(each.startswith("source.") for each in reached)


def test_a_lake_column_leads_to_the_field_an_agency_names(graph: Graph) -> None:
    settings = Settings(project=PROJECT)
    found = trace("facts.online_services.dossiers_on_time", graph, settings)
    lake = {each.column: each for each in found.made_of}
    assert set(lake) == {"finished_at", "due_at"}
    [landed] = lake["due_at"].made_of
    source = next(s for s in load_sources(sources_dir=settings.sources_dir) if s.source == "dvc-dak-lak")
    assert {each.dataset: each.column for each in landed.made_of}["source.dvc-dak-lak"] == source.fields["due_at"]


def test_what_comes_with_the_checkout_is_what_the_sql_says(warehouse: Settings) -> None:
    read = json.loads(shipped_path(warehouse).read_text("utf-8"))
    assert read["fingerprint"] == fingerprint(warehouse), "run: dti lineage --write"
    assert derive(warehouse) == column_graph(warehouse), "run: dti lineage --write"


def test_changed_sql_is_derived_anew_and_kept(warehouse: Settings, tmp_path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "include", project / "include")
    (project / "migrations").symlink_to(PROJECT / "migrations")
    file = project / "include" / "sql" / "rollup" / "staffing.sql"
    file.write_text(
        file.read_text("utf-8").replace("    staff_total,", "    staff_trained_dx + 1 as staff_total,"), "utf-8"
    )
    changed = warehouse.model_copy(update={"project": project})
    [edge] = column_graph(changed).origin("facts.staffing", "staff_total").edges
    assert (edge.dataset, edge.column, edge.kind) == ("lake.staffing", "staff_trained_dx", "transformation")
    kept = json.loads((warehouse.home_dir / "lineage" / "columns.json").read_text("utf-8"))
    assert kept["fingerprint"] == fingerprint(changed)


def test_the_command_prints_a_tree_and_json(settings: Settings) -> None:
    tree = CliRunner().invoke(app, ["lineage", "marts.run.units_count"]).stdout
    assert "score.pillar_index.unit_id" in tree
    assert "ref.unit.unit_id ← reference data: include/reference" in tree
    told = json.loads(CliRunner().invoke(app, ["lineage", "marts.run.units_count", "--json"]).stdout)
    assert (told["dataset"], told["column"]) == ("marts.run", "units_count")
    assert told["made_of"][0]["kind"] == "aggregation"


@pytest.mark.parametrize("name", ["marts.run.gone", "marts.gone.value", "", "run"])
def test_a_column_that_is_not_there_is_refused_with_what_is(settings: Settings, name: str) -> None:
    done = CliRunner().invoke(app, ["lineage", name])
    assert done.exit_code == 1
    assert "run_id" in done.stderr if name.startswith("marts.run") else "marts.pillar_index" in done.stderr
