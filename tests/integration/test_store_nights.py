"""Nights with DTI_HOME in an object store, killed on the way: the same facts and marts as on a disk, row for row."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from dti import flow
from dti.annual.bundle import verify
from dti.annual.candidate import lake_of
from dti.annual.ledger import batches_known
from dti.explain import explain
from dti.explain.model import IndicatorExplanation
from dti.index.standing import Known
from dti.lake.table import open_table
from dti.landing import ledger
from dti.settings import Settings, get_settings
from dti.sources.spec import load_sources
from dti.store import store_of
from dti.warehouse import connect, embedded, state
from dti.warehouse.reference import keep_versions
from tests.builders.agencies import Agencies
from tests.builders.contents import Contents, contents, differences
from tests.builders.object_store import KEY, SECRET, ObjectStore
from tests.builders.two_feeds import FEEDS, a_project
from tests.builders.two_feeds import KEY as PSEUDONYMS
from tests.conftest import TABLES_TO_EMPTY

NIGHTS = (date(2026, 6, 29), date(2026, 6, 30))
PATIENCE_SECONDS = 120
STEP = "import sys; from datetime import date; from dti import flow; flow.{}({!r}, date.fromisoformat({!r}))"


def killed(store: ObjectStore, held_at: str, step: str, given: str, night: date) -> None:
    """Run a step in a process of its own, and kill it while it writes an object whose key holds ``held_at``."""
    with store.holding(held_at) as held:
        command = [sys.executable, "-c", STEP.format(step, given, night.isoformat())]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not held.exists():
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
                assert time.monotonic() < deadline, f"never came to {held_at}"
                time.sleep(0.05)
            process.kill()
        assert process.returncode == -signal.SIGKILL


def run(settings: Settings, agencies: Agencies, night: date, store: ObjectStore | None = None) -> None:
    """A night; with a store, one that is killed in the middle of a landing and of a merge."""
    agencies.set_clock(night)
    for feed in FEEDS:
        for source in load_sources(feed):
            if store:
                killed(store, "manifest.json", "extract", source.source, night)
            flow.extract(source.source, night, settings=settings)
        flow.gate(feed, night, settings=settings)
        if store:
            killed(store, "_delta_log/00000000000000000001.json", "load", feed, night)
            store = None  # once is enough: the others are as in an undisturbed night
        flow.load(feed, night, settings=settings)
    flow.compute(night, settings=settings)


def as_known(settings: Settings, work: Path) -> int:
    """Rows of every lake as the annual recomputation rebuilds it from the ledger; its facts are those of the nights."""
    rows = 0
    for feed in FEEDS:
        told = flow.rebuild_lake(feed, settings=settings)
        assert (told["facts_missing"], told["facts_new"]) == (0, 0)
        with connect.engine(settings, "loader").connect() as connection:
            batches = batches_known(connection, feed, Known(load_number=10**6))
        rows += sum(pq.read_metadata(path).num_rows for path in lake_of(feed, batches, work, settings))
    return rows


def behind(settings: Settings) -> list[tuple[dict[str, str], int | None, str | None, int | None]]:
    """The records behind a figure, and where they landed: the file can be opened, and has that row."""
    told = explain("Đắk Lắk", "7.3", settings=settings)
    assert isinstance(told, IndicatorExplanation)
    found = []
    for sample in (each for evidence in told.evidence for each in evidence.samples):
        assert sample.file is not None
        with store_of(settings).at_hand([sample.file]) as (path,):
            rows = pq.read_metadata(path).num_rows
        found.append((sample.key, sample.row, sample.source_row, rows))
    return found


def orphans(settings: Settings, store: ObjectStore) -> list[str]:
    """Objects that belong to nothing."""
    known = {f"{ledger.folder_name(m)}/manifest.json" for m in ledger.manifests(settings)}
    known |= {name for m in ledger.manifests(settings) for name in ledger.part_names(m)}
    for feed in FEEDS:
        table = open_table(feed, settings)
        assert table is not None
        for version in range(table.version() + 1):
            at = open_table(feed, settings, version)
            assert at is not None
            known |= {f"lake/{uri.partition('/lake/')[2]}" for uri in at.file_uris()}
            known.add(f"lake/{feed}/_delta_log/{version:020}.json")
    return [key for key in store.keys(settings) if key not in known and not key.endswith((".lock", ".html"))]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return a_project(tmp_path / "project")


def empty(settings: Settings) -> None:
    with connect.engine(settings, "owner").begin() as connection:
        connection.execute(text("TRUNCATE " + connection.execute(text(TABLES_TO_EMPTY)).scalar_one()))
        keep_versions(connection)


def test_nights_in_a_store_are_those_on_a_disk(
    warehouse: Settings,
    project: Path,
    agencies: Agencies,
    object_store: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name, value in {**agencies.environment, "DTI_PROJECT": str(project), "DTI_PSEUDONYM_KEY": PSEUDONYMS}.items():
        monkeypatch.setenv(name, value)

    def nights(store: ObjectStore | None) -> tuple[Settings, list[Contents]]:
        get_settings.cache_clear()
        settings, found = get_settings(), []
        empty(settings)
        flow.prepare(settings)
        for night in NIGHTS:
            run(settings, agencies, night, store if night == NIGHTS[0] else None)
            found.append(contents(settings, FEEDS, night))
        return settings, found

    on_disk, expected = nights(None)
    explained = behind(on_disk)
    assert explained
    rebuilt = as_known(on_disk, tmp_path / "on-disk")
    for name, value in object_store.environment(warehouse.home_dir).items():
        monkeypatch.setenv(name, value)
    in_store, found = nights(object_store)
    assert [differences(*pair) for pair in zip(expected, found, strict=True)] == [{}, {}]
    assert all(sum(each[f"facts.{feed}"].total() for feed in FEEDS) for each in found)
    assert behind(in_store) == explained
    assert orphans(in_store, object_store) == []
    assert [p for p in (in_store.local_dir / "tmp").rglob("*") if p.is_file()] == []
    assert as_known(in_store, tmp_path / "in-store") == rebuilt
    for feed in FEEDS:
        assert state.lake_version(feed, settings=in_store) is not None
    assert differences(found[-1], contents(in_store, FEEDS, NIGHTS[-1])) == {}, "a rebuilt lake holds the same"
    own = in_store.local_dir
    written = [p for p in own.rglob("*") if p.is_file() and not p.is_relative_to(own / "postgres")]
    texts = [path.read_bytes() for path in written]
    texts += [object_store.read(in_store, key) for key in object_store.keys(in_store)]
    assert not [1 for each in texts if SECRET.encode() in each or KEY.encode() in each]


def test_a_year_is_asked_for_reviewed_and_published_in_a_store(
    project: Path, agencies: Agencies, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = Path(tempfile.mkdtemp(prefix="dti-store-"))  # what is published stays: so a server of its own
    for name in ("WAREHOUSE_URL", "ANALYST_URL", "SUPERUSER_URL"):
        monkeypatch.delenv(f"DTI_{name}", raising=False)
    own = {"DTI_PROJECT": str(project), "DTI_PSEUDONYM_KEY": PSEUDONYMS, **object_store.environment(local)}
    for name, value in {**agencies.environment, **own}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    settings = get_settings()
    try:
        flow.prepare(settings)
        run(settings, agencies, NIGHTS[1])
        night = f"night-{NIGHTS[1]}.922-2022.34"
        asked = {"year": 2026, "framework_id": "922-2022", "as_of": night, "reason": "r", "requester": "An", "key": "k"}
        request_id = flow.annual_open(**asked, settings=settings)["request_id"]
        flow.annual_compute(request_id, settings=settings)
        reviewed = flow.annual_review(request_id, settings=settings)
        published = flow.annual_publish(request_id, approver="Bình", settings=settings)["publication_id"]

        columns = "unit_id, composite_code, index_value, rank_national"
        with connect.connect(settings, "analyst") as analyst:
            nightly, yearly = (
                analyst.execute(f"select {columns} from marts.{rows} order by 1, 2".encode()).fetchall()
                for rows in (f"composite_index where run_id = '{night}'", "published_composite_index")
            )
        assert yearly == nightly != []
        keys = object_store.keys(settings)
        assert {"report.html", "difference.json", "summary.md"} <= {
            key.rpartition("/")[2] for key in keys if request_id in key
        }
        assert reviewed["report"]
        bundled = {key.rpartition(".")[2] for key in keys if key.startswith("published/")}
        assert {"xlsx", "csv", "parquet", "json"} <= bundled
        assert verify(published, settings=settings) == []
        assert not [path for path in (local / "tmp").rglob("*") if path.is_file()]
        assert not list(local.glob("published/*"))
    finally:
        embedded.stop(settings)
        shutil.rmtree(local, ignore_errors=True)
        get_settings.cache_clear()
