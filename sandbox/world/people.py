"""Made-up people. Numbers and addresses are of forms that no living person can hold."""

from __future__ import annotations

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Y", "H'")
_MIDDLE = ("Văn", "Thị", "Hữu", "Minh", "Ngọc", "Thanh", "Đức", "Thu", "Quốc", "Xuân")
_GIVEN = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Hùng", "Khánh", "Lan", "Linh", "Nam", "Phúc", "Quân", "Thảo")
_ENTERPRISE = ("Công ty TNHH", "Công ty cổ phần", "Hợp tác xã", "Doanh nghiệp tư nhân")


def full_name(number: int) -> str:
    """The name of the person that ``number`` stands for."""
    return f"{_one(_FAMILY, number)} {_one(_MIDDLE, number >> 8)} {_one(_GIVEN, number >> 16)}"


def enterprise_name(number: int) -> str:
    """The name of the enterprise that ``number`` stands for."""
    return f"{_one(_ENTERPRISE, number)} {_one(_GIVEN, number >> 8)} {_one(_GIVEN, number >> 16)}"


def identity(number: int) -> str:
    """Twelve digits that begin with 000, which no province gives out."""
    return f"000{number % 10**9:09d}"


def phone(number: int) -> str:
    """Ten digits that begin with 0000, which no operator gives out."""
    return f"0000{(number >> 7) % 10**6:06d}"


def email(number: int) -> str:
    """An address under .example, which is reserved for examples (RFC 2606)."""
    return f"nguoi.{(number >> 11) % 10**8:08d}@vidu.example"


def _one(options: tuple[str, ...], number: int) -> str:
    return options[number % len(options)]
