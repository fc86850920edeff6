"""Inventories as the agencies hand them out: a national list, a workbook of Đắk Lắk, a CSV of Lâm Đồng."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.portals.agencies import NATIONAL, World, covered_on
from sandbox.world import people
from sandbox.world.draws import draw, key
from sandbox.world.inventory import Item, inventory
from sandbox.world.units import spelling

Record = dict[str, Any]
FLAW_SHARE = 0.01

KINDS = {
    "system": "HTTT",
    "shared_platform": "NENTANG",
    "agency_network": "MANG",
    "workstation_group": "MAYTRAM",
    "national_database": "CSDLQG",
    "government_cloud": "DAMMAYCP",
}
HOSTING = {
    "data_centre": "TTDL",
    "government_cloud": "DMCP",
    "commercial_cloud": "DMTM",
    "on_premises": "TAICHO",
}


def items(world: World, agency: str, day: date) -> list[Item]:
    """The inventory of the agency's provinces on ``day``."""
    return [i for unit in covered_on(agency, "platform_inventory", day) for i in inventory(world.seed, unit, day)]


def inventory_list(world: World, agency: str, day: date) -> list[tuple[Record, str | None]]:
    """The list as JSON records, each with the flaw it shows, if any."""
    return [_as_record(world, agency, item) for item in items(world, agency, day)]


def _flag(value: bool | None) -> str | None:
    return None if value is None else "1" if value else "0"


def _as_record(world: World, agency: str, item: Item) -> tuple[Record, str | None]:
    person = key(world.seed, item.unit.unit_id, item.code, "administrator")
    record: Record = {
        "MaMuc": item.code,
        "TenMuc": item.name,
        "LoaiMuc": KINDS[item.kind],
        "MaCoQuan": item.agency_code,
        "DungChung": _flag(item.is_shared),
        "NoiDat": HOSTING[item.hosting] if item.hosting else None,
        "DungDamMay": _flag(item.is_on_cloud),
        "DaKetNoi": _flag(item.is_connected),
        "CoTriTueNhanTao": _flag(item.has_ai),
        "CapDo": item.security_level,
        "DaPheDuyetCapDo": _flag(item.is_level_approved),
        "TrienKhaiDayDu": _flag(item.is_fully_protected),
        "DuocGiamSat": _flag(item.is_monitored),
        "NgayKiemTra": f"{item.assessed_on:%d/%m/%Y}" if item.assessed_on else None,
        "SoLuong": item.quantity_total,
        "SoLuongCoBaoVe": item.quantity_protected,
        "NguoiQuanTri": people.full_name(person),
        "EmailQuanTri": people.email(person),
        "synthetic": True,
    }
    if agency == NATIONAL:
        record["TenTinh"] = spelling(world.seed, item.unit, "inventory")
    return record, _spoil(world, item, agency, record)


def flaw_of(world: World, item: Item) -> str | None:
    """The fault this item was given, if any; the same in every form the list takes."""
    at = draw(world.seed, "inventory flaw", item.unit.unit_id, item.code) / FLAW_SHARE
    flaws = (
        "unknown_kind",
        "missing_name",
        "wrong_type",
        "more_protected_than_there_are",
        "level_out_of_range",
        "unknown_unit",
    )
    return flaws[int(at * len(flaws))] if at < 1 else None


def _spoil(world: World, item: Item, agency: str, record: Record) -> str | None:
    flaw = flaw_of(world, item)
    if flaw == "unknown_kind":
        record["LoaiMuc"] = "KHAC"
    elif flaw == "missing_name":
        record["TenMuc"] = None
    elif flaw == "wrong_type" and item.quantity_total is not None:
        record["SoLuong"] = f"khoảng {item.quantity_total}"
    elif flaw == "more_protected_than_there_are" and item.quantity_total is not None:
        record["SoLuongCoBaoVe"] = item.quantity_total + 7
    elif flaw == "level_out_of_range" and item.kind == "system":
        record["CapDo"] = 9
    elif flaw == "unknown_unit" and agency == NATIONAL:
        record["TenTinh"] = "Tỉnh Sông Xanh"
    else:
        return None
    return flaw
