"""Lists of administrative procedures as the portals publish them."""

from __future__ import annotations

from typing import Any

from sandbox.portals.agencies import NATIONAL, World, covered_on
from sandbox.world.draws import draw
from sandbox.world.procedures import code_in, is_active, is_eligible, levels, procedures
from sandbox.world.times import business_day
from sandbox.world.units import Unit, spelling

Record = dict[str, Any]
FLAW_SHARE = 0.006


def catalogue(world: World, agency: str, clock: int) -> list[tuple[Record, str | None]]:
    """All procedures of the agency's provinces as they stand at ``clock``, each with the flaw it shows, if any."""
    day = business_day(clock)
    found = []
    for unit in covered_on(agency, "service_catalogue", day):
        offered = levels(world.seed, unit, day.year, day.month)
        for procedure in procedures(world.seed):
            level = int(offered[procedure.number])
            record: Record = {
                "MaTTHC": code_in(unit, procedure),
                "TenTTHC": procedure.name,
                "MaLinhVuc": procedure.field_code,
                "TenLinhVuc": procedure.field_name,
                "MucDoDVC": str(level),
                "DuDieuKienToanTrinh": "1" if is_eligible(world.seed, unit, procedure.number, level) else "0",
                "CoNghiaVuTaiChinh": "1" if procedure.fee else "0",
                "CoKetQuaGiay": "1" if procedure.gives_paper else "0",
                "ThoiHanGiaiQuyet": f"{procedure.limit_days} ngày làm việc",
                "SoNgayGiaiQuyet": procedure.limit_days,
                "HieuLuc": "1" if is_active(world.seed, unit, procedure.number, day) else "0",
                "synthetic": True,
            }
            if agency == NATIONAL:
                record["TenTinh"] = spelling(world.seed, unit, "catalogue")
            found.append((record, _spoil(world, unit, procedure.number, agency, record)))
    return found


def _spoil(world: World, unit: Unit, number: int, agency: str, record: Record) -> str | None:
    at = draw(world.seed, "catalogue flaw", unit.unit_id, number) / FLAW_SHARE
    if at >= 1:
        return None
    flaw = ("unknown_level", "level_in_words", "bad_procedure_code", "missing_name", "unknown_unit")[int(at * 5)]
    if flaw == "unknown_level":
        record["MucDoDVC"] = "7"
    elif flaw == "level_in_words":
        record["MucDoDVC"] = "Toàn trình"
    elif flaw == "bad_procedure_code":
        record["MaTTHC"] = "chưa có mã"
    elif flaw == "missing_name":
        record["TenTTHC"] = "  "
    elif agency == NATIONAL:
        record["TenTinh"] = "Tỉnh Sông Xanh"
    else:
        return None
    return flaw
