"""What a province runs: systems, shared platforms, agencies on the network, workstations, databases, the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.world.draws import draw, pick, whole
from sandbox.world.offices import offices
from sandbox.world.units import Unit, maturity

_SYSTEMS = (
    "Cổng thông tin điện tử", "Hệ thống thông tin giải quyết TTHC", "Quản lý văn bản", "Thư điện tử công vụ",
    "Báo cáo kinh tế - xã hội", "Quản lý cán bộ, công chức", "Hội nghị truyền hình", "Cơ sở dữ liệu đất đai",
    "Quản lý ngân sách", "Quản lý đầu tư công", "Thông tin quy hoạch", "Quản lý trường học", "Hồ sơ sức khỏe",
    "Trung tâm điều hành thông minh", "Phản ánh hiện trường", "Cổng dữ liệu mở", "Quản lý tài sản công",
    "Quản lý hộ nghèo", "Giám sát môi trường", "Quản lý giao thông",
)  # fmt: skip
_HOSTING = ("data_centre", "data_centre", "government_cloud", "commercial_cloud", "on_premises")
_PLATFORMS = (
    "Nền tảng tích hợp, chia sẻ dữ liệu (LGSP)", "Nền tảng phân tích dữ liệu", "Nền tảng trợ lý ảo", "Nền tảng họp số",
    "Nền tảng giám sát điều hành", "Nền tảng số hóa tài liệu",
)  # fmt: skip
_DATABASES = (
    "CSDL quốc gia về dân cư", "CSDL quốc gia về đăng ký doanh nghiệp", "CSDL quốc gia về bảo hiểm",
    "CSDL hộ tịch điện tử",
    "CSDL đất đai quốc gia", "CSDL quốc gia về cán bộ, công chức", "CSDL giá", "CSDL thuế",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One line of the inventory; None where the question does not arise."""

    unit: Unit
    code: str
    name: str
    kind: str
    agency_code: str
    is_shared: bool | None = None
    hosting: str | None = None
    is_on_cloud: bool | None = None
    is_connected: bool | None = None
    has_ai: bool | None = None
    security_level: int | None = None
    is_level_approved: bool | None = None
    is_fully_protected: bool | None = None
    is_monitored: bool | None = None
    assessed_on: date | None = None
    quantity_total: int | None = None
    quantity_protected: int | None = None


def inventory(seed: int, unit: Unit, day: date) -> list[Item]:
    """The inventory of a province on ``day``. Two provinces in a hundred do not know about the Government Cloud."""
    digital = maturity(seed, unit, day.year)
    staff = offices(unit)

    def yes(code: str, question: str, low: float, high: float) -> bool:
        return draw(seed, unit.unit_id, code, question) < low + (high - low) * digital

    items = [
        _system(seed, unit, n, day, digital) for n in range(whole(12, len(_SYSTEMS), seed, "systems", unit.unit_id))
    ]
    for n, name in enumerate(_PLATFORMS, 1):
        code = f"NT-{n:02d}"
        items.append(Item(unit, code, name, "shared_platform", staff[14].code, has_ai=yes(code, "ai", 0.05, 0.8)))
    for n, office in enumerate(staff, 1):
        code = f"MTSL-{n:02d}"
        items.append(
            Item(unit, code, office.name, "agency_network", office.code, is_connected=yes(code, "network", 0.55, 1.0))
        )
        total = whole(12, 220, seed, unit.unit_id, code, "workstations")
        guarded = round(total * min(1.0, 0.3 + 0.7 * digital + 0.15 * draw(seed, unit.unit_id, code, "guarded")))
        items.append(
            Item(
                unit, f"MT-{n:02d}", f"Máy trạm {office.name}", "workstation_group", office.code,
                quantity_total=total, quantity_protected=guarded,
            )
        )  # fmt: skip
    for n, name in enumerate(_DATABASES, 1):
        code = f"CSDL-{n:02d}"
        connected = yes(code, "connected", 0.25, 1.0)
        items.append(Item(unit, code, name, "national_database", staff[14].code, is_connected=connected))
    if draw(seed, unit.unit_id, "knows cloud") >= 0.04:
        joined = yes("DMCP-01", "connected", 0.2, 1.1)
        name = "Nền tảng điện toán đám mây Chính phủ"
        items.append(Item(unit, "DMCP-01", name, "government_cloud", staff[14].code, is_connected=joined))
    return items


def _system(seed: int, unit: Unit, number: int, day: date, digital: float) -> Item:
    code = f"HT-{number + 1:03d}"
    place = (seed, unit.unit_id, code)

    def yes(question: str, low: float, high: float) -> bool:
        return draw(*place, question) < low + (high - low) * digital

    determined = yes("level", 0.5, 1.05)
    approved = determined and yes("approved", 0.3, 1.05)
    hosting = pick(_HOSTING, *place, "hosting")
    year = day.year if yes("assessed this year", 0.2, 1.0) else day.year - 1
    assessed = date(year, 1, 10) + timedelta(days=whole(0, 300, *place, "assessed on", year))
    if assessed > day:
        assessed = date(year - 1, 1, 10) + timedelta(days=whole(0, 300, *place, "assessed on", year - 1))
    return Item(
        unit=unit,
        code=code,
        name=_SYSTEMS[number],
        kind="system",
        agency_code=offices(unit)[number % 15].code,
        is_shared=number < 8,
        hosting=hosting,
        is_on_cloud=hosting != "on_premises" and yes("cloud", 0.1, 1.0),
        security_level=whole(1, 3, *place, "level is") if determined else None,
        is_level_approved=approved,
        is_fully_protected=approved and yes("protected", 0.3, 1.0),
        is_monitored=yes("monitored", 0.15, 1.0),
        assessed_on=assessed if yes("ever assessed", 0.6, 1.0) else None,
    )
