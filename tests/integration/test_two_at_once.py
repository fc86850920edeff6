"""Two processes take up the same landed batches of a feed at once: the warehouse is that of one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from dti import flow
from dti.settings import Settings
from dti.sources.spec import load_sources
from dti.warehouse import connect

FEED, NIGHTS = "staffing", (date(2026, 6, 29), date(2026, 6, 30))
WORKER = """
import json, sys, time
from datetime import date
from pathlib import Path
import pandas, duckdb, deltalake
from dti import flow
from dti import libraries
libraries.great_expectations()
print("ready", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.01)
night = date.fromisoformat(sys.argv[2])
print(json.dumps([flow.gate("staffing", night), flow.load("staffing", night)]), flush=True)
"""
FACTS = "SELECT * FROM facts.staffing ORDER BY day, unit_id, source_id, agency_code"
BATCHES = "SELECT batch_id, status, rows_landed, rows_loaded, rows_quarantined FROM ops.batch ORDER BY batch_id"


def ask(settings: Settings, question: str) -> list[tuple[object, ...]]:
    with connect.connect(settings, "owner") as driver:
        return driver.execute(question.encode()).fetchall()


@pytest.mark.slow
def test_two_processes_at_one_feed_load_what_one_would(warehouse: Settings, tmp_path: Path) -> None:
    home = str(warehouse.home_dir)
    for night in NIGHTS:
        clock = f"{night.isoformat()}T23:00"
        command = [sys.executable, "-m", "sandbox", "drop", "--home", home, "--clock", clock]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        for source in load_sources(FEED):
            flow.extract(source.source, night, settings=warehouse)
    go = tmp_path / "go"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(go), night.isoformat()],
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            text=True,
        )
        for night in NIGHTS
    ]
    assert [worker.stdout.readline() for worker in workers if worker.stdout] == ["ready\n", "ready\n"]
    go.touch()
    told = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]

    batches = 2 * len(load_sources(FEED))
    assert sum(loaded["batches"] for _, loaded in told) == batches, "each batch is loaded by one of them"
    assert {judged["batches"] for judged, _ in told} <= {0, batches}
    both = ask(warehouse, FACTS), ask(warehouse, BATCHES)
    assert len(both[0]) > 20
    assert list(warehouse.staging_dir.glob("*")) == []
    assert ask(warehouse, "SELECT count(*) FROM ops.restatement") == [(0,)]

    shutil.rmtree(warehouse.lake_dir / FEED)
    with connect.connect(warehouse, "owner") as driver:
        driver.execute("TRUNCATE ops.batch, ops.lake_state, ops.feed_load, facts.staffing CASCADE")
    flow.gate(FEED, NIGHTS[-1], settings=warehouse)
    flow.load(FEED, NIGHTS[-1], settings=warehouse)
    assert (ask(warehouse, FACTS), ask(warehouse, BATCHES)) == both
