"""The agencies of a province and their staff, as counted at the end of a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sandbox.world.draws import between, draw, whole
from sandbox.world.units import Unit, maturity

_NAMES = (
    "Văn phòng UBND {p}", "Sở Nội vụ", "Sở Tư pháp", "Sở Tài chính", "Sở Công Thương", "Sở Nông nghiệp và Môi trường",
    "Sở Xây dựng", "Sở Khoa học và Công nghệ", "Sở Giáo dục và Đào tạo", "Sở Y tế", "Sở Văn hóa, Thể thao và Du lịch",
    "Thanh tra {p}", "Ban Quản lý các khu công nghiệp", "Sở Dân tộc và Tôn giáo", "Trung tâm Chuyển đổi số",
    "Trung tâm Phục vụ hành chính công", "Chi cục Thuế khu vực", "Ban Quản lý dự án", "Trường Chính trị",
    "Đài Phát thanh và Truyền hình",
)  # fmt: skip


@dataclass(frozen=True)
class Office:
    """One agency of one province."""

    unit: Unit
    code: str
    name: str


@dataclass(frozen=True)
class Staff:
    """Head counts of one office on one day."""

    office: Office
    total: int
    digital_transformation: int
    information_technology: int
    information_security: int
    trained_dx: int
    trained_digital_skills: int
    trained_data: int
    has_focal_staff: bool


def offices(unit: Unit) -> tuple[Office, ...]:
    """The agencies of a province."""
    place = f"{'thành phố' if unit.kind == 'city' else 'tỉnh'} {unit.name}"
    return tuple(Office(unit, f"{unit.letters}.{i:02d}", n.format(p=place)) for i, n in enumerate(_NAMES, 1))


def staff(seed: int, office: Office, day: date) -> Staff:
    """The staff of an office on ``day``. Training counts grow through the year and begin anew in January."""
    digital = maturity(seed, office.unit, day.year)
    place = (seed, office.unit.unit_id, office.code)
    size = (office.unit.population / 2_000_000) ** 0.5
    total = max(8, int(between(35, 260, *place, "total") * size) + whole(-2, 2, *place, "drift", day.year, day.month))

    def some(name: str, low: float, high: float) -> int:
        share = low + (high - low) * (0.6 * digital + 0.4 * draw(*place, name))
        return min(total, round(total * share))

    passed = day.timetuple().tm_yday / 365
    return Staff(
        office=office,
        total=total,
        digital_transformation=some("dx", 0.0, 0.035),
        information_technology=some("it", 0.002, 0.032),
        information_security=some("security", 0.0, 0.015),
        trained_dx=round(some("trained dx", 0.15, 1.0) * (0.3 + 0.7 * passed)),
        trained_digital_skills=round(some("trained skills", 0.2, 1.0) * (0.4 + 0.6 * passed)),
        trained_data=round(some("trained data", 0.0, 0.7) * (0.3 + 0.7 * passed)),
        has_focal_staff=draw(*place, "focal") < 0.35 + 0.63 * digital,
    )
