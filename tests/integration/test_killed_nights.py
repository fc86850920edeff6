"""The same night three times, and a night killed between any two steps: the same marts, and nothing twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from dti import lake
from dti.landing import ledger
from dti.settings import Settings
from dti.warehouse import embedded
from dti.warehouse.query import run_select
from tests.builders.agencies import Agencies
from tests.conftest import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NIGHT = date(2026, 6, 30)
SOURCES = ("dvc-dak-lak", "tthc-dak-lak")
MOMENTS = (
    "before:dti.landing.parts.write_parts",
    "before:dti.landing.ledger._write_manifest",
    "after:dti.landing.ledger._write_manifest#2",
    "before:dti.gate.judge",
    "before:dti.gate.judgement.save_verdict",
    "after:dti.gate.judgement.save_verdict#2",
    "before:dti.lake.merge",
    "after:dti.lake.merge",
    "after:dti.rollup.rollup",
    "before:dti.warehouse.load._remember_version",
    "after:dti.warehouse.load.load_feed",
    "before:dti.lake.merge#2",
    "after:dti.warehouse.load.load_feed#2",
    "before:dti.index.run.score",
    "after:dti.index.run.score",
    "after:dti.index.run.compute",
)
MARTS = {
    "pillar_index": "unit_id, pillar_code, points, index_value, coverage, rank_national, rank_region",
    "composite_index": "unit_id, composite_code, index_value, rank_national, rank_region",
    "indicator_score": "unit_id, indicator_code, basis, numerator, denominator, value, points, status",
    "metric_value": "unit_id, metric, feed, basis, value, first_day, last_day",
    "feed_freshness": "feed, source_id, last_interval_end, rows_landed, rows_loaded, rows_quarantined, status",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout, with two small sources: one a feed."""
    root = tmp_path_factory.mktemp("project")
    for name in ("expectations", "migrations"):
        (root / name).symlink_to(PROJECT / name)
    (root / "include" / "sources").mkdir(parents=True)
    for part in (PROJECT / "include").iterdir():
        if part.name != "sources":
            (root / "include" / part.name).symlink_to(part)
    for source in SOURCES:
        shutil.copy(PROJECT / "include" / "sources" / "sandbox" / f"{source}.yml", root / "include" / "sources")
    return root


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Callable[[], Settings]]:
    """A function that gives a new, prepared DTI_HOME with a server of its own."""
    begun: list[Settings] = []

    def begin() -> Settings:
        from dti.warehouse import setup

        begun.append(Settings(project=project, home=tmp_path_factory.mktemp("home")))
        setup.prepare(begun[-1])
        return begun[-1]

    yield begin
    for settings in begun:
        embedded.stop(settings)


def run(settings: Settings, agencies: Agencies, *moments: str) -> None:
    """Nights in child processes: one killed at each moment, then one that is left alone."""
    environment = {
        **os.environ,
        **agencies.environment,
        "DTI_HOME": str(settings.home_dir),
        "DTI_PROJECT": str(settings.project),
    }
    command = [sys.executable, "-m", "tests.integration.killed_nights", NIGHT.isoformat(), *moments]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-4000:]


def marts(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """What analysts see, in a fixed order."""
    return {
        mart: sorted(run_select(f"select {columns} from marts.{mart}", settings)[1], key=str)
        for mart, columns in MARTS.items()
    }


def lake_rows(settings: Settings) -> list[tuple[str, int]]:
    """Rows of the lake by feed."""
    import pyarrow.parquet as pq

    feeds = ("online_services", "service_catalogue")
    files = {
        feed: lake.files(feed, lake.changed_partitions(feed, None, settings=settings), settings=settings)
        for feed in feeds
    }
    return [(feed, sum(pq.read_metadata(file).num_rows for file in files[feed])) for feed in feeds]


def test_a_killed_night_ends_as_an_undisturbed_one(agencies: Agencies, home: Callable[[], Settings]) -> None:
    calm, killed = home(), home()
    agencies.after(NIGHT, calm.home_dir)

    run(calm, agencies)
    expected, rows = marts(calm), lake_rows(calm)
    assert {len(expected[mart]) for mart in ("pillar_index", "composite_index")} == {34 * 8, 34 * 4}
    for _ in range(2):
        run(calm, agencies)
        assert marts(calm) == expected
        assert lake_rows(calm) == rows

    run(killed, agencies, *MOMENTS)
    assert marts(killed) == expected
    assert lake_rows(killed) == rows
    assert list(killed.staging_dir.iterdir()) == [], "nothing is left on the way"
    for manifest in ledger.manifests(killed):
        ledger.verify(manifest, killed)
    folders = {path.parent for path in killed.landing_dir.rglob("*.parquet")}
    assert all((folder / "manifest.json").exists() for folder in folders), "no orphan in landing"
