"""An agency changes what it sends: what goes on, what stops, and what the operator is told to write."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti.errors import SourceChanged
from dti.feeds import contract as contracts
from dti.feeds import load_contract
from dti.landing import ledger
from dti.landing.batch import Manifest
from dti.settings import Settings
from dti.sources.check import probe
from dti.sources.model import Source
from dti.sources.rename import likeness, renamed
from dti.sources.spec import parse_source
from tests.unit.sources.agency import DOSSIERS, NIGHT, dossier, minute

WHOLE = {"paging": {"style": "none"}}
FIELDS = DOSSIERS["fields"] | {"due_at": "NgayHenTra", "finished_at": "KetQua.NgayTra"}


@pytest.fixture
def here(settings: Settings) -> Settings:
    return settings.model_copy(update={"pseudonym_key": SecretStr("a long enough test key")})


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the dossiers' feed another drift policy, of its own or of columns."""

    def change(columns: dict[str, Any] | None = None, **drift: Any) -> None:
        document = load_contract("online_services").model_dump()
        document["drift"] |= drift
        for name, own in (columns or {}).items():
            document["columns"][name]["drift"] = own
        changed = contracts.Contract.model_validate(document)
        monkeypatch.setattr(Source, "contract", property(lambda _: changed))

    return change


@pytest.fixture
def portal(httpserver: HTTPServer, here: Settings) -> Callable[..., Manifest]:
    """Lands what the agency sends tonight: these records, of a source with these changes to its file."""
    sent: list[list[dict[str, Any]]] = [[]]
    body = lambda _: Response(json.dumps({"data": sent[0]}), content_type="application/json")  # noqa: E731
    httpserver.expect_request("/dossiers").respond_with_handler(body)

    def night(records: list[dict[str, Any]], **changes: Any) -> Manifest:
        sent[0] = records
        connector = {"type": "rest", "address": httpserver.url_for("/dossiers"), "retries": 0, **WHOLE}
        document = DOSSIERS | {"connector": connector, "fields": FIELDS} | changes
        source = parse_source(yaml.safe_dump(document), "dossiers.yml", {})
        return ledger.extract_night(source, NIGHT, lambda _: None, settings=here)

    return night


def records(count: int = 40, **more: Any) -> list[dict[str, Any]]:
    made = [
        dossier(n, minute(n), NgayHenTra="2026-02-01T00:00:00+07:00", KetQua={"NgayTra": None}) | more
        for n in range(count)
    ]
    return [{name: value for name, value in record.items() if value != "GONE"} for record in made]


def renamed_to(new: str, old: str, count: int = 40) -> list[dict[str, Any]]:
    return [{(new if name == old else name): value for name, value in r.items()} for r in records(count)]


def test_what_came_is_counted_by_field_and_kind(portal: Callable[..., Manifest]) -> None:
    found = portal([*records(3), *records(1, NgayHenTra="GONE"), *records(1, KetQua=None)])
    assert found.records_count == 5
    assert found.field_counts["due_at"] == 4
    assert found.field_counts["finished_at"] == 4, "of a record without a result nothing can be told"
    assert found.field_counts["applicant_ref"] == 5
    assert "applicant_name" not in found.field_counts
    assert found.value_kinds == {"dossier_id": {"text": 5}, "procedure_code": {"text": 5}}


def test_a_new_field_goes_on_record(portal: Callable[..., Manifest], policy: Callable[..., None]) -> None:
    portal(records(GhiChu="x"))
    told = portal(records(GhiChu="x", KenhMoi="web"))
    assert told.unmapped_fields == ["GhiChu", "KenhMoi"]
    assert told.warnings == ["new field(s), put on record and not read: 'KenhMoi'"]
    assert portal(records(KenhMoi="web")).warnings == [], "it is told once"
    policy(new_field="stop")
    with pytest.raises(SourceChanged, match=r"new field\(s\): 'MaMoi' — map what is wanted under fields; .*record"):
        portal(records(MaMoi=1))


def test_a_renamed_field_stops_the_source_with_the_line_to_write(
    portal: Callable[..., Manifest], here: Settings
) -> None:
    portal(records())
    with pytest.raises(SourceChanged) as caught:
        portal(renamed_to("NgayHenTraMoi", "NgayHenTra"))
    assert caught.value.what.startswith(
        "1 mapped field(s) are in none of 40 records — missing: 'NgayHenTra' (due_at, 100% of records had it); "
        "not mapped: 'NgayHenTraMoi'; still there: 'Tinh', "
    )
    assert caught.value.remedy == (
        "if the agency renamed them, write in the source file: fields: {due_at: NgayHenTraMoi}; "
        "if they are gone for good, take them out of fields"
    )
    failed = list(ledger.manifests(here))[-1]
    assert (failed.outcome, failed.rows, failed.fault.kind) == ("failed", 0, "changed")  # type: ignore[union-attr]
    written = yaml.safe_load(
        "{" + caught.value.remedy.partition("write in the source file: ")[2].partition(";")[0] + "}"
    )
    assert portal(renamed_to("NgayHenTraMoi", "NgayHenTra"), fields=FIELDS | written["fields"]).rows == 40


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("MaTTHC", "MaThuTucHanhChinh", "fields: {procedure_code: MaThuTucHanhChinh}"),
        ("MaHoSo", "Mã hồ sơ", "fields: {dossier_id: '\"Mã hồ sơ\"'}"),
        ("Tinh", "TenTinh", "unit: {field: TenTinh}"),
        ("SoDinhDanh", "SoDinhDanhCaNhan", None),
        ("NgayTiepNhan", "ThoiGianTiepNhan", "fields: {opened_at: ThoiGianTiepNhan}"),
        ("DanhSachLePhi", "DanhSachPhi", None),
    ],
)
def test_needed_fields_are_missed_at_the_first_pull_and_others_only_once_known(
    portal: Callable[..., Manifest], old: str, new: str, line: str | None
) -> None:
    sent = renamed_to(new, old)
    if line is not None:
        with pytest.raises(SourceChanged) as caught:
            portal(sent)
        assert f"write in the source file: {line}" in caught.value.remedy
        assert "take them out" not in caught.value.remedy
        return
    assert any(warning.startswith("no record has ") and old in warning for warning in portal(sent).warnings)
    portal(records())
    with pytest.raises(SourceChanged, match=rf"write in the source file: fields: .*{new}"):
        portal(sent)


def test_a_field_that_is_often_absent_is_not_missed_by_chance(portal: Callable[..., Manifest]) -> None:
    portal([*records(20), *records(20, NgayHenTra="GONE")])
    few = portal(records(5, NgayHenTra="GONE"))
    assert few.warnings == ["no record has 'NgayHenTra' (due_at)"], "one time in 37 this is chance"
    with pytest.raises(SourceChanged, match=r"'NgayHenTra' \(due_at, 44% of records had it\)"):
        portal(records(40, NgayHenTra="GONE"))


def test_what_is_gone_within_a_field_is_missed_too(portal: Callable[..., Manifest]) -> None:
    portal(records())
    assert portal(records(KetQua=None)).rows == 40, "a result that is not there yet says nothing"
    with pytest.raises(SourceChanged, match=r"'KetQua.NgayTra' \(finished_at, 50% .* ask the agency") as caught:
        portal(records(KetQua={"NgayTraKetQua": None}))
    assert "write in the source file" not in caught.value.remedy


def test_a_column_may_be_let_go(portal: Callable[..., Manifest], policy: Callable[..., None]) -> None:
    portal(records())
    policy({"due_at": {"missing_field": "empty"}})
    assert portal(records(NgayHenTra="GONE")).warnings == ["no record has 'NgayHenTra' (due_at)"]
    with pytest.raises(SourceChanged, match="fee_vnd"):
        portal(records(NgayHenTra="GONE", DanhSachLePhi="GONE"))
    policy(missing_field="empty")
    assert portal(records(MaTTHC="GONE")).rows == 40


def test_an_empty_pull_misses_nothing(portal: Callable[..., Manifest]) -> None:
    portal(records())
    assert portal([]).warnings == []


@pytest.mark.parametrize(
    ("value", "kind", "remedy"),
    [
        ({"Ma": "1.000656"}, "object", "map the text within it, such as fields: {procedure_code: MaTTHC.<name>}"),
        (1.000656, "number", "written as a number a code loses its zeros"),
    ],
)
def test_text_that_becomes_something_else_stops_the_source(
    portal: Callable[..., Manifest], policy: Callable[..., None], value: Any, kind: str, remedy: str
) -> None:
    portal(records())
    mixed = [*records(21, MaTTHC=value), *[r | {"MaHoSo": f"b{n}"} for n, r in enumerate(records(19))]]
    with pytest.raises(SourceChanged) as caught:
        portal(mixed)
    assert caught.value.what == f"'MaTTHC' (procedure_code) is text, and 21 of 40 values are now of type {kind}"
    assert remedy in caught.value.remedy
    policy({"procedure_code": {"retyped_field": "quarantine"}})
    assert portal(mixed).warnings == [caught.value.what]


def test_numbers_for_text_are_no_change_where_they_were_always_sent(portal: Callable[..., Manifest]) -> None:
    assert portal(records(MaTTHC=7)).rows == 40
    assert portal(records(MaTTHC=8)).rows == 40


def test_a_renamed_change_time_is_told_as_such(httpserver: HTTPServer, rest_source: Any, pull: Any) -> None:
    httpserver.expect_request("/dossiers").respond_with_json({"data": renamed_to("NgayCapNhat", "CapNhat", 3)})
    with pytest.raises(SourceChanged) as caught:
        pull(rest_source())
    assert "missing: 'CapNhat' (change_time, required), 'CapNhat' (updated_at, required)" in caught.value.what
    assert "connector: {change_time: {field: NgayCapNhat}}" in caught.value.remedy
    assert "fields: {updated_at: NgayCapNhat}" in caught.value.remedy


def prometheus(httpserver: HTTPServer, labels: dict[str, dict[str, str]]) -> Source:
    """A source of these measures, each with one series of these labels."""

    def answer(request: Request) -> Response:
        values = [[int(request.args["start"]), "1"]]
        result = [{"metric": labels[request.args["query"]], "values": values}]
        body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return Response(json.dumps(body), content_type="application/json")

    httpserver.clear()
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(answer)
    queries = [{"measure": measure, "promql": measure} for measure in labels]
    address = httpserver.url_for("/")
    connector = {"type": "prometheus", "address": address, "queries": queries, "step_seconds": 3600, "retries": 0}
    about = {"source": "centre", "feed": "data_centre", "agency": "a", "owner": "o", "licence": "l"}
    mapped = {"unit": {"fixed": "P34-66"}, "fields": {"data_centre_id": "job"}}
    return parse_source(yaml.safe_dump(about | mapped | {"connector": connector}), "centre.yml", {})


def test_a_renamed_label_is_missed_in_its_own_measure(httpserver: HTTPServer, pull: Any) -> None:
    assert len(pull(prometheus(httpserver, {"up_share": {"job": "n"}, "servers_total": {"job": "n"}}))[0]) == 2
    with pytest.raises(SourceChanged) as caught:
        pull(prometheus(httpserver, {"up_share": {"job": "n"}, "servers_total": {"job_name": "n"}}))
    assert "missing: 'job' (data_centre_id, required, in servers_total); not mapped: 'job_name'" in caught.value.what
    assert "fields: {data_centre_id: job_name}" in caught.value.remedy
    assert caught.value.where == f"centre: {httpserver.url_for('/')}"


def table(folder: Path, *headers: str) -> None:
    rows = [headers, *([f"x{n}" for _ in headers] for n in range(3))]
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "tables" / "t.csv").write_text("\n".join(";".join(row) for row in rows), "utf-8")


def test_a_table_misses_a_column_it_had_and_one_it_needs(here: Settings) -> None:
    fields = {"procedure_code": "Mã thủ tục", "procedure_name": "Tên thủ tục", "field_code": "Mã lĩnh vực"}
    contract = load_contract("service_catalogue")
    optional = next(name for name, column in contract.columns.items() if not column.required)
    fields = {n: f"Cột {n}" for n, c in contract.columns.items() if c.required} | {optional: "Ghi chú thêm"}
    about = {"source": "danh-muc", "feed": "service_catalogue", "agency": "a", "owner": "o", "licence": "l"}
    document = about | {"unit": {"fixed": "P34-66"}, "connector": {"type": "tabular", "path": "tables/*.csv"}}
    source = parse_source(yaml.safe_dump(document | {"fields": fields}, allow_unicode=True), "danh-muc.yml", {})
    night = lambda: ledger.extract_night(source, NIGHT, lambda _: None, settings=here)  # noqa: E731
    headers = list(fields.values())
    table(here.home_dir / "drop", *headers[:-1])
    assert night().warnings == [f"no column for {optional}"]
    table(here.home_dir / "drop", *headers)
    assert night().field_counts[optional] == 3
    table(here.home_dir / "drop", *headers[:-1], "Ghi chú")
    with pytest.raises(SourceChanged, match=rf"'Ghi chú thêm' \({optional}, 50% .*fields: {{{optional}: Ghi chú}}"):
        night()
    table(here.home_dir / "drop", *headers[1:])
    with pytest.raises(SourceChanged, match=r"t.csv: 1 mapped field\(s\) are not in the header — missing: .*required"):
        night()


def test_a_check_with_connection_tells_what_to_map(portal: Any, httpserver: HTTPServer, rest_source: Any) -> None:
    httpserver.clear()
    httpserver.expect_request("/dossiers").respond_with_json({"data": renamed_to("MaThuTuc", "MaTTHC", 3)})
    lines = probe(rest_source(**WHOLE), None)
    (told,) = [line for line in lines if line.startswith("changed: ")]
    assert "'MaTTHC' (procedure_code, required)" in told
    assert "fields: {procedure_code: MaThuTuc}" in told


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        ("NgayHenTra", "NgayHenTraMoi", True),
        ("NgàyHẹnTrả", "ngay_hen_tra", True),
        ("MaTTHC", "MaThuTucHanhChinh", True),
        ("MaHoSo", "ma_hs", True),
        ("NgayHenTra", "NgayKetThucXuLy", False),
        ("Tinh", "GhiChu", False),
        ("", "NgayHenTra", False),
    ],
)
def test_names_are_compared_as_a_reader_would(old: str, new: str, alike: bool) -> None:
    assert (likeness(old, new) >= 0.6) is alike


def test_no_field_is_guessed_twice() -> None:
    missing = {"due_at": ["NgayHenTra"], "finished_at": ["NgayTra"]}
    assert renamed(missing, ["NgayHenTraMoi", "GhiChu"]) == {"due_at": "NgayHenTraMoi"}


@pytest.mark.parametrize("feed", contracts.feed_names())
def test_every_feed_says_what_becomes_of_changes(feed: str) -> None:
    path = Path(contracts.get_settings().include_dir / "feeds" / f"{feed}.yml")
    assert set(yaml.safe_load(path.read_text("utf-8"))["drift"]) == {"new_field", "missing_field", "retyped_field"}
