"""Declared and appraised figures as the national form and Đắk Lắk's workbook give them out."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.portals.agencies import NATIONAL, OWN_SYSTEMS, World
from sandbox.world import people
from sandbox.world.declared import Statement, statements
from sandbox.world.draws import draw, key
from sandbox.world.units import spelling

Record = dict[str, Any]
FLAW_SHARE = 0.006
BASES = {"declared": "TU_DANH_GIA", "appraised": "THAM_DINH"}


def stated(world: World, agency: str, day: date) -> list[Statement]:
    """The statements of the agency's provinces up to ``day``."""
    own = OWN_SYSTEMS["declarations"]
    return list(statements(world.seed, day, lambda unit: (unit.code not in own) == (agency == NATIONAL)))


def declaration_list(world: World, day: date) -> list[tuple[Record, str | None]]:
    """The national list as JSON records, each with the flaw it shows, if any."""
    return [_as_record(world, s) for s in stated(world, NATIONAL, day)]


def flaw_of(world: World, s: Statement) -> str | None:
    """The fault this statement was given, if any; the same in every form the list takes."""
    name = (s.unit.unit_id, s.metric, s.basis, s.stated_on)
    at = draw(world.seed, "statement flaw", *name) / FLAW_SHARE
    flaws = ("unknown_metric", "unknown_basis", "negative_value", "value_in_words", "missing_value", "unknown_unit")
    return flaws[int(at * len(flaws))] if at < 1 else None


def _as_record(world: World, s: Statement) -> tuple[Record, str | None]:
    record: Record = {
        "TenTinh": spelling(world.seed, s.unit, "declarations"),
        "MaSoLieu": s.metric,
        "HinhThuc": BASES[s.basis],
        "KyBaoCao": s.period_year,
        "NgayKeKhai": f"{s.stated_on:%d/%m/%Y}",
        "SoLieuKeKhai": int(s.value) if s.value.is_integer() else s.value,
        "TaiLieuGiaiTrinh": s.evidence,
        "NguoiKeKhai": people.full_name(key(world.seed, s.unit.unit_id, s.stated_on, "clerk")),
        "synthetic": True,
    }
    flaw = flaw_of(world, s)
    if flaw == "unknown_metric":
        record["MaSoLieu"] = "so_lieu_khac"
    elif flaw == "unknown_basis":
        record["HinhThuc"] = "KHAC"
    elif flaw == "negative_value":
        record["SoLieuKeKhai"] = -1
    elif flaw == "value_in_words":
        record["SoLieuKeKhai"] = "khoảng 40"
    elif flaw == "missing_value":
        record["SoLieuKeKhai"] = None
    elif flaw == "unknown_unit":
        record["TenTinh"] = "Tỉnh Sông Xanh"
    return record, flaw
