"""The plan as raw records of every feed, in the field names of the sandbox's national systems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sandbox.replay import plan as planned
from sandbox.replay.plan import Counts
from sandbox.replay.targets import Target
from sandbox.world import people
from sandbox.world.times import VIETNAM

Record = dict[str, Any]


@dataclass(frozen=True)
class Province:
    """One province of a replayed year: its target, its counts, and the year they are made up for."""

    target: Target
    counts: Counts
    framework: str
    year: int

    @property
    def code(self) -> str:
        """Its GSO code."""
        return self.target.unit_id.partition("-")[2]

    def count(self, feed: str, metric: str) -> int:
        """A planned count; 0 for one that the framework never asks for."""
        return int(self.counts.get((feed, metric), 0))

    def stamped(self, record: Record) -> Record:
        """The record with the province's name and the two labels that say it is made up, and for what."""
        label = f"synthetic, calibrated to the published {self.year} under {self.framework}"
        return {"TenTinh": self.target.name, **record, "synthetic": True, "calibrated": label}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S")


def dossiers(province: Province) -> Iterator[Record]:
    """Dossiers received and finished within the year, each flag on as many of them as planned."""

    def planned_for(metric: str) -> int:
        return province.count("online_services", metric)

    online, with_service = planned_for("dossiers_online"), max(1, planned_for("services_with_online_dossier"))
    early = planned_for("dossiers_early")
    on_time = max(early, planned_for("dossiers_on_time"))
    for i in range(planned.DOSSIERS):
        received = datetime(province.year, 1, 4, 8, tzinfo=VIETNAM) + timedelta(
            days=i * 300 // planned.DOSSIERS, minutes=i
        )
        due = received + timedelta(days=10)
        late = 3 if i >= on_time else 0 if i >= early else -3
        finished = due + timedelta(days=late)
        person = int(province.code) * 1_000 + i
        yield province.stamped(
            {
                "MaHoSo": f"000.00.{province.code}.R{province.code}-{received:%y%m%d}-{i:05d}",
                "MaTTHC": procedure_code(i % with_service if i < online else i % planned.SERVICES),
                "ChuHoSo": people.full_name(person),
                "LoaiDoiTuong": "1",
                "SoDinhDanh": people.identity(person),
                "Email": people.email(person),
                "SoDienThoai": people.phone(person),
                "NgayNopHoSo": _stamp(received),
                "NgayTiepNhan": _stamp(received),
                "NgayHenTra": _stamp(due),
                "NgayKetThucXuLy": _stamp(finished),
                "TrangThaiHoSo": "10",
                "DonViXuLy": f"R{province.code}.{i % 20 + 1:02d}",
                "KenhThucHien": "2" if i < online else "1",
                "DanhSachLePhi": [{"Gia": "20000"}] if i < planned.WITH_FEE else [],
                "DuocThanhToanTrucTuyen": "1" if i < planned_for("dossiers_paid_online") else "0",
                "DanhSachHoSoBoSung": [],
                "DanhSachGiayToKetQua": [
                    {
                        "DuongDanTepTinKetQua": "https://vidu.example/kq.pdf"
                        if i < planned_for("dossiers_electronic_result")
                        else ""
                    }
                ],
                "TaiLieuNop": [{"DuocLayTuKhoDMQG": "1" if i < planned_for("dossiers_reusing_data") else "0"}],
                "HoSoCoThanhPhanSoHoa": "1" if i < planned_for("dossiers_digitised") else "0",
                "TaiKhoanDuocXacThucVoiVNeID": "1" if i < planned_for("dossiers_population_data") else "0",
                "DanhGiaHaiLong": "1" if i < planned_for("dossiers_satisfied") else "0",
                "DaDongBoDVCQG": "1" if i < planned_for("dossiers_synchronised") else "0",
                "NgayCapNhat": _stamp(max(finished, received)),
            }
        )


def procedure_code(number: int) -> str:
    """A procedure code of a form that no real procedure has (n.9nnnnn)."""
    return f"1.9{number:05d}"


def procedures(province: Province) -> Iterator[Record]:
    """The catalogue: so many procedures offered, so many of them in full, so many eligible."""
    offered = province.count("online_services", "services_online")
    full = province.count("online_services", "services_full_online")
    eligible = province.count("online_services", "services_eligible_full_online")
    for i in range(planned.SERVICES):
        level = 4 if i < full else 3 if i < offered else 2
        yield province.stamped(
            {
                "MaTTHC": procedure_code(i),
                "TenTTHC": f"Thủ tục mô phỏng {i + 1}",
                "MaLinhVuc": "LV01",
                "MucDoDVC": str(level),
                "DuDieuKienToanTrinh": "1" if i < eligible else "0",
                "CoNghiaVuTaiChinh": "0",
                "CoKetQuaGiay": "1",
                "SoNgayGiaiQuyet": 10,
                "HieuLuc": "1",
            }
        )


def items(province: Province) -> Iterator[Record]:
    """The inventory: systems, platforms, networks, workstations, databases, the cloud."""

    def planned_for(metric: str) -> int:
        return province.count("platform_inventory", metric)

    def item(code: str, kind: str, **facts: object) -> Record:
        return province.stamped({"MaMuc": code, "TenMuc": f"Mục mô phỏng {code}", "LoaiMuc": kind, **facts})

    assessed = date(province.year, 3, 1)
    approved = max(planned_for("systems_level_approved"), planned_for("systems_fully_protected"))
    for i in range(planned.SYSTEMS):
        shared = i < planned.SHARED_SYSTEMS
        yield item(
            f"HT-{i:03d}",
            "HTTT",
            DungChung="1" if shared else "0",
            DungDamMay="1" if i < planned_for("shared_systems_on_cloud") else "0",
            CapDo=2 if i < max(approved, planned_for("systems_level_determined")) else None,
            DaPheDuyetCapDo="1" if i < planned_for("systems_level_approved") else "0",
            TrienKhaiDayDu="1" if i < planned_for("systems_fully_protected") else "0",
            DuocGiamSat="1" if i < planned_for("systems_monitored") else "0",
            NgayKiemTra=f"{assessed:%d/%m/%Y}" if i < planned_for("systems_assessed") else None,
        )
    for i in range(planned.PLATFORMS):
        yield item(
            f"NT-{i:03d}", "NENTANG", CoTriTueNhanTao="1" if i < planned_for("shared_platforms_with_ai") else "0"
        )
    for i in range(planned.NETWORKS):
        yield item(f"M-{i:03d}", "MANG", DaKetNoi="1" if i < planned_for("agencies_on_dedicated_network") else "0")
    guarded = planned_for("workstations_with_antimalware")
    for i in range(planned.WORKSTATION_GROUPS):
        size = planned.WORKSTATIONS_OF_GROUP
        yield item(f"MT-{i:03d}", "MAYTRAM", SoLuong=size, SoLuongCoBaoVe=min(size, max(0, guarded - i * size)))
    for i in range(planned.DATABASES):
        yield item(f"DB-{i:03d}", "CSDLQG", DaKetNoi="1" if i < planned_for("national_databases_connected") else "0")
    yield item("DM-001", "DAMMAYCP", DaKetNoi=str(planned_for("government_cloud_connected")))


def statements(province: Province) -> Iterator[Record]:
    """What the province declares for the year, stated on its last day."""
    for (feed, metric), value in sorted(province.counts.items()):
        if feed == "declarations":
            yield province.stamped(
                {
                    "MaSoLieu": metric,
                    "HinhThuc": "TU_DANH_GIA",
                    "KyBaoCao": province.year,
                    "NgayKeKhai": f"31/12/{province.year}",
                    "SoLieuKeKhai": f"{value.numerator / value.denominator:.6f}",
                    "TaiLieuGiaiTrinh": "Số liệu mô phỏng, hiệu chỉnh theo kết quả công bố",
                    "NguoiKeKhai": people.full_name(int(province.code)),
                }
            )


def staff_rows(province: Province) -> Iterator[Record]:
    """Head counts of the agencies; a province's figure is spread as evenly as whole people allow."""
    columns = {
        "Chuyên trách, kiêm nhiệm Chuyển đổi số": "staff_digital_transformation",
        "Chuyên trách, kiêm nhiệm Công nghệ thông tin": "staff_information_technology",
        "Chuyên trách, kiêm nhiệm An toàn thông tin": "staff_information_security",
        "Được bồi dưỡng Chuyển đổi số": "staff_trained_dx",
        "Được bồi dưỡng Kỹ năng số": "staff_trained_digital_skills",
        "Được bồi dưỡng Khai thác dữ liệu": "staff_trained_data",
    }
    focal = province.count("staffing", "agencies_with_focal_staff")
    for i in range(planned.AGENCIES):
        yield {
            "Tỉnh, thành phố": province.target.name,
            "Ngày báo cáo": f"31/12/{province.year}",
            "Mã cơ quan": f"R{province.code}.{i + 1:02d}",
            "Tên cơ quan": f"Cơ quan mô phỏng {i + 1}",
            "Tổng số công chức, viên chức": planned.STAFF_OF_AGENCY,
            **{label: _part(province.count("staffing", m), planned.AGENCIES, i) for label, m in columns.items()},
            "Có đầu mối": "Có" if i < focal else "Không",
            "Người liên hệ Họ và tên": people.full_name(i),
            "Người liên hệ Điện thoại": people.phone(i),
            "Người liên hệ Thư điện tử": people.email(i),
        }


def team_rows(province: Province) -> Iterator[Record]:
    """Communes and their teams; only communes with a team have villages and members in one."""
    with_team = province.count("community_teams", "communes_with_team")
    covered = province.count("community_teams", "villages_with_team")
    members = province.count("community_teams", "team_members_total")
    trained = province.count("community_teams", "team_members_trained")
    for i in range(planned.COMMUNES):
        has = i < with_team
        yield {
            "Tỉnh": province.target.name,
            "Ngày báo cáo": f"31/12/{province.year}",
            "Mã xã": f"R{province.code}{i:03d}",
            "Tên xã": f"Xã mô phỏng {i + 1}",
            "Dân số": planned.PEOPLE_OF_COMMUNE,
            "Có Tổ cấp xã": "Có" if has else "Không",
            "Số thôn": planned.VILLAGES_OF_COMMUNE,
            "Số thôn có Tổ": _part(covered, with_team, i) if has else 0,
            "Số thành viên": _part(members, with_team, i) if has else 0,
            "Số thành viên được tập huấn": _part(trained, with_team, i) if has else 0,
            "Tổ trưởng": people.full_name(i),
            "Điện thoại": people.phone(i),
        }


def _part(whole: int, parts: int, index: int) -> int:
    """The share of the part of that index when ``whole`` is spread evenly."""
    return whole * (index + 1) // parts - whole * index // parts
