"""One dossier as a portal shows it, in the national portal's field names."""

from __future__ import annotations

from typing import Any

from sandbox.portals.agencies import NATIONAL, World
from sandbox.world import people
from sandbox.world.lifecycle import NEVER, STATUS, Event, Shard
from sandbox.world.procedures import code_in, procedures
from sandbox.world.times import day_of, local
from sandbox.world.units import spelling

Record = dict[str, Any]

FLAWS = (
    "bad_procedure_code",
    "missing_procedure",
    "unknown_status",
    "status_in_words",
    "impossible_date",
    "finished_before_received",
    "negative_fee",
    "unknown_unit",
    "older_twin",
)
FLAW_SHARE = 0.013
"""Share of dossiers that carry a flaw of some kind; one that has not reached its field does not show yet."""

STRANGERS = ("Tỉnh Sông Xanh", "Đặc khu Hoàng Hôn", "Tỉnh Đắk Lăk Cũ")


def flaw_of(shard: Shard, row: int) -> str | None:
    """The fault this dossier was given, if any."""
    at = float(shard.flaw[row])
    return FLAWS[int(at / FLAW_SHARE * len(FLAWS))] if at < FLAW_SHARE else None


def stamp(portal: str, moment: int) -> str:
    """A moment as the portal writes it; empty for what has not happened."""
    if moment >= NEVER or moment < 0:
        return ""
    t = local(moment)
    if portal == "lam-dong":
        return f"{t.day:02d}/{t.month:02d}/{t.year} {t.hour:02d}:{t.minute:02d}:{t.second:02d}"
    return f"{t.year}{t.month:02d}{t.day:02d}{t.hour:02d}{t.minute:02d}{t.second:02d}"


def render(world: World, portal: str, shard: Shard, row: int, as_of: int) -> tuple[Record, str | None]:
    """The dossier as it stood at ``as_of``, and the name of the flaw that shows in it (None: sound)."""
    unit, seed = shard.unit, world.seed
    moments = [m if m <= as_of else NEVER for m in shard.events[row].tolist()]
    reached = [m < NEVER for m in moments]
    last = max((m, e) for e, m in enumerate(moments) if m < NEVER)[1]
    day = day_of(shard.day[row])
    number = int(shard.number_of_day[row])
    person = int(shard.person[row])
    code = f"000.00.{unit.code}.{unit.letters}-{day:%y%m%d}-{number:05d}"
    procedure = procedures(seed)[int(shard.procedure[row])]
    channel, fee = int(shard.channel[row]), int(shard.fee[row])
    received, finished = reached[Event.RECEIVE], reached[Event.FINISH]
    opened = moments[Event.SUBMIT]
    if opened == NEVER and person & 1:
        opened = moments[Event.RECEIVE]
    paid = int(shard.payment[row]) if received and (shard.events[row][Event.PAY] == NEVER or reached[Event.PAY]) else 0
    due = int((shard.due_after_supplement if reached[Event.RESUBMIT] else shard.due_at)[row]) if received else NEVER
    is_enterprise = person % 100 < 18
    digitised = received and bool(shard.is_digitised[row])
    record: Record = {
        "MaHoSo": code,
        "MaTTHC": code_in(unit, procedure),
        "TenTTHC": procedure.name,
        "MaLinhVuc": procedure.field_code,
        "TenLinhVuc": procedure.field_name,
        "SoBienNhan": f"BN{code[-12:]}",
        "ChuHoSo": people.enterprise_name(person) if is_enterprise else people.full_name(person),
        "LoaiDoiTuong": "2" if is_enterprise else "1",
        "LoaiDinhDanh": "2" if is_enterprise else "1",
        "SoDinhDanh": people.identity(person),
        "Email": people.email(person) if channel == 2 else "",
        "SoDienThoai": people.phone(person),
        "TrichYeuHoSo": procedure.name,
        "NgayNopHoSo": stamp(portal, opened),
        "NgayTiepNhan": stamp(portal, moments[Event.RECEIVE]),
        "NgayTuChoi": stamp(portal, moments[Event.REFUSE]),
        "NgayHenTra": stamp(portal, due),
        "TrangThaiHoSo": str(STATUS[last]),
        "NgayTra": stamp(portal, moments[Event.RETURN]),
        "ThongTinTra": "Trả tại Bộ phận Một cửa" if reached[Event.RETURN] else "",
        "HinhThuc": "0",
        "NgayKetThucXuLy": stamp(portal, moments[Event.FINISH]),
        "DonViXuLy": f"{unit.letters}.{procedure.number % 18 + 1:02d}",
        "GhiChu": "",
        "KenhThucHien": str(channel) if channel else None,
        "NoiNopHoSo": "1" if portal == NATIONAL else "2",
        "DanhSachLePhi": _fees(fee),
        "DanhSachTepDinhKemKhac": [],
        "DanhSachHoSoBoSung": _supplements(portal, shard, row, moments, code),
        "DanhSachGiayToKetQua": _results(shard, row, code) if finished else [],
        "TaiLieuNop": [
            {
                "TenTepDinhKem": f"thanh-phan-{part}.pdf",
                "MaThanhPhanHoSo": f"TP{part:02d}",
                "DuongDanTaiTepTin": f"https://cong.vidu.example/tep/{code}/{part}",
                "DuocSoHoa": "1" if digitised else "0",
                "DuocLayTuKhoDMQG": "1" if part == 1 and received and shard.reuses_data[row] else "0",
            }
            for part in (1, 2)
        ],
        "HoSoCoThanhPhanSoHoa": "1" if digitised else "0",
        "TaiKhoanDuocXacThucVoiVNeID": "1" if shard.uses_population_data[row] else "0",
        "DuocThanhToanTrucTuyen": str(paid),
        "DaDongBoDVCQG": "1" if shard.is_synchronised[row] else "0",
        "DanhGiaHaiLong": ("1" if shard.is_satisfied[row] else "0") if reached[Event.RATE] else None,
        "NgayCapNhat": stamp(portal, moments[last]),
        "synthetic": True,
    }
    if portal == NATIONAL:
        record["MaTinh"] = unit.code
        record["TenTinh"] = spelling(seed, unit, number % 6)
    return record, _spoil(record, flaw_of(shard, row), portal, person)


def _fees(fee: int) -> list[Record]:
    if not fee:
        return []
    parts = (fee // 2, fee - fee // 2) if fee > 100_000 else (fee,)
    return [
        {"TenPhiLePhi": "Lệ phí", "MaPhiLePhi": f"LP{i}", "HinhThucThu": "1", "Gia": str(part), "LoaiPhiLePhi": "1"}
        for i, part in enumerate(parts, 1)
    ]


def _supplements(portal: str, shard: Shard, row: int, moments: list[int], code: str) -> list[Record]:
    if moments[Event.ASK_SUPPLEMENT] == NEVER:
        return []
    came = moments[Event.RESUBMIT] < NEVER
    return [
        {
            "HoSoBoSungId": f"{code}-BS1",
            "NguoiYeuCauBoSung": people.full_name(int(shard.person[row]) >> 24),
            "NoiDungBoSung": "Bổ sung thành phần hồ sơ còn thiếu",
            "NgayBoSung": stamp(portal, moments[Event.ASK_SUPPLEMENT]),
            "NgayTiepNhanBoSung": stamp(portal, moments[Event.RESUBMIT]),
            "TrangThaiBoSung": "1" if came else "0",
            "NgayHenTraTruoc": stamp(portal, int(shard.due_at[row])),
            "NgayHenTraMoi": stamp(portal, int(shard.due_after_supplement[row])) if came else "",
        }
    ]


def _results(shard: Shard, row: int, code: str) -> list[Record]:
    link = f"https://cong.vidu.example/ket-qua/{code}.pdf" if shard.has_electronic_result[row] else ""
    return [{"TenGiayTo": "Kết quả giải quyết", "MaGiayToKetQua": f"KQ-{code[-12:]}", "DuongDanTepTinKetQua": link}]


def _spoil(record: Record, flaw: str | None, portal: str, person: int) -> str | None:
    """Put the flaw into the record where its field is filled by now; the flaw's name if it shows."""
    if flaw == "bad_procedure_code":
        record["MaTTHC"] = "TTHC-" + record["MaTTHC"][2:6]
    elif flaw == "missing_procedure":
        record["MaTTHC"] = ""
    elif flaw == "unknown_status":
        record["TrangThaiHoSo"] = "99"
    elif flaw == "status_in_words":
        record["TrangThaiHoSo"] = "Đang xử lý"
    elif flaw == "impossible_date" and record["NgayTiepNhan"]:
        record["NgayTiepNhan"] = "31/02/2026 09:00:00" if portal == "lam-dong" else "20260231090000"
    elif flaw == "finished_before_received" and record["NgayKetThucXuLy"]:
        record["NgayKetThucXuLy"] = stamp(portal, 1_600_000_000)
    elif flaw == "negative_fee":
        record["DanhSachLePhi"] = [{"TenPhiLePhi": "Lệ phí", "MaPhiLePhi": "LP1", "HinhThucThu": "1", "Gia": "-50000"}]
    elif flaw == "unknown_unit" and portal == NATIONAL:
        record["TenTinh"], record["MaTinh"] = STRANGERS[person % len(STRANGERS)], "00"
    elif flaw != "older_twin":
        return None
    return flaw
