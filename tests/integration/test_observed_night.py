"""A small night watched from outside: a lineage server, a collector of metrics, and the night's own log."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections import defaultdict
from datetime import date
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from dti import flow
from dti.errors import DtiError
from dti.lineage import column_graph
from dti.observe import metrics, sending
from dti.observe.logs import log_path, night_log
from dti.settings import Settings
from dti.warehouse import connect
from tests.builders.watching import Collector, hanging

FEED, NIGHT = "staffing", date(2026, 6, 30)
SOURCES = ("bo-noi-vu", "so-noi-vu-dak-lak")
UNREACHED = "dvc-dak-lak"
"""Its connection is not defined here: its pull fails."""


def a_night(settings: Settings) -> dict[str, Any]:
    """The steps of a night of one feed, one failing pull among them."""
    with night_log(NIGHT, settings):
        pulled = [flow.extract(source, NIGHT, settings=settings) for source in SOURCES]
        with pytest.raises(DtiError):
            flow.extract(UNREACHED, NIGHT, settings=settings)
        flow.gate(FEED, NIGHT, settings=settings)
        loaded = flow.load(FEED, NIGHT, settings=settings)
        run = flow.compute(NIGHT, settings=settings)
        told = flow.tell(settings=settings)
    return {"batches": [each["batch_id"] for each in pulled], "loaded": loaded, "run": run, "told": told}


@pytest.fixture
def watched(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A warehouse with the night's workbooks in its drop folder, and no endpoint remembered."""
    for name in ("AIRFLOW_CONN_SANDBOX", "OPENLINEAGE_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    flow.prepare(warehouse)
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "drop",
        "--home",
        str(warehouse.home_dir),
        "--clock",
        "2026-06-30T23:00",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    sending._endpoint.cache_clear()
    metrics._meters.cache_clear()
    return warehouse


@pytest.mark.slow
def test_a_night_is_told_measured_and_logged(
    watched: Settings, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[dict[str, Any]] = []
    collector = Collector()
    httpserver.expect_request("/v1/metrics", method="POST").respond_with_handler(collector.take)

    def take(request: Any) -> Any:
        came.append(json.loads(request.get_data()))
        return collector.answer()

    httpserver.expect_request("/api/v1/lineage", method="POST").respond_with_handler(take)
    monkeypatch.setenv("OPENLINEAGE_URL", httpserver.url_for("").rstrip("/"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", httpserver.url_for("").rstrip("/"))
    done = a_night(watched)

    kept = [json.loads(x) for x in sending.events_file(str(NIGHT), watched).read_text("utf-8").splitlines()]
    kept += [json.loads(x) for path in sorted((watched.home_dir / "lineage").glob("events-*.jsonl"))
             if str(NIGHT) not in path.name for x in path.read_text("utf-8").splitlines()]  # fmt: skip
    ours = [each for each in came if each["run"]["facets"]]
    assert [e["run"]["runId"] for e in ours] == [e["run"]["runId"] for e in kept], "what is sent is what is kept"
    the_events(kept, done, watched)
    the_metrics(collector, done, watched)
    the_log(done, watched)

    assert flow.compute(NIGHT, settings=watched)["run_id"] == done["run"]["run_id"]
    repeated = [e for e in came[len(ours) :] if e["job"]["name"] == "index"]
    assert {e["run"]["runId"] for e in repeated} == {e["run"]["runId"] for e in kept if e["job"]["name"] == "index"}


def the_events(kept: list[dict[str, Any]], done: dict[str, Any], settings: Settings) -> None:
    states = defaultdict(list)
    for event in kept:
        states[event["job"]["name"], event["run"]["runId"]].append(event["eventType"])
    failed = {name for (name, _), told in states.items() if told[-1] == "FAIL"}
    assert failed == {f"extract.{UNREACHED}"}
    assert all(told in (["START", "COMPLETE"], ["START", "FAIL"]) for told in states.values()), dict(states)
    ended = defaultdict(list)
    for event in kept:
        if event["eventType"] != "START":
            ended[event["job"]["name"]].append(event)
    assert set(ended) == {*(f"extract.{s}" for s in (*SOURCES, UNREACHED)), f"gate.{FEED}", f"gate.{FEED}.batch",
                          f"load.{FEED}", f"load.{FEED}.merge", f"load.{FEED}.facts", "index"}  # fmt: skip

    [fault] = ended[f"extract.{UNREACHED}"]
    assert "connection is not defined" in fault["run"]["facets"]["errorMessage"]["message"]

    # One chain of datasets: what one step wrote is what the next one read.
    def written(name: str) -> set[tuple[str, str]]:
        return {(d["namespace"], d["name"]) for e in ended[name] for d in e["outputs"]}

    def read(name: str) -> set[tuple[str, str]]:
        return {(d["namespace"], d["name"]) for e in ended[name] for d in e["inputs"]}

    assert read(f"extract.{SOURCES[0]}") == {("dti.agency", SOURCES[0])}
    assert written(f"extract.{SOURCES[0]}") | written(f"extract.{SOURCES[1]}") <= read(f"gate.{FEED}.batch")
    assert read(f"load.{FEED}.merge") <= written(f"gate.{FEED}.batch")
    assert written(f"load.{FEED}.merge") <= read(f"load.{FEED}.facts")
    assert written(f"load.{FEED}.facts") & read("index") == {("postgres://embedded", "dti.facts.staffing")}
    assert ("postgres://embedded", "dti.marts.pillar_index") in written("index")

    # Every column is linked to columns that datasets of these events have: no link leads nowhere.
    fields = {
        (d["namespace"], d["name"], f["name"])
        for e in kept
        for d in e["inputs"] + e["outputs"]
        for f in d["facets"].get("schema", {}).get("fields", [])
    }
    agencies = {(n, s) for n, s, _ in fields if n == "dti.agency"}
    links = [
        (i["namespace"], i["name"], i["field"])
        for e in kept
        for d in e["outputs"]
        for c in d["facets"].get("columnLineage", {}).get("fields", {}).values()
        for i in c["inputFields"]
    ]
    assert len(links) > 500
    assert {link for link in links if link not in fields and link[:2] not in agencies} == set()

    # Counts, versions, rules and owners.
    batches = {e["inputs"][0]["facets"]["version"]["datasetVersion"] for e in ended[f"gate.{FEED}.batch"]}
    assert batches == set(done["batches"])
    with connect.connect(settings, "owner") as driver:
        rows = driver.execute("SELECT batch_id, rows_landed, rows_loaded, rows_quarantined FROM ops.batch").fetchall()
    for event in ended[f"gate.{FEED}.batch"]:
        landed, _ = event["inputs"]
        passed, held = event["outputs"]
        facets = landed["inputFacets"]
        batch = landed["facets"]["version"]["datasetVersion"]
        counted = tuple(d["outputFacets"]["outputStatistics"]["rowCount"] for d in (passed, held))
        assert (batch, facets["dataQualityMetrics"]["rowCount"], *counted) in rows
        rules = {a["assertion"]: a for a in facets["dataQualityAssertions"]["assertions"]}
        assert rules["batch_passes"]["success"]
        broken = sum(a["params"]["failed_count"] for a in rules.values() if not a["success"])
        assert (broken > 0) == (counted[1] > 0)
        assert landed["facets"]["ownership"]["owners"][0]["name"]
        assert event["run"]["facets"]["parent"]["job"]["name"] == f"gate.{FEED}"
    [merge] = ended[f"load.{FEED}.merge"]
    assert merge["outputs"][0]["facets"]["version"]["datasetVersion"] == str(done["loaded"]["lake_version"])
    [facts] = ended[f"load.{FEED}.facts"]
    assert facts["inputs"][0]["facets"]["version"]["datasetVersion"] == str(done["loaded"]["lake_version"])
    assert "from lake" in facts["job"]["facets"]["sql"]["query"]
    [index] = ended["index"]
    mart = next(d for d in index["outputs"] if d["name"] == "dti.marts.pillar_index")
    wanted = column_graph(settings).origin("marts.pillar_index", "index_value").edges
    linked = mart["facets"]["columnLineage"]["fields"]["index_value"]["inputFields"]
    assert {(i["name"], i["field"]) for i in linked} == {(f"dti.{e.dataset}", e.column) for e in wanted}
    assert mart["facets"]["version"]["datasetVersion"] == done["run"]["run_id"]


def the_metrics(collector: Collector, done: dict[str, Any], settings: Settings) -> None:
    assert collector.units == {name: unit for name, (unit, _) in metrics._GAUGES.items()}
    assert collector.service == {"dti-warehouse"}
    rows = collector.newest("dti.source.rows")
    with connect.connect(settings, "owner") as driver:
        for source, landed, loaded, held in driver.execute(
            "SELECT source_id, rows_landed, rows_loaded, rows_quarantined FROM ops.batch"
        ).fetchall():
            for state, count in (("landed", landed), ("loaded", loaded), ("quarantined", held)):
                assert rows[("feed", FEED), ("source", source), ("state", state)] == count
        coverage = driver.execute("SELECT unit_id, pillar_code, coverage FROM marts.latest_pillar_index").fetchall()
    told = collector.newest("dti.index.coverage")
    assert told == {
        (("framework", "922-2022"), ("pillar", pillar), ("unit", unit)): pytest.approx(float(share))
        for unit, pillar, share in coverage
    }
    steps = {dict(named)["step"]: dict(named)["outcome"] for named in collector.newest("dti.step.duration")}
    assert {"gate", "judge", "load", "merge", "facts", "compute", "tell"} <= set(steps)
    assert (("feed", "online_services"), ("outcome", "failed"), ("source", UNREACHED), ("step", "extract")) in (
        collector.newest("dti.step.duration")
    )
    hours = collector.newest("dti.source.freshness")
    assert {dict(named)["source"] for named in hours} == set(SOURCES)
    causes = collector.newest("dti.attention.causes")
    assert sum(causes.values()) == len(done["told"]["causes"]) > 0
    assert collector.newest("dti.source.requests")[("feed", FEED), ("source", SOURCES[0])] == 0, "a file was read"


def the_log(done: dict[str, Any], settings: Settings) -> None:
    lines = [json.loads(line) for line in log_path(NIGHT, settings).read_text("utf-8").splitlines()]
    assert all({"step", "duration_seconds", "level", "timestamp"} <= line.keys() for line in lines)
    assert all(line["night"] == str(NIGHT) for line in lines if line["step"] != "tell")
    ends = {(x["step"], x.get("batch_id")): x for x in lines if " ends after " in x["event"]}
    assert {batch for step, batch in ends if step == "judge"} == set(done["batches"])
    assert next(x for (step, _), x in ends.items() if step == "compute")["run_id"] == done["run"]["run_id"]
    assert all(
        x["feed"] for (step, _), x in ends.items() if step in {"extract", "gate", "judge", "load", "merge", "facts"}
    )


def test_endpoints_that_hang_cost_a_step_little_and_change_nothing(
    watched: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with hanging() as url, caplog.at_level(logging.WARNING):
        monkeypatch.setenv("OPENLINEAGE_URL", url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        began = time.monotonic()
        landed = [flow.extract(source, NIGHT, settings=watched)["rows"] for source in SOURCES * 2]
        spent = time.monotonic() - began
    assert all(landed)
    assert spent < sending.PATIENCE_SECONDS + metrics.PATIENCE_SECONDS + 8, "each is waited for once in a process"
    assert "OpenLineage endpoint gets no more events" in caplog.text
    assert "OpenTelemetry endpoint does not take metrics" in caplog.text
