"""A real pull of every source against the served sandbox gives exactly what the agencies have."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dti.errors import SourceUnreachable
from dti.sources.credentials import Credentials
from dti.sources.pull import PullStats
from dti.sources.read import read
from dti.sources.spec import load_source_file
from dti.sources.window import Window
from sandbox import truth
from sandbox.world.times import midnight
from tests.unit.sandbox.served import CLIENT, NIGHT, Served

FILES = Path("include/sources/sandbox")
SINCE = NIGHT.replace(day=1)
Pulled = tuple[list[dict[str, str | None]], PullStats]


def pull(served: Served, name: str, monkeypatch: pytest.MonkeyPatch) -> Pulled:
    monkeypatch.setenv("DTI_SANDBOX_URL", served.url)
    source = load_source_file(FILES / f"{name}.yml")
    credentials = Credentials(login=CLIENT[0], password=SecretStr(CLIENT[1])) if source.connection else None
    start, end = (datetime.fromtimestamp(t, UTC) for t in (midnight(SINCE), midnight(NIGHT) + 86_400))
    stats = PullStats()
    drop = None if served.home is None else served.home / "drop"
    return list(read(source, Window(NIGHT, start, end), credentials, b"k" * 32, stats, drop)), stats


def expected(name: str) -> list[dict[str, Any]]:
    return [d.record for d in truth.delivered(name, NIGHT, since=SINCE)]


def text(value: object) -> str | None:
    """Text as it lands: composed, without surrounding space."""
    return unicodedata.normalize("NFC", str(value)).strip() or None if value is not None else None


def in_order(moment: str) -> str:
    """A portal's time so that it sorts as text."""
    return f"{moment[6:10]}{moment[3:5]}{moment[:2]}{moment[11:]}" if "/" in moment else moment


def sampled_at(row: dict[str, str | None]) -> float:
    return datetime.fromisoformat(str(row["sampled_at"])).timestamp()


def test_there_is_a_source_file_for_each_source_and_all_say_synthetic() -> None:
    assert sorted(p.stem for p in FILES.glob("*.yml")) == truth.sources()
    for path in FILES.glob("*.yml"):
        source = load_source_file(path)
        assert source.synthetic
        assert "ynthetic" in source.licence
        assert source.pool.startswith("agency_")
        assert source.connection in {None, "sandbox"}


@pytest.mark.parametrize("name", ["dvc-dak-lak", "dvc-lam-dong", "dvc-quoc-gia"])
def test_every_dossier_lands_once_in_its_newest_state(
    served: Served, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, stats = pull(served, name, monkeypatch)
    newest: dict[str, dict[str, Any]] = {}
    for record in expected(name):
        other = newest.get(record["MaHoSo"])
        if other is None or in_order(record["NgayCapNhat"]) > in_order(other["NgayCapNhat"]):
            newest[record["MaHoSo"]] = record
    assert {row["dossier_id"]: (row["status_code"], row["procedure_code"], row["unit"]) for row in rows} == {
        code: (
            r["TrangThaiHoSo"],
            text(r["MaTTHC"]),
            text(r.get("TenTinh", "Đắk Lắk" if "dak" in name else "Lâm Đồng")),
        )
        for code, r in newest.items()
    }
    assert len(rows) == len(newest)
    fees = {code: str(sum(int(f["Gia"]) for f in r["DanhSachLePhi"])) for code, r in newest.items()}
    assert {row["dossier_id"]: row["fee_vnd"] for row in rows} == fees
    electronic = {
        code: str(any(p["DuongDanTepTinKetQua"] for p in r["DanhSachGiayToKetQua"])).lower()
        for code, r in newest.items()
    }
    assert {row["dossier_id"]: row["has_electronic_result"] for row in rows} == electronic
    for row in rows[:200]:
        people = newest[str(row["dossier_id"])]
        kept = " ".join(str(value) for value in row.values())
        for personal in ("ChuHoSo", "SoDinhDanh", "SoDienThoai"):
            assert people[personal] not in kept
    assert not stats.warnings


@pytest.mark.parametrize(
    ("name", "column", "field"),
    [
        ("tthc-dak-lak", "procedure_code", "MaTTHC"),
        ("tthc-lam-dong", "procedure_code", "MaTTHC"),
        ("tthc-quoc-gia", "procedure_code", "MaTTHC"),
        ("kiem-ke-quoc-gia", "item_code", "MaMuc"),
        ("khai-bao-quoc-gia", "metric", "MaSoLieu"),
        ("so-noi-vu-dak-lak", "agency_code", "Mã cơ quan"),
        ("to-cnscd-dak-lak", "commune_name", "Xã, phường, đặc khu / Tên"),
        ("kiem-ke-dak-lak", "item_name", "Tên mục"),
        ("kiem-ke-lam-dong", "item_code", "Mã mục"),
        ("khai-bao-dak-lak", "evidence_ref", "Kê khai / Tài liệu kiểm chứng"),
    ],
)
def test_every_line_of_a_list_lands(
    served: Served, name: str, column: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = pull(served, name, monkeypatch)
    assert Counter(row[column] for row in rows) == Counter(text(record[field]) for record in expected(name))


@pytest.mark.parametrize(
    ("name", "columns", "fields"),
    [
        (
            "bo-noi-vu",
            ("unit", "agency_code", "staff_total"),
            ("Tỉnh, thành phố", "Mã cơ quan", "Tổng số công chức, viên chức"),
        ),
        ("to-cnscd-quoc-gia", ("unit", "commune_code", "population"), ("Tỉnh", "Mã xã", "Dân số")),
    ],
)
def test_every_line_of_a_national_file_lands_once(
    served: Served, name: str, columns: tuple[str, ...], fields: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = pull(served, name, monkeypatch)
    wanted = set()
    for record in expected(name):
        unit, code, number = (text(record[f]) for f in fields)
        wanted.add((unit, code, number.replace(".", "") if number and number[0].isdigit() else number))
    assert {tuple(row[c] for c in columns) for row in rows} == wanted
    lines = {tuple(str(v) for k, v in r.items() if k not in {"STT", "TT"}) for r in expected(name)}
    assert len(rows) == len(lines), "a line that was sent twice lands once"


@pytest.mark.parametrize("name", ["prometheus-dak-lak", "prometheus-quoc-gia"])
def test_every_sample_lands_but_those_without_a_number(
    served: Served, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = pull(served, name, monkeypatch)
    found = {(row["data_centre_id"], row["measure"], sampled_at(row)): float(str(row["value"])) for row in rows}
    wanted = {
        (r["data_centre"], r["measure"], float(r["sampled_at"])): float(r["value"])
        for r in expected(name)
        if r["value"] != "NaN"
    }
    assert len(found) == len(rows)
    assert found == wanted


def test_the_dead_agency_is_unreachable(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceUnreachable, match="503"):
        pull(served, "dvc-ca-mau", monkeypatch)


def test_a_report_carries_the_day_of_its_title(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("so-noi-vu-dak-lak", "to-cnscd-dak-lak"):
        rows, stats = pull(served, name, monkeypatch)
        assert {row["reported_on"] for row in rows} == {"2026-05-31"}
        assert stats.source_files[0].endswith("2026-05.xlsx")
