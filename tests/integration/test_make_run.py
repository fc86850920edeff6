"""``make run``: one night end to end through Airflow's DAGs, twice, as a newcomer sees it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

NIGHT = "2026-06-30"
MARTS = ("pillar_index", "composite_index", "indicator_score")


@dataclass(frozen=True)
class Outcome:
    """What one ``make run`` printed, and what the marts said afterwards."""

    progress: str
    tables: str
    marts: dict[str, list[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def nights(home: Path) -> Iterator[list[Outcome]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "DTI_"))}
    environment = {**kept, "DTI_HOME": str(home), "DTI_SANDBOX_PORT": port}
    dti = str(Path(sys.executable).with_name("dti"))

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        return done

    def night() -> Outcome:
        done = call(sys.executable, "-m", "dti_airflow", "run", "--night", NIGHT)
        marts = {mart: sorted(call(dti, "sql", f"select * from marts.{mart}").stdout.splitlines()) for mart in MARTS}
        return Outcome(done.stderr, done.stdout, marts)

    try:
        yield [night(), night()]
    finally:
        call(sys.executable, "-m", "dti_airflow", "down")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_shows_each_dag_the_feeds_and_the_index(nights):
    first = nights[0]
    lines = [line for line in first.progress.splitlines() if line[:1] in "✓!✗"]
    assert [line.split()[1] for line in lines if line] == [
        "ingest_community_teams",
        "ingest_data_centre",
        "ingest_declarations",
        "ingest_online_services",
        "ingest_platform_inventory",
        "ingest_service_catalogue",
        "ingest_staffing",
        "compute_indices",
    ]
    assert "dvc-ca-mau did not deliver" in first.progress
    assert first.progress.count("did not deliver") == 1
    assert "3 of 4 sources" in first.progress
    assert "look next" in first.progress
    for shown in ("Feeds of the night", "quarantined", "PDTI", "coverage", "Cà Mau", "SYNTHETIC"):
        assert shown in first.tables


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_second_night_gives_the_same_numbers(nights):
    first, second = nights
    assert len(first.marts["pillar_index"]) == 1 + 34 * 8
    assert first.marts == second.marts
    assert first.tables == second.tables, "feeds too: the night asked for the same window again"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_sandbox_is_gone_afterwards_and_its_logs_hold_no_secret(nights, home):
    assert not list((home / "run").glob("*.json"))
    assert not [
        p
        for p in psutil.process_iter(["cmdline"])
        if p.info["cmdline"] and {"sandbox", str(home)} <= {*p.info["cmdline"]}
    ]
    log = (home / "logs" / f"night-{NIGHT}.log").read_text("utf-8")
    assert "dvc-ca-mau" in log
    secrets = json.loads((home / "secrets.json").read_text())
    assert [name for name, value in secrets.items() if value in log] == []
