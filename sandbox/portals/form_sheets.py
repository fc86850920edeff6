"""The sheets of inventories and declarations: Đắk Lắk's workbooks and the CSV of Lâm Đồng."""

from __future__ import annotations

from datetime import date

from sandbox import SYNTHETIC_NOTE
from sandbox.portals import declarations, inventory
from sandbox.portals.agencies import World
from sandbox.portals.tables import Cell, Line, Table, written, yes_no
from sandbox.world import people
from sandbox.world.declared import Statement, rules
from sandbox.world.draws import key
from sandbox.world.inventory import Item

KIND_NAMES = {
    "system": "Hệ thống thông tin",
    "shared_platform": "Nền tảng số dùng chung",
    "agency_network": "Mạng truyền số liệu chuyên dùng",
    "workstation_group": "Nhóm máy trạm",
    "national_database": "Cơ sở dữ liệu quốc gia",
    "government_cloud": "Đám mây Chính phủ",
}
HOSTING_NAMES = {
    "data_centre": "Trung tâm dữ liệu",
    "government_cloud": "Đám mây Chính phủ",
    "commercial_cloud": "Đám mây doanh nghiệp",
    "on_premises": "Tại chỗ",
}
BASIS_NAMES = {"declared": "Tự đánh giá", "appraised": "Thẩm định"}
OWN_WORDS = {"system": "Phần mềm", "agency_network": "Đường truyền"}
"""What Lâm Đồng calls things; no one told the warehouse, so half its list is quarantined and the batch stopped."""

_SECURITY, _COUNT, _KEEPER = "An toàn thông tin", "Số lượng máy", "Người quản trị"
_INVENTORY_HEADER = (
    ("", "STT"),
    ("", "Mã mục"),
    ("", "Tên mục"),
    ("", "Loại mục"),
    ("", "Mã cơ quan"),
    ("Hạ tầng", "Dùng chung"),
    ("Hạ tầng", "Nơi đặt"),
    ("Hạ tầng", "Điện toán đám mây"),
    ("Hạ tầng", "Đã kết nối"),
    ("Hạ tầng", "Trí tuệ nhân tạo"),
    (_SECURITY, "Cấp độ"),
    (_SECURITY, "Được phê duyệt"),
    (_SECURITY, "Triển khai đầy đủ"),
    (_SECURITY, "Được giám sát"),
    (_SECURITY, "Ngày kiểm tra"),
    (_COUNT, "Tổng số"),
    (_COUNT, "Có phòng chống mã độc"),
    (_KEEPER, "Họ và tên"),
    (_KEEPER, "Thư điện tử"),
)
_DECLARATION_HEADER = (
    ("", "STT"),
    ("", "Mã số liệu"),
    ("", "Hình thức"),
    ("", "Kỳ báo cáo"),
    ("Kê khai", "Ngày"),
    ("Kê khai", "Số liệu"),
    ("Kê khai", "Tài liệu kiểm chứng"),
    ("Kê khai", "Người kê khai"),
)


def inventory_table(world: World, agency: str, day: date) -> Table:
    """The inventory of Đắk Lắk (workbook) or Lâm Đồng (CSV with its own words) on ``day``."""
    lines = tuple(_item_line(world, agency, i, item) for i, item in enumerate(inventory.items(world, agency, day), 1))
    if agency == "dak-lak":
        title = (
            "SỞ KHOA HỌC VÀ CÔNG NGHỆ",
            "DANH MỤC HỆ THỐNG THÔNG TIN, NỀN TẢNG SỐ",
            f"Ngày lập: {day:%d/%m/%Y}",
            SYNTHETIC_NOTE,
        )
        hidden = (*KIND_NAMES.values(), *HOSTING_NAMES.values())
        return Table("Danh mục", title, _INVENTORY_HEADER, lines, signatures=("NGƯỜI LẬP", "(Đã ký)"), hidden=hidden)
    flat = tuple(("", name if group in {"", "Hạ tầng"} else f"{group} - {name}") for group, name in _INVENTORY_HEADER)
    return Table("danh-muc", (SYNTHETIC_NOTE,), flat, lines)


def declaration_table(world: World, day: date) -> Table:
    """The statements of Đắk Lắk up to ``day``."""
    lines = tuple(_statement_line(world, i, s) for i, s in enumerate(declarations.stated(world, "dak-lak", day), 1))
    title = ("UBND TỈNH ĐẮK LẮK", "BIỂU KÊ KHAI SỐ LIỆU CHUYỂN ĐỔI SỐ", f"Tính đến ngày {day:%d/%m/%Y}", SYNTHETIC_NOTE)
    return Table(
        "Kê khai", title, _DECLARATION_HEADER, lines, signatures=("NGƯỜI LẬP", "(Đã ký)"), hidden=tuple(rules())
    )


def _item_line(world: World, agency: str, number: int, item: Item) -> Line:
    place = (world.seed, item.unit.unit_id, item.code)
    person = key(*place, "administrator")
    flaw = inventory.flaw_of(world, item)
    kind = KIND_NAMES[item.kind]
    name: Cell = item.name
    level, total, guarded = (
        _amount(v, *place, i) for i, v in enumerate((item.security_level, item.quantity_total, item.quantity_protected))
    )
    if agency == "lam-dong" and item.kind in OWN_WORDS:
        kind, flaw = OWN_WORDS[item.kind], "unknown_kind"
    elif flaw == "unknown_kind":
        kind = "Khác"
    elif flaw == "missing_name":
        name = None
    elif flaw == "wrong_type" and item.quantity_total is not None:
        total = f"khoảng {item.quantity_total}"
    elif flaw == "more_protected_than_there_are" and item.quantity_total is not None:
        guarded = item.quantity_total + 7
    elif flaw == "level_out_of_range" and item.kind == "system":
        level = 9
    else:
        flaw = None
    checked: Cell = f"{item.assessed_on:%d/%m/%Y}" if item.assessed_on else None
    if item.assessed_on and agency == "dak-lak" and number % 2:
        checked = item.assessed_on
    hosting = HOSTING_NAMES[item.hosting] if item.hosting else None
    flags = [yes_no(v) for v in (item.is_shared, item.is_on_cloud, item.is_connected, item.has_ai)]
    checks = [yes_no(v) for v in (item.is_level_approved, item.is_fully_protected, item.is_monitored)]
    cells = (number, item.code, name, kind, item.agency_code, flags[0], hosting, *flags[1:], level, *checks, checked)
    return Line((*cells, total, guarded, people.full_name(person), people.email(person)), flaw)


def _amount(value: int | None, *place: object) -> Cell:
    return None if value is None else written(value, *place)


def _statement_line(world: World, number: int, s: Statement) -> Line:
    place = (world.seed, s.unit.unit_id, s.metric, s.basis, s.stated_on)
    flaw = declarations.flaw_of(world, s)
    metric, basis, value = s.metric, BASIS_NAMES[s.basis], written(s.value, *place)
    if flaw == "unknown_metric":
        metric = "so_lieu_khac"
    elif flaw == "unknown_basis":
        basis = "Khác"
    elif flaw == "negative_value":
        value = -1
    elif flaw == "value_in_words":
        value = "khoảng 40"
    elif flaw == "missing_value":
        value = None
    else:
        flaw = None
    day: Cell = s.stated_on if number % 3 == 0 else f"{s.stated_on:%d/%m/%Y}"
    person = people.full_name(key(world.seed, s.unit.unit_id, s.stated_on, "clerk"))
    return Line((number, metric, basis, s.period_year, day, value, s.evidence, person), flaw)
