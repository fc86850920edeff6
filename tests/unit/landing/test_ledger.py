"""The landing zone: whole batches or none, unchanged for ever, and no person in them."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from dti.clock import day_end, day_start
from dti.errors import ConfigError, LandingError, SourceRefused
from dti.landing import ledger, parts, places
from dti.landing.batch import Manifest
from dti.settings import Settings
from dti.sources.credentials import credentials_from_environment
from dti.sources.model import Source
from dti.sources.spec import parse_source
from tests.unit.sources.agency import DOSSIERS, NIGHT, WINDOW, Agency, dossier, minute

CANARIES = ("Canary", "canary@example.vn", "066 099 000 001", "066099000001", "0905000001")


@pytest.fixture
def agency(httpserver: HTTPServer) -> Agency:
    agency = Agency([dossier(n, minute(n)) for n in range(7)])
    httpserver.expect_request("/dossiers").respond_with_handler(agency.handle)
    return agency


@pytest.fixture
def source(httpserver: HTTPServer, agency: Agency) -> Source:
    connector = {
        "type": "rest",
        "address": httpserver.url_for("/dossiers"),
        "retries": 0,
        "paging": {"style": "keyset", "size": 3},
        "change_time": {"since_param": "since", "field": "CapNhat"},
    }
    return parse_source(yaml.safe_dump(DOSSIERS | {"connector": connector}), "dossiers.yml", {})


@pytest.fixture
def here(settings: Settings) -> Settings:
    """Settings with an empty landing zone and a key of their own."""
    return settings.model_copy(update={"pseudonym_key": SecretStr("a long enough test key")})


def everything_written(settings: Settings) -> str:
    """All text of the landing zone: manifests, and every value, name and statistic of the Parquet files."""
    told = []
    for path in settings.landing_dir.rglob("*"):
        if path.suffix == ".json":
            told.append(path.read_text("utf-8"))
        elif path.suffix == ".parquet":
            told += [str(pq.read_table(path).to_pylist()), str(pq.read_metadata(path).to_dict())]
            told.append(path.read_bytes().decode("latin-1"))
    return "".join(told)


def test_a_batch_is_what_the_agency_gave_without_its_people(here: Settings, source: Source, agency: Agency) -> None:
    agency.records[0] |= {"GhiChuNoiBo": "x", "NguoiXuLy": "Cán bộ Canary"}
    manifest = ledger.land(source, WINDOW, None, settings=here)
    assert (manifest.outcome, manifest.rows, manifest.fault) == ("landed", 7, None)
    assert manifest.unmapped_fields == ["GhiChuNoiBo", "NguoiXuLy"]
    (path,) = ledger.part_paths(manifest, here)
    table = pq.read_table(path)
    assert table.column_names == source.contract.landed_columns
    assert set(table.schema.types) == {pa.string()}
    first = table.to_pylist()[0]
    assert first["fee_vnd"] == "20000.5"
    assert first["opened_at"] == "2026-01-05T08:00:00+07:00"
    assert first["source_row"] == "page 1, record 1"
    assert len({row["applicant_ref"] for row in table.to_pylist()}) == 1
    assert len(first["applicant_ref"]) == 64
    written = everything_written(here)
    assert "HS-00001" in written
    assert not [canary for canary in CANARIES if canary in written]


def test_the_pseudonym_depends_on_the_key(here: Settings, source: Source) -> None:
    refs = set()
    for key in ("the first of two keys", "the second of two keys"):
        keyed = here.model_copy(update={"pseudonym_key": SecretStr(key)})
        manifest = ledger.land(source, WINDOW, None, settings=keyed)
        refs |= set(pq.read_table(ledger.part_paths(manifest, keyed)[0])["applicant_ref"].to_pylist())
    assert len(refs) == 2


def test_parts_are_bounded_streamed_and_whole(here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 10)
    monkeypatch.setattr(parts, "GROUP_ROWS", 5)
    for count in (0, 1, 5, 10, 11, 20, 23):
        folder = tmp_path / str(count)
        folder.mkdir()
        written = parts.write_parts(({"a": str(n), "b": None} for n in range(count)), ["a", "b"], folder)
        assert [part.rows for part in written] == ([10] * (count // 10) + ([count % 10] if count % 10 else []) or [0])
        values = [v for part in written for v in pq.read_table(folder / part.file)["a"].to_pylist()]
        assert values == [str(n) for n in range(count)]
        assert all(pq.read_metadata(folder / part.file).row_group(0).num_rows <= 5 for part in written if part.rows)


def test_an_empty_list_is_a_batch_with_a_schema(here: Settings, source: Source, agency: Agency) -> None:
    agency.records = []
    manifest = ledger.land(source, WINDOW, None, settings=here)
    (path,) = ledger.part_paths(manifest, here)
    assert (manifest.rows, pq.read_table(path).num_rows) == (0, 0)


def test_files_are_read_only_and_checked(here: Settings, source: Source) -> None:
    manifest = ledger.land(source, WINDOW, None, settings=here)
    ledger.verify(manifest, here)
    (path,) = ledger.part_paths(manifest, here)
    for file in (path, path.parent / "manifest.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o444
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(LandingError, match=r"part-00000.parquet: .*checksum.*extract that night again"):
        ledger.verify(manifest, here)
    path.unlink()
    with pytest.raises(LandingError, match=r"part-00000.parquet: the file is gone"):
        ledger.verify(manifest, here)


def test_a_failed_fetch_is_recorded_and_raised(here: Settings, source: Source, httpserver: HTTPServer) -> None:
    httpserver.clear()
    httpserver.expect_request("/dossiers").respond_with_data("", status=401)
    with pytest.raises(SourceRefused):
        ledger.land(source, WINDOW, None, settings=here)
    (manifest,) = ledger.manifests(here)
    assert (manifest.outcome, manifest.rows, manifest.parts, manifest.requests_count) == ("failed", 0, [], 1)
    assert manifest.fault is not None
    assert (manifest.fault.kind, manifest.fault.where) == ("refused", f"dossiers: {httpserver.url_for('/dossiers')}")
    assert manifest.fault.remedy


def test_a_pull_that_fails_half_way_leaves_no_rows(here: Settings, source: Source, agency: Agency) -> None:
    def fail(question: int) -> None:
        if question == 3:
            raise RuntimeError("the portal crashes")

    agency.before_answer = fail
    with pytest.raises(Exception, match=r"HTTP 500"):
        ledger.land(source, WINDOW, None, settings=here)
    assert [path.name for path in here.landing_dir.rglob("*") if path.is_file()] == [".lock", "manifest.json"]


def test_a_fault_of_ours_is_recorded_without_its_text(
    here: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> list[parts.Part]:
        raise RuntimeError("Nguyễn Thị Canary")

    monkeypatch.setattr(parts, "write_parts", broken)
    with pytest.raises(RuntimeError):
        ledger.land(source, WINDOW, None, settings=here)
    (manifest,) = ledger.manifests(here)
    assert manifest.fault is not None
    assert manifest.fault.what == "unexpected RuntimeError while pulling"
    assert "Canary" not in everything_written(here)


def test_a_connection_that_is_not_defined_is_a_failed_fetch(
    here: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PORTAL", raising=False)
    guarded = source.model_copy(update={"connection": "portal"})
    with pytest.raises(ConfigError, match=r"set AIRFLOW_CONN_PORTAL"):
        ledger.extract_night(guarded, NIGHT, credentials_from_environment, settings=here)
    (manifest,) = ledger.manifests(here)
    assert manifest.fault is not None
    assert manifest.fault.kind == "config"


def test_each_night_begins_where_the_last_landed_one_ended(
    here: Settings, source: Source, agency: Agency, httpserver: HTTPServer
) -> None:
    first = ledger.extract_night(source, NIGHT, credentials_from_environment, settings=here)
    assert first.since == day_start(date(2026, 1, 1))
    assert first.until == day_end(NIGHT)
    httpserver.clear()
    with pytest.raises(Exception, match=r"dossiers"):
        ledger.extract_night(source, NIGHT + timedelta(days=1), credentials_from_environment, settings=here)
    httpserver.expect_request("/dossiers").respond_with_handler(agency.handle)
    late = NIGHT + timedelta(days=60)
    third = ledger.extract_night(source, late, credentials_from_environment, settings=here)
    assert third.since == first.until - timedelta(days=45), "caught up from where it stopped, and the lookback re-read"
    again = ledger.extract_night(source, late, credentials_from_environment, settings=here)
    assert again.until == third.until
    found = list(ledger.manifests(here, "online_services", "dossiers"))
    assert [m.outcome for m in found] == ["landed", "failed", "landed", "landed"]
    assert [m.batch_id for m in found] == sorted(m.batch_id for m in found)


def test_listing_by_feed_and_source_and_past_what_is_decided(here: Settings, source: Source) -> None:
    first = ledger.land(source, WINDOW, None, settings=here)
    other = ledger.land(source.model_copy(update={"source": "other"}), WINDOW, None, settings=here)
    assert list(ledger.manifests(here)) == [first, other]
    assert list(ledger.manifests(here, source_id="other")) == [other]
    assert list(ledger.manifests(here, feed="staffing")) == []
    damaged = ledger.batch_folder(first, here) / "manifest.json"
    damaged.chmod(0o644)
    damaged.write_text("{")
    with pytest.raises(LandingError, match=r"manifest.json: the manifest cannot be read"):
        list(ledger.manifests(here))
    assert list(ledger.manifests(here, skip={first.batch_id})) == [other]


def test_a_manifest_says_what_was_done(here: Settings, source: Source) -> None:
    manifest = ledger.land(source, WINDOW, None, settings=here)
    text = json.loads((ledger.batch_folder(manifest, here) / "manifest.json").read_text("utf-8"))
    assert Manifest.model_validate(text) == manifest
    assert manifest.batch_id.startswith(f"dossiers.{NIGHT}.")
    assert manifest.requests_count >= 3
    assert manifest.bytes_received > 1_000
    assert manifest.started_at <= manifest.finished_at
    assert manifest.contract_hash == source.contract.content_hash


KILLED = """
import sys, time
from pathlib import Path
from dti.landing import ledger, parts, places
from dti.settings import Settings
from dti.sources.spec import load_source_file
from dti.sources.window import window_for
from datetime import date

written = parts.seal
def stall(path):
    written(path)
    if path.name == sys.argv[3]:
        Path(sys.argv[4]).touch()
        time.sleep(60)
parts.seal = stall
source = load_source_file(Path(sys.argv[2]))
settings = Settings(home=Path(sys.argv[1]), pseudonym_key="a long enough test key")
ledger.land(source, window_for(source.contract, date(2026, 3, 1), None), None, settings=settings)
"""


@pytest.mark.parametrize("stage", ["part-00000.parquet", ".manifest.json"])
def test_a_killed_process_leaves_no_batch_and_the_next_one_cleans_up(
    here: Settings, source: Source, tmp_path: Path, stage: str
) -> None:
    file, mark = tmp_path / "dossiers.yml", tmp_path / "reached"
    file.write_text(yaml.safe_dump(json.loads(source.model_dump_json())), "utf-8")
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(here.home_dir), str(file), stage, str(mark)])
    deadline = time.monotonic() + 30
    while not mark.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert list(here.landing_dir.rglob("part-*.parquet")), "something was left"
    assert list(ledger.manifests(here)) == []
    manifest = ledger.land(source, WINDOW, None, settings=here)
    assert list(ledger.manifests(here)) == [manifest]
    folders = [path for path in (here.landing_dir / "online_services" / "dossiers").iterdir() if path.is_dir()]
    assert [folder.name for folder in folders] == [manifest.batch_id]


def test_two_pulls_of_one_source_wait_for_each_other(here: Settings, source: Source, agency: Agency) -> None:
    agency.before_answer = lambda _: time.sleep(0.05)
    with ThreadPoolExecutor(2) as pool:
        landed = list(pool.map(lambda _: ledger.land(source, WINDOW, None, settings=here), range(2)))
    assert sorted(m.batch_id for m in landed) == [m.batch_id for m in ledger.manifests(here)]
    spans = sorted((m.started_at, m.finished_at) for m in landed)
    assert spans[0][1] <= spans[1][0]


def test_waiting_for_another_process_at_the_source_ends_and_names_it(
    here: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.1)
    with (
        ledger.new_batch(source.feed, source.source, NIGHT, here),
        pytest.raises(
            LandingError, match=rf"{source.source}: process {os.getpid()} is at this source.*end it if it hangs"
        ),
        ledger.new_batch(source.feed, source.source, NIGHT, here),
    ):
        raise AssertionError("two at once")
