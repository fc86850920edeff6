"""The oracle's counts: every metric straight from what the sandbox's agencies deliver, sharing no project code.

Rows into which the sandbox put a flaw are left out by the sandbox's own word, not by the project's rules, so that a
rule that lets one pass, or stops a sound one, shows as a difference.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

from sandbox import truth
from tests.oracle.method import ROOT, Metrics

VIETNAM = timezone(timedelta(hours=7))
OWN = {"dak-lak": "P34-66", "lam-dong": "P34-68", "ca-mau": "P34-96"}
YES = {"1", "co", "true", "x"}
Row = dict[str, Any]


def _fold(text: str) -> str:
    """Letters without marks, small, single-spaced, without the words for province and city."""
    bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(c for c in bare if not unicodedata.combining(c)).casefold()
    bare = re.sub(r"^(ubnd|uy ban nhan dan)\s+", "", " ".join(bare.split()))
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^(tinh|thanh pho|tp\.?)\s*", "", bare))


def _names() -> dict[str, str]:
    with (ROOT / "include/reference/unit.csv").open(encoding="utf-8") as file:
        units = [row for row in csv.DictReader(file) if row["geography"] == "34"]
    known = {_fold(row["name_vi"]): row["unit_id"] for row in units} | {row["code"]: row["unit_id"] for row in units}
    return known | {"hcm": "P34-79", "hcmc": "P34-79", "saigon": "P34-79"}


NAMES = _names()


def _unit(source: str, row: Row, field: str | None) -> str:
    agency = next((a for a in OWN if source.endswith(a)), None)
    return OWN[agency] if agency else NAMES[_fold(str(row[field]))]


def _number(value: object) -> Fraction:
    """A figure as JSON gives it, or as an office writes it (1.234,5)."""
    if isinstance(value, str):
        return Fraction(value.replace(".", "").replace(",", "."))
    return Fraction(str(value))


def _yes(value: object) -> bool:
    return value is not None and _fold(str(value)) in YES


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    return datetime.strptime(str(value), "%d/%m/%Y").replace(tzinfo=VIETNAM).date()


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    form = "%d/%m/%Y %H:%M:%S" if "/" in text else "%Y%m%d%H%M%S"
    return datetime.strptime(text, form).replace(tzinfo=VIETNAM)


def _sound(source: str, night: date, clock: datetime | None) -> Iterator[Row]:
    if source in truth.STOPPED:
        return
    for delivery in truth.delivered(source, night, clock=clock):
        if delivery.flaw in (None, "older_twin"):
            yield delivery.record


class Tally:
    """Counts by unit and metric of one feed."""

    def __init__(self, feed: str) -> None:
        self.feed, self.counts = feed, defaultdict[tuple[str, str], Fraction](Fraction)

    def add(self, unit: str, **counts: object) -> None:
        for metric, count in counts.items():
            self.counts[unit, metric] += Fraction(str(int(count) if isinstance(count, bool) else count))

    def metrics(self) -> Metrics:
        return {(unit, metric, self.feed, "measured"): value for (unit, metric), value in self.counts.items()}


def _newest(rows: Iterable[tuple[tuple[str, str], str, Row]]) -> dict[tuple[str, str], Row]:
    """By key the row with the greatest version; a later row wins a tie."""
    best: dict[tuple[str, str], tuple[str, Row]] = {}
    for key, version, row in rows:
        if key not in best or version >= best[key][0]:
            best[key] = (version, row)
    return {key: row for key, (_, row) in best.items()}


def dossiers(night: date, clock: datetime | None = None, earlier: Sequence[date] = ()) -> Metrics:
    """Dossiers of the year to date, and the services of the night's catalogue.

    A dossier whose newest state is bad counts as it stood when it was last sound on one of the ``earlier`` nights.
    """
    tally, online_procedures = Tally("online_services"), defaultdict[str, set[str]](set)
    year_start = date(night.year, 1, 1)

    def counted(moment: datetime | None) -> bool:
        return moment is not None and year_start <= moment.astimezone(VIETNAM).date() <= night

    for source in truth.sources():
        if not source.startswith("dvc-"):
            continue
        rows = _newest(
            (
                (_unit(source, row, "TenTinh"), row["MaHoSo"]),
                _moment(row["NgayCapNhat"]).isoformat(),  # type: ignore[union-attr]
                row,
            )
            for told in (*earlier, night)
            for row in _sound(source, told, clock if told == night else None)
        )
        for (unit, _), row in rows.items():
            received, due, finished = (_moment(row[f]) for f in ("NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy"))
            if counted(received):
                online = str(row["KenhThucHien"]) == "2"
                fee = sum((Fraction(part["Gia"]) for part in row["DanhSachLePhi"]), Fraction(0)) > 0
                if online:
                    online_procedures[unit].add(row["MaTTHC"])
                tally.add(
                    unit,
                    dossiers_received=True,
                    dossiers_online=online,
                    dossiers_with_fee=fee,
                    dossiers_paid_online=fee and row["DuocThanhToanTrucTuyen"] in ("1", "2"),
                    dossiers_digitised=row["HoSoCoThanhPhanSoHoa"] == "1",
                    dossiers_reusing_data=any(part["DuocLayTuKhoDMQG"] == "1" for part in row["TaiLieuNop"]),
                    dossiers_population_data=row["TaiKhoanDuocXacThucVoiVNeID"] == "1",
                    dossiers_synchronised=row["DaDongBoDVCQG"] == "1",
                )
            if row["TrangThaiHoSo"] in ("9", "10") and counted(finished):
                assert finished is not None
                tally.add(
                    unit,
                    dossiers_finished=True,
                    dossiers_on_time=due is not None and finished <= due,
                    dossiers_early=due is not None and finished.date() < due.date(),
                    dossiers_electronic_result=any(r["DuongDanTepTinKetQua"] for r in row["DanhSachGiayToKetQua"]),
                    dossiers_satisfied=row["DanhGiaHaiLong"] == "1",
                )
    for unit in {unit for unit, _ in tally.counts}:
        tally.add(unit, services_with_online_dossier=len(online_procedures[unit]))
        for metric in ("dossiers_finished", "dossiers_on_time", "dossiers_early"):
            tally.add(unit, **{metric: 0})
    for source in truth.sources():
        if source.startswith("tthc-"):
            for row in _sound(source, night, clock):
                level, active = int(row["MucDoDVC"]), row["HieuLuc"] == "1"
                tally.add(
                    _unit(source, row, "TenTinh"),
                    services_total=active,
                    services_online=active and level >= 3,
                    services_full_online=active and level == 4,
                    services_eligible_full_online=active and row["DuDieuKienToanTrinh"] == "1",
                )
    return tally.metrics()


def data_centres(night: date, clock: datetime | None = None) -> Metrics:
    """Seconds up and expected over the year to date; servers as last sampled."""
    tally = Tally("data_centre")
    last: dict[tuple[str, str, str], tuple[int, Fraction]] = {}
    days: set[tuple[str, str, date]] = set()
    for source in truth.STEPS:
        for row in _sound(source, night, clock):
            unit, centre = _unit(source, row, "province"), row["data_centre"]
            day = datetime.fromtimestamp(row["sampled_at"], VIETNAM).date()
            value = Fraction(row["value"])
            if not date(night.year, 1, 1) <= day <= night:
                continue
            if row["measure"] == "up_share":
                tally.add(unit, data_centre_up_seconds=value * row["step_seconds"])
                days.add((unit, centre, day))
            elif row["measure"].startswith("servers_"):
                key = (unit, centre, row["measure"])
                if key not in last or row["sampled_at"] >= last[key][0]:
                    last[key] = (row["sampled_at"], value)
    for unit, _, _ in days:
        tally.add(unit, data_centre_expected_seconds=86_400)
    for (unit, _, metric), (_, value) in last.items():
        tally.add(unit, **{metric: value})
    return tally.metrics()


def staffing(night: date, clock: datetime | None = None) -> Metrics:
    """Head counts of each agency's last report."""
    columns = {
        "staff_total": "Tổng số công chức, viên chức",
        "staff_digital_transformation": "Chuyên trách, kiêm nhiệm Chuyển đổi số",
        "staff_information_technology": "Chuyên trách, kiêm nhiệm Công nghệ thông tin",
        "staff_information_security": "Chuyên trách, kiêm nhiệm An toàn thông tin",
        "staff_trained_dx": "Được bồi dưỡng Chuyển đổi số",
        "staff_trained_digital_skills": "Được bồi dưỡng Kỹ năng số",
        "staff_trained_data": "Được bồi dưỡng Khai thác dữ liệu",
    }
    tally = Tally("staffing")
    for source in ("bo-noi-vu", "so-noi-vu-dak-lak"):
        rows = _newest(
            ((_unit(source, row, "Tỉnh, thành phố"), row["Mã cơ quan"]), "", row)
            for row in _sound(source, night, clock)
        )
        for (unit, _), row in rows.items():
            flat = {label.replace(" / ", " "): value for label, value in row.items()}
            tally.add(unit, agencies_total=1, agencies_with_focal_staff=_yes(flat["Có đầu mối"]))
            tally.add(unit, **{metric: _number(flat[label]) for metric, label in columns.items()})
    return tally.metrics()


def community_teams(night: date, clock: datetime | None = None) -> Metrics:
    """Teams, villages and people of each commune's last report."""
    tally = Tally("community_teams")
    for source in ("to-cnscd-quoc-gia", "to-cnscd-dak-lak"):
        own = source.endswith("dak-lak")
        group = "Thôn, buôn, tổ dân phố / " if own else ""
        columns = {
            "villages_total": f"{group}Tổng số" if own else "Số thôn",
            "villages_with_team": f"{group}Có Tổ" if own else "Số thôn có Tổ",
            "team_members_total": "Thành viên / Tổng số" if own else "Số thành viên",
            "team_members_trained": "Thành viên / Được tập huấn" if own else "Số thành viên được tập huấn",
            "population": "Dân số",
        }
        code = "Xã, phường, đặc khu / Mã" if own else "Mã xã"
        rows = _newest(((_unit(source, row, "Tỉnh"), row[code]), "", row) for row in _sound(source, night, clock))
        for (unit, _), row in rows.items():
            tally.add(unit, communes_total=1, communes_with_team=_yes(row["Có Tổ cấp xã"]))
            tally.add(unit, **{metric: _number(row[label]) for metric, label in columns.items()})
    return tally.metrics()


_KINDS = {
    "HTTT": "system", "Hệ thống thông tin": "system",
    "NENTANG": "platform", "Nền tảng số dùng chung": "platform",
    "MANG": "network", "Mạng truyền số liệu chuyên dùng": "network",
    "MAYTRAM": "workstations", "Nhóm máy trạm": "workstations",
    "CSDLQG": "database", "Cơ sở dữ liệu quốc gia": "database",
    "DAMMAYCP": "cloud", "Đám mây Chính phủ": "cloud",
}  # fmt: skip
_OWN_LABELS = {
    "LoaiMuc": "Loại mục",
    "DungChung": "Hạ tầng / Dùng chung",
    "DungDamMay": "Hạ tầng / Điện toán đám mây",
    "DaKetNoi": "Hạ tầng / Đã kết nối",
    "CoTriTueNhanTao": "Hạ tầng / Trí tuệ nhân tạo",
    "CapDo": "An toàn thông tin / Cấp độ",
    "DaPheDuyetCapDo": "An toàn thông tin / Được phê duyệt",
    "TrienKhaiDayDu": "An toàn thông tin / Triển khai đầy đủ",
    "DuocGiamSat": "An toàn thông tin / Được giám sát",
    "NgayKiemTra": "An toàn thông tin / Ngày kiểm tra",
    "SoLuong": "Số lượng máy / Tổng số",
    "SoLuongCoBaoVe": "Số lượng máy / Có phòng chống mã độc",
}


def inventory(night: date, clock: datetime | None = None) -> Metrics:
    """What each province's inventory of the night holds. A count exists for every unit that sent an inventory."""
    tally = Tally("platform_inventory")
    for source in ("kiem-ke-quoc-gia", "kiem-ke-dak-lak", "kiem-ke-lam-dong"):
        for record in _sound(source, night, clock):
            unit = _unit(source, record, "TenTinh")
            national = "LoaiMuc" in record
            row = record if national else {name: record[label] for name, label in _OWN_LABELS.items()}
            kind = _KINDS[row["LoaiMuc"]]
            system, platform, shared = kind == "system", kind == "platform", kind == "system" and _yes(row["DungChung"])
            assessed = _day(row["NgayKiemTra"]) if row["NgayKiemTra"] else None
            machines = kind == "workstations"
            tally.add(
                unit,
                systems_total=system,
                systems_level_determined=system and row["CapDo"] is not None,
                systems_level_approved=system and _yes(row["DaPheDuyetCapDo"]),
                systems_fully_protected=system and _yes(row["TrienKhaiDayDu"]),
                systems_monitored=system and _yes(row["DuocGiamSat"]),
                systems_assessed=system and assessed is not None and date(night.year, 1, 1) <= assessed <= night,
                shared_systems_total=shared,
                shared_systems_on_cloud=shared and _yes(row["DungDamMay"]),
                shared_platforms_required=platform,
                shared_platforms_with_ai=platform and _yes(row["CoTriTueNhanTao"]),
                workstations_total=_number(row["SoLuong"] or 0) if machines else 0,
                workstations_with_antimalware=_number(row["SoLuongCoBaoVe"] or 0) if machines else 0,
                agencies_total=kind == "network",
                agencies_on_dedicated_network=kind == "network" and _yes(row["DaKetNoi"]),
                national_databases_available=kind == "database",
                national_databases_connected=kind == "database" and _yes(row["DaKetNoi"]),
            )
            if kind == "cloud":
                tally.add(unit, government_cloud_connected=_yes(row["DaKetNoi"]))
    return tally.metrics()


def declarations(night: date, clock: datetime | None = None) -> Metrics:
    """Figures last stated for the night's year, by basis."""
    bases = {"TU_DANH_GIA": "declared", "THAM_DINH": "appraised", "Tự đánh giá": "declared", "Thẩm định": "appraised"}
    last: dict[tuple[str, str, str], tuple[date, Fraction]] = {}
    for source in ("khai-bao-quoc-gia", "khai-bao-dak-lak"):
        national = source.endswith("quoc-gia")
        names = (
            ("MaSoLieu", "HinhThuc", "KyBaoCao", "NgayKeKhai", "SoLieuKeKhai")
            if national
            else ("Mã số liệu", "Hình thức", "Kỳ báo cáo", "Kê khai / Ngày", "Kê khai / Số liệu")
        )
        for row in _sound(source, night, clock):
            metric, basis, year, stated, value = (row[name] for name in names)
            day = _day(stated)
            if int(year) != night.year or day > night:
                continue
            key = (_unit(source, row, "TenTinh"), metric, bases[basis])
            if key not in last or day > last[key][0]:
                last[key] = (day, _number(value))
    return {(unit, metric, "declarations", basis): value for (unit, metric, basis), (_, value) in last.items()}


def metrics(night: date, clock: datetime | None = None, earlier: Sequence[date] = ()) -> Metrics:
    """Every metric of every unit of the 34 for the year to ``night``, as told ``earlier`` and at ``clock``."""
    found = dossiers(night, clock, earlier)
    for part in (data_centres, staffing, community_teams, inventory, declarations):
        found |= part(night, clock)
    with (ROOT / "include/reference/unit.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["geography"] == "34":
                found[row["unit_id"], "months_in_period", "calendar", "measured"] = Fraction(night.month)
    return found
