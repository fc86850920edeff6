"""The catalogue of administrative procedures: one national list, offered at another level in every province."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from sandbox.world.draws import Floats, Integers, draws, pick, whole
from sandbox.world.units import Unit, maturity

_FIELDS = (
    ("Hộ tịch", ("khai sinh", "khai tử", "kết hôn", "nhận cha, mẹ, con", "thay đổi, cải chính hộ tịch", "giám hộ")),
    ("Chứng thực", ("bản sao từ bản chính", "chữ ký", "hợp đồng", "di chúc", "văn bản thừa kế", "bản dịch")),
    ("Đất đai", ("quyền sử dụng đất", "biến động đất đai", "tách thửa", "hợp thửa", "thế chấp", "xóa thế chấp")),
    ("Đăng ký kinh doanh", ("hộ kinh doanh", "hợp tác xã", "chi nhánh", "công ty TNHH", "tạm ngừng", "giải thể")),
    ("Xây dựng", ("nhà ở riêng lẻ", "công trình", "sửa chữa", "di dời", "quy hoạch", "chứng chỉ hành nghề")),
    ("Giao thông", ("phù hiệu xe", "bến khách", "đường ngang", "giấy phép lái xe", "xe tập lái", "vận tải")),
    ("Giáo dục", ("chuyển trường", "bản sao văn bằng", "trung tâm ngoại ngữ", "dạy thêm", "mầm non", "học bổng")),
    ("Y tế", ("hành nghề", "cơ sở khám bệnh", "an toàn thực phẩm", "nhà thuốc", "khám sức khỏe", "quảng cáo")),
    ("Lao động", ("trợ cấp thất nghiệp", "giấy phép lao động", "nội quy", "thang lương", "học nghề", "việc làm")),
    ("Bảo trợ xã hội", ("trợ cấp hằng tháng", "hỗ trợ mai táng", "khuyết tật", "hộ nghèo", "nhà xã hội", "trẻ em")),
    ("Người có công", ("ưu đãi", "mai táng phí", "thương binh", "liệt sĩ", "giáo dục", "phương tiện trợ giúp")),
    ("Tư pháp", ("lý lịch tư pháp", "công chứng viên", "luật sư", "đấu giá", "giám định", "trợ giúp pháp lý")),
    ("Nông nghiệp", ("kiểm dịch", "giống cây", "thức ăn chăn nuôi", "tàu cá", "lâm sản", "mã số vùng trồng")),
    ("Môi trường", ("giấy phép môi trường", "nước dưới đất", "xả thải", "khoáng sản", "báo cáo", "chất thải")),
    ("Văn hóa", ("biểu diễn", "quảng cáo ngoài trời", "karaoke", "di tích", "thư viện", "lễ hội")),
    ("Công nghệ thông tin", ("trang tin", "in ấn", "xuất bản", "trạm thu phát", "trò chơi", "chữ ký số")),
)  # fmt: skip
_ACTS = ("Đăng ký", "Cấp", "Cấp lại", "Xác nhận", "Thẩm định", "Giải quyết")


@dataclass(frozen=True)
class Procedure:
    """One procedure of the national list. Fee in đồng, time limit in working days."""

    number: int
    code: str
    name: str
    field_code: str
    field_name: str
    fee: int
    gives_paper: bool
    limit_days: int
    is_local: bool


@lru_cache(maxsize=4)
def procedures(seed: int) -> tuple[Procedure, ...]:
    """The national list. Codes n.9nnnnn have the official form but lie above every number given out so far."""
    found = []
    for f, (field, things) in enumerate(_FIELDS):
        for t, thing in enumerate(things):
            number = f * 6 + t
            found.append(
                Procedure(
                    number=number,
                    code=f"{whole(1, 2, seed, 'procedure', number)}.9{number * 37 + 11:05d}",
                    name=f"{pick(_ACTS, seed, 'act', number)} {thing}",
                    field_code=f"LV{f + 1:02d}",
                    field_name=field,
                    fee=pick((0, 0, 0, 20_000, 50_000, 100_000, 150_000, 500_000), seed, "fee", number),
                    gives_paper=pick((True, True, True, False), seed, "paper", number),
                    limit_days=pick((1, 2, 3, 3, 5, 5, 7, 10, 15, 20, 30), seed, "limit", number),
                    is_local=pick((True, *(False,) * 7), seed, "local", number),
                )
            )
    return tuple(found)


def code_in(unit: Unit, procedure: Procedure) -> str:
    """The procedure's code in a province: local variants carry the agency's letters at the end."""
    return f"{procedure.code}.000.00.00.{unit.letters}" if procedure.is_local else procedure.code


@lru_cache(maxsize=4)
def popularity(seed: int) -> Floats:
    """Cumulative shares of the procedures among all dossiers; a few carry most, some nearly none."""
    weights = 0.02 + draws(len(procedures(seed)), seed, "popularity") ** 5
    total: Floats = np.cumsum(weights / weights.sum())
    return total


@lru_cache(maxsize=4096)
def levels(seed: int, unit: Unit, year: int, month: int) -> Integers:
    """Service level of each procedure in a province and month: 2 information only, 3 một phần, 4 toàn trình.

    Levels only ever rise, since a province's maturity does.
    """
    digital = maturity(seed, unit, year) + 0.04 * (month - 1) / 12
    threshold = draws(len(procedures(seed)), seed, "level", unit.code)
    full, partly = 0.15 + 0.6 * digital, 0.4 + 0.55 * digital
    return np.where(threshold < full, 4, np.where(threshold < partly, 3, 2))


def is_eligible(seed: int, unit: Unit, number: int, level: int) -> bool:
    """Whether the procedure may be offered fully online; all that already are, and some that are not yet."""
    return level == 4 or whole(0, 99, seed, "eligible", unit.code, number) < 35


def is_active(seed: int, unit: Unit, number: int, day: date) -> bool:
    """Whether the procedure is in force; a few are withdrawn for a year."""
    return whole(0, 99, seed, "withdrawn", unit.code, number, day.year) >= 3
