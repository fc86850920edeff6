"""A candidate becomes a publication and a bundle: what both say, and that both always say the same."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from dti import flow
from dti.annual.bundle import bundle_folder, verify, write_bundle
from dti.annual.model import RequestError
from dti.annual.publication import Publication
from dti.annual.publish import publish, reject
from dti.annual.request import get_request
from dti.annual.tables import CHILDREN, HEAD
from dti.settings import Settings
from dti.store import StoreError
from dti.store.bucket import bucket_of
from dti.warehouse import connect
from dti.warehouse.query import run_select
from dti_airflow.web import files
from tests.builders.object_store import ObjectStore
from tests.builders.publishing import DAK_LAK, HANOI, VALUES, candidate, own_warehouse


@pytest.fixture(scope="module")
def own() -> Iterator[Settings]:
    with own_warehouse() as settings:
        yield settings


@pytest.fixture(scope="module")
def first(own: Settings) -> Publication:
    """The first publication of 2026."""
    return publish(candidate(own, "2026-r1"), approver="Nguyễn Văn A", note="đồng ý", settings=own)


def ask(settings: Settings, question: str) -> list[dict[str, Any]]:
    columns, rows = run_select(question, settings)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def execute(settings: Settings, statement: str) -> None:
    with connect.engine(settings, "owner").begin() as connection:
        connection.execute(text(statement))


def test_a_publication_says_who_what_when_and_why(own: Settings, first: Publication) -> None:
    assert first.publication_id == "2026.dti.34.v1"
    assert (first.approver, first.note, first.requester, first.reason) == (
        "Nguyễn Văn A", "đồng ý", "Lê Văn B", "năm kết thúc",
    )  # fmt: skip
    assert [entry["feed"] for entry in first.known] == ["online_services"]
    assert first.units_count == 34
    (version,) = ask(own, "select * from published_version where publication_id = '2026.dti.34.v1'")
    assert version["checksum"] == first.checksum
    assert get_request("2026-r1", settings=own).publication_id == first.publication_id


def test_the_marts_show_the_published_figures_with_their_originals(own: Settings, first: Publication) -> None:
    of = f"publication_id = '{first.publication_id}'"
    ranked = ask(own, f"select unit_id, index_value, rank_national from published_composite_index where {of}")
    by_unit = {row["unit_id"]: (str(row["index_value"]), row["rank_national"]) for row in ranked}
    assert by_unit[HANOI] == ("0.9259", 1)  # (10 · 80/90 + 5) / 15
    assert by_unit[DAK_LAK] == ("0.5810", 2)  # 10 · 61/70 / 15
    assert len(ask(own, f"select * from published_pillar_index where {of}")) == 34 * 2
    assert len(ask(own, f"select * from published_indicator_score where {of}")) == 34 * 2
    assert len(ask(own, f"select * from published_metric_value where {of}")) == len(VALUES)


def test_names_stay_as_they_were_published(own: Settings, first: Publication) -> None:
    execute(own, "update ref.unit set name_vi = 'Tên mới' where unit_id = 'P34-66'")
    execute(own, "update method.indicator set name_vi = 'khác'")
    try:
        names = ask(own, f"select distinct unit_name from published_pillar_index where unit_id = '{DAK_LAK}'")
        assert names == [{"unit_name": "Đắk Lắk"}]
        assert verify(first.publication_id, settings=own) == []
    finally:
        execute(own, "update ref.unit set name_vi = 'Đắk Lắk' where unit_id = 'P34-66'")


def test_a_second_publication_is_a_new_version_beside_the_first(own: Settings, first: Publication) -> None:
    second = publish(
        candidate(own, "2026-r2", {**VALUES, (DAK_LAK, "n"): 70, (DAK_LAK, "y"): 1}), approver="A", settings=own
    )
    assert (second.publication_id, second.version) == ("2026.dti.34.v2", 2)
    found = ask(own, "select version, is_newest from published_version where year = 2026 order by version")
    assert found == [{"version": 1, "is_newest": False}, {"version": 2, "is_newest": True}]
    ranks = ask(own, f"select version, rank_national from published_composite_index where unit_id = '{DAK_LAK}'")
    assert sorted((row["version"], row["rank_national"]) for row in ranks) == [(1, 2), (2, 1)]
    assert verify(first.publication_id, settings=own) == []


def test_a_day_restated_after_the_cut_off_marks_it_as_outdated_and_changes_nothing(own: Settings) -> None:
    publication = publish(candidate(own, "2021-r1"), approver="A", settings=own)
    rows = [
        ("online_services", DAK_LAK, "2021-03-05", "2027-03-01", "b1"),
        ("online_services", HANOI, "2021-03-06", "2027-02-20", "b2"),
        ("online_services", DAK_LAK, "2021-03-05", "2027-01-01", "before the cut-off"),
        ("online_services", DAK_LAK, "2022-01-01", "2027-03-01", "another year"),
        ("online_services", "P63-66", "2021-03-05", "2027-03-01", "no unit of it"),
        ("staffing", DAK_LAK, "2021-03-05", "2027-03-01", "no feed of it"),
    ]
    for feed, unit, day, moment, batch in rows:
        execute(
            own,
            "insert into ops.restatement (feed, load_number, source_id, unit_id, day, kind, changes, batch_ids,"
            f" recorded_at) values ('{feed}', 8, 's1', '{unit}', '{day}', 'restated', '{{}}', array['{batch}'],"
            f" '{moment}')",
        )
    found = ask(
        own,
        "select year, is_outdated, outdated_by, outdated_days, outdated_batch_ids, outdated_since::date::text as since"
        " from published_version where year in (2021, 2026)",
    )
    outdated = [row for row in found if row["is_outdated"]]
    assert outdated == [
        {"year": 2021, "is_outdated": True, "outdated_by": "online_services", "outdated_days": 2,
         "outdated_batch_ids": ["b1", "b2"], "since": "2027-02-20"},
    ]  # fmt: skip
    assert verify(publication.publication_id, settings=own) == []


@pytest.mark.parametrize("merge_method", ["average", "recomputed"])
def test_former_provinces_are_published_with_what_they_gave(own: Settings, merge_method: Any) -> None:
    year = {"average": 2022, "recomputed": 2023}[merge_method]
    values = {("P63-66", "n"): 50, ("P63-66", "d"): 100, ("P63-54", "n"): 30, ("P63-54", "d"): 40}
    publication = publish(candidate(own, f"{year}-r1", values, merge_method=merge_method), approver="A", settings=own)
    assert (publication.merge_method, publication.units_count) == (merge_method, 34)
    of = f"publication_id = '{publication.publication_id}'"
    (score,) = ask(own, f"select points from published_indicator_score where {of} and unit_id = '{DAK_LAK}'"
                        " and indicator_code = '1.1'")  # fmt: skip
    assert round(float(score["points"]), 6) == {"average": 6.25, "recomputed": round(800 / 140, 6)}[merge_method]
    with connect.engine(own, "loader").connect() as connection:
        merged = connection.execute(
            text(f"select unit_id from published.unit where {of} and merged_into = '{DAK_LAK}' order by 1")
        ).scalars()
        assert list(merged) == ["P63-54", "P63-66"]
    metrics = ask(own, f"select distinct unit_id from published_metric_value where {of} order by 1")
    assert [row["unit_id"] for row in metrics] == {"average": ["P63-54", "P63-66"], "recomputed": [DAK_LAK]}[
        merge_method
    ]
    assert verify(publication.publication_id, settings=own) == []


def test_two_who_approve_at_once_publish_once(own: Settings) -> None:
    request_id = candidate(own, "2024-r1")
    with ThreadPoolExecutor(2) as pool:
        found = [
            pool.submit(publish, request_id, approver=approver, settings=own).result for approver in ("Một", "Hai")
        ]
        first, second = (result() for result in found)
    assert first == second
    assert len(ask(own, "select * from published_version where year = 2024")) == 1


def test_publishing_again_gives_the_same_publication(own: Settings, first: Publication) -> None:
    again = publish("2026-r1", approver="someone else", settings=own)
    assert again == first


def test_what_a_publication_was_made_of_is_told(own: Settings, first: Publication) -> None:
    flow.annual_publish("2026-r1", approver="someone else", settings=own)
    [path] = (own.home_dir / "lineage").glob("events-*.jsonl")
    started, ended = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert (started["eventType"], ended["eventType"]) == ("START", "COMPLETE")
    assert started["run"]["runId"] == ended["run"]["runId"]
    outputs = {d["name"]: d for d in ended["outputs"]}
    pillars = outputs["dti.published.pillar_index"]
    rows = ask(own, f"select 1 from published_pillar_index where publication_id = '{first.publication_id}'")
    assert pillars["outputFacets"]["outputStatistics"]["rowCount"] == len(rows) > 0
    assert pillars["facets"]["version"]["datasetVersion"] == first.publication_id
    made_of = pillars["facets"]["columnLineage"]["fields"]["points"]["inputFields"]
    assert [(d["name"], d["field"]) for d in made_of] == [("dti.score.pillar_index", "points")]
    assert "dti.marts.published_pillar_index" in outputs
    assert "dti.score.pillar_index" in {d["name"] for d in ended["inputs"]}
    assert "đồng ý" not in path.read_text("utf-8"), "who approved and what was noted is in the warehouse only"


@pytest.mark.parametrize(
    ("request_id", "status", "told"),
    [
        ("2012-r1", "requested", "compute and review it first"),
        ("2013-r1", "candidate", "review it first"),
        ("2014-r1", "withdrawn", "ask anew"),
        ("2015-r1", "failed", "mend what failed"),
        ("2016-r1", "rejected", "ask anew"),
    ],
)
def test_only_what_waits_can_be_published(own: Settings, request_id: str, status: str, told: str) -> None:
    candidate(own, request_id, status=status)
    with pytest.raises(RequestError, match=f"{request_id}: it is {status}.*{told}"):
        publish(request_id, approver="A", settings=own)
    assert ask(own, f"select * from published_version where request_id = '{request_id}'") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update score.run set status = 'running', finished_at = null where request_id = '2019-r1'", "not what was"),
        ("update annual.request set framework_hash = 'other' where request_id = '2019-r1'", "not what was asked for"),
        ("update annual.check_result set status = 'failed' where request_id = '2019-r1'", "checks failed: units"),
        ("delete from score.run where request_id = '2019-r1'", "is not there"),
    ],
)
def test_a_candidate_that_is_not_what_was_asked_is_not_published(own: Settings, change: str, told: str) -> None:
    candidate(own, "2019-r1")
    try:
        execute(own, change)
        with pytest.raises(RequestError, match=told):
            publish("2019-r1", approver="A", settings=own)
        assert ask(own, "select * from published_version where year = 2019") == []
        assert get_request("2019-r1", settings=own).status == "waiting"
    finally:
        execute(own, "delete from annual.request where request_id = '2019-r1'")


def test_a_rejected_candidate_is_kept_with_the_reason(own: Settings) -> None:
    candidate(own, "2018-r1")
    for who, why, told in (("A", " ", "no reason"), ("", "vì sai", "nobody decides")):
        with pytest.raises(RequestError, match=told):
            reject("2018-r1", rejecter=who, note=why, settings=own)
    rejected = reject("2018-r1", rejecter="A", note="vì sai", settings=own)
    assert (rejected.status, rejected.status_reason) == ("rejected", "vì sai")
    assert reject("2018-r1", rejecter="B", note="khác", settings=own) == rejected
    with pytest.raises(RequestError, match="rejected, it does not wait for a decision: vì sai"):
        publish("2018-r1", approver="A", settings=own)
    assert len(ask(own, f"select * from run where run_id = '{rejected.run_id}'")) == 1


def test_a_bundle_is_verified_with_sha256sum_alone(own: Settings, first: Publication) -> None:
    folder = bundle_folder(first.publication_id, own)
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert held == {*listed, "SHA256SUMS"}
    command = ["sh", "-c", "sha256sum csv/*.csv | sha256sum"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.stdout.split()[0] == first.checksum
    metadata = json.loads((folder / "metadata.json").read_text("utf-8"))
    assert metadata["publication"]["checksum"] == first.checksum
    assert metadata["rows"]["pillar_index"] == 34 * 2


def test_csv_parquet_and_workbook_say_the_same(own: Settings, first: Publication) -> None:
    folder = bundle_folder(first.publication_id, own)
    table = pq.read_table(folder / "parquet" / "composite_index.parquet")
    assert str(table.schema.field("index_value").type) == "decimal128(38, 18)"
    typed = {row["unit_id"]: float(row["index_value"]) for row in table.to_pylist()}
    book = load_workbook(folder / f"{first.publication_id}.xlsx")
    sheet = book["Xếp hạng · Ranking"]
    head = [cell.value for cell in sheet[1]]
    shown = {row[1].value: row[head.index("ALL\nx")].value for row in sheet.iter_rows(min_row=2)}
    assert shown == typed
    assert sheet.freeze_panes == "C2"
    assert [sheet.cell(2, 1).value, sheet.cell(2, 2).value] == [1, HANOI]
    metrics = pq.read_table(folder / "parquet" / "metric_value.parquet").to_pylist()
    assert {tuple(row["source_ids"]) for row in metrics} == {("s1", "s2")}


def test_text_in_a_workbook_is_never_a_formula(own: Settings, first: Publication) -> None:
    book = load_workbook(bundle_folder(first.publication_id, own) / f"{first.publication_id}.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.value for cell in cells} >= {"=1+1", "@recounted"}
    assert {cell.data_type for cell in cells} == {"s", "n"}


def test_another_process_at_another_time_writes_the_same_bytes(
    own: Settings, first: Publication, tmp_path: Path
) -> None:
    def hashes(folder: Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }

    folder = bundle_folder(first.publication_id, own)
    written = hashes(folder)
    folder.rename(tmp_path / "aside")
    script = (
        "import sys; from dti.settings import Settings; from dti.annual.bundle import write_bundle;"
        "write_bundle(sys.argv[1], settings=Settings())"
    )
    environment = {**os.environ, "DTI_HOME": str(own.home_dir), "TZ": "America/Lima", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", script, first.publication_id], env=environment, check=True)
    assert hashes(folder) == written
    assert len(written) == 2 * 8 + 3


@pytest.mark.parametrize("file", ["csv/unit.csv", "parquet/unit.parquet", "2026.dti.34.v1.xlsx", "metadata.json"])
def test_a_damaged_bundle_is_told_and_written_again(own: Settings, first: Publication, file: str) -> None:
    path = bundle_folder(first.publication_id, own) / file
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole + b" ")
    (told,) = verify(first.publication_id, settings=own)
    assert file in told
    assert write_bundle(first.publication_id, settings=own) == str(bundle_folder(first.publication_id, own))
    assert verify(first.publication_id, settings=own) == []
    assert path.read_bytes() == whole


def test_in_an_object_store_a_bundle_is_whole_or_none(
    own: Settings, first: Publication, object_store: ObjectStore, store_keys: None
) -> None:
    in_store, name = object_store.settings(own), f"published/{first.publication_id}"
    store = bucket_of(in_store)
    with object_store.holding("parquet/"), pytest.raises(StoreError):  # as far as a killed process came
        write_bundle(first.publication_id, settings=in_store.model_copy(update={"store_timeout_seconds": 2.0}))
    assert files.bundle_sizes(in_store, first.publication_id) is None
    assert write_bundle(first.publication_id, settings=in_store) == f"{in_store.store_url}/{name}"
    folder = bundle_folder(first.publication_id, own)
    on_disk = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {each.removeprefix(f"{name}/"): store.read(each) for each in store.below(name)} == on_disk
    store.replace(f"{name}/csv/unit.csv", b"changed")
    (told,) = verify(first.publication_id, settings=in_store)
    assert told == f"{in_store.store_url}/{name}/csv/unit.csv: is not what was published"
    write_bundle(first.publication_id, settings=in_store)
    assert verify(first.publication_id, settings=in_store) == []
    assert store.read(f"published/.damaged.{first.publication_id}.1/csv/unit.csv") == b"changed"
    assert files.with_bundle(in_store) == {first.publication_id}
    assert files.bundle_file(in_store, first.publication_id, "csv/unit.csv") == on_disk["csv/unit.csv"]


def test_missing_and_added_files_are_told(own: Settings, first: Publication) -> None:
    folder = bundle_folder(first.publication_id, own)
    (folder / "csv" / "unit.csv").unlink()
    (folder / "more.txt").write_text("x")
    told = verify(first.publication_id, settings=own)
    assert [fault.split(": ", 1)[1] for fault in told] == ["is missing", "does not belong there"]
    write_bundle(first.publication_id, settings=own)


def test_the_list_of_columns_is_what_the_database_has(own: Settings) -> None:
    kinds = {
        "text": "text", "integer": "integer", "numeric": "number", "boolean": "flag", "date": "day", "jsonb": "json",
        "timestamp with time zone": "moment", "ARRAY": "list",
    }  # fmt: skip
    with connect.engine(own, "owner").connect() as connection:
        rows = connection.execute(
            text(
                "select table_name, column_name, data_type, is_nullable from information_schema.columns"
                " where table_schema = 'published' order by table_name, ordinal_position"
            )
        ).all()
    found: dict[str, dict[str, str]] = {}
    for table, name, kind, nullable in rows:
        optional = "?" if kind == "text" and nullable == "YES" else ""
        found.setdefault(table, {})[name] = kinds[kind] + optional
    assert found.pop("publication") == {**HEAD.columns, "checksum": "text"}
    assert found == {table.name: table.columns for table in CHILDREN}
