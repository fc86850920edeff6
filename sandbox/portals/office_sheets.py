"""The sheets of staffing and community teams: Đắk Lắk's workbooks and the national files."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial

from sandbox import SYNTHETIC_NOTE
from sandbox.portals.agencies import NATIONAL, World, covered_on
from sandbox.portals.tables import Cell, Line, Table, number_of, totals, vietnamese, written, yes_no
from sandbox.world import people
from sandbox.world.communes import Commune, communes
from sandbox.world.draws import draw, key
from sandbox.world.offices import Staff, offices, staff
from sandbox.world.units import spelling

STRANGER = "Tỉnh Sông Xanh"
_STAFF_FLAWS = (
    "roles_above_total",
    "missing_total",
    "total_in_words",
    "missing_office",
    "counted_twice",
    "unknown_unit",
)
_TEAM_FLAWS = (
    "more_teams_than_villages",
    "more_trained_than_members",
    "missing_code",
    "population_in_words",
    "unknown_unit",
)
_ROLES, _TRAINED, _CONTACT = "Chuyên trách, kiêm nhiệm", "Được bồi dưỡng", "Người liên hệ"
_STAFF_HEADER = (
    ("", "STT"),
    ("", "Mã cơ quan"),
    ("", "Tên cơ quan"),
    ("", "Tổng số công chức, viên chức"),
    (_ROLES, "Chuyển đổi số"),
    (_ROLES, "Công nghệ thông tin"),
    (_ROLES, "An toàn thông tin"),
    (_TRAINED, "Chuyển đổi số"),
    (_TRAINED, "Kỹ năng số"),
    (_TRAINED, "Khai thác dữ liệu"),
    ("", "Có đầu mối"),
    (_CONTACT, "Họ và tên"),
    (_CONTACT, "Điện thoại"),
    (_CONTACT, "Thư điện tử"),
)
_TEAM_HEADER = (
    ("", "TT"),
    ("Xã, phường, đặc khu", "Mã"),
    ("Xã, phường, đặc khu", "Tên"),
    ("", "Dân số"),
    ("", "Có Tổ cấp xã"),
    ("Thôn, buôn, tổ dân phố", "Tổng số"),
    ("Thôn, buôn, tổ dân phố", "Có Tổ"),
    ("Thành viên", "Tổng số"),
    ("Thành viên", "Được tập huấn"),
    ("Tổ trưởng", "Họ và tên"),
    ("Tổ trưởng", "Điện thoại"),
)


def staffing_table(world: World, agency: str, day: date) -> Table:
    """Head counts of the agency's provinces on ``day``."""
    units = covered_on(agency, "staffing", day)
    counts = [staff(world.seed, office, day) for unit in units for office in offices(unit)]
    lines = [line for i, s in enumerate(counts, 1) for line in _staff_lines(world, agency, day, i, s)]
    if agency == NATIONAL:
        title = ("BỘ NỘI VỤ - TỔNG HỢP NHÂN LỰC CHUYỂN ĐỔI SỐ", SYNTHETIC_NOTE)
        flat = tuple(("", f"{group} {name}".strip()) for group, name in _STAFF_HEADER)
        return Table(
            "nhan-luc", title, (*flat[:1], ("", "Tỉnh, thành phố"), ("", "Ngày báo cáo"), *flat[1:]), tuple(lines)
        )
    return Table(
        name="Nhân lực",
        title=(
            "UBND TỈNH ĐẮK LẮK",
            "SỞ NỘI VỤ",
            "BÁO CÁO NHÂN LỰC CHUYỂN ĐỔI SỐ",
            f"Tính đến ngày {day:%d/%m/%Y}",
            SYNTHETIC_NOTE,
        ),
        header=_STAFF_HEADER,
        lines=tuple(lines),
        total=totals(lines, 2, {c: partial(_figure, c) for c in range(3, 10)}),
        signatures=_signatures(day),
        hidden=tuple(o.name for o in offices(units[0])),
    )


def teams_table(world: World, agency: str, day: date) -> Table:
    """Community teams of the agency's communes on ``day``."""
    found = [c for unit in covered_on(agency, "community_teams", day) for c in communes(world.seed, unit, day)]
    lines = [line for i, c in enumerate(found, 1) for line in _team_lines(world, agency, day, i, c)]
    if agency == NATIONAL:
        title = ("TỔNG HỢP TỔ CÔNG NGHỆ SỐ CỘNG ĐỒNG", SYNTHETIC_NOTE)
        names = ("TT", "Mã xã", "Tên xã", "Dân số", "Có Tổ cấp xã", "Số thôn", "Số thôn có Tổ", "Số thành viên",
                 "Số thành viên được tập huấn", "Tổ trưởng", "Điện thoại")  # fmt: skip
        header = [("", name) for name in names]
        return Table("to-cnscd", title, (header[0], ("", "Tỉnh"), ("", "Ngày báo cáo"), *header[1:]), tuple(lines))
    return Table(
        name="Tổ CNSCĐ",
        title=(
            "UBND TỈNH ĐẮK LẮK",
            "BIỂU TỔNG HỢP TỔ CÔNG NGHỆ SỐ CỘNG ĐỒNG",
            f"(Tính đến ngày {day:%d/%m/%Y})",
            SYNTHETIC_NOTE,
        ),
        header=_TEAM_HEADER,
        lines=tuple(lines),
        total=totals(lines, 2, {c: partial(_figure, c) for c in (3, 5, 6, 7, 8)}),
        signatures=_signatures(day),
        hidden=("Xã", "Phường", "Đặc khu"),
    )


def _figure(column: int, line: Line) -> float:
    return number_of(line.cells[column])


def _signatures(day: date) -> tuple[str, ...]:
    sent = day + timedelta(days=4)
    return (
        f"Đắk Lắk, ngày {sent:%d} tháng {sent:%m} năm {sent.year}",
        "NGƯỜI LẬP BIỂU",
        "THỦ TRƯỞNG ĐƠN VỊ",
        "(Đã ký)",
    )


def _staff_lines(world: World, agency: str, day: date, number: int, s: Staff) -> Iterable[Line]:
    office = s.office
    place = (world.seed, office.unit.unit_id, office.code)
    person = key(*place, "contact")
    figures = [s.total, s.digital_transformation, s.information_technology, s.information_security]
    figures += [s.trained_dx, s.trained_digital_skills, s.trained_data]
    cells: list[Cell] = [written(f, *place, i) for i, f in enumerate(figures)]
    flaw = _flaw(0.015, _STAFF_FLAWS, *place)
    unit = spelling(world.seed, office.unit, "staffing", number % 4)
    name: Cell = office.name
    if flaw == "roles_above_total":
        cells[1] = s.total + 3
    elif flaw == "missing_total":
        cells[0] = None
    elif flaw == "total_in_words":
        cells[0] = f"khoảng {s.total}"
    elif flaw == "missing_office":
        name = None
    elif flaw == "unknown_unit":
        unit = STRANGER
        flaw = flaw if agency == NATIONAL else None
    head: list[Cell] = [number, office.code, name]
    if agency == NATIONAL:
        head[1:1] = [unit, f"{day:%d/%m/%Y}"]
        cells = [c if c is None or isinstance(c, str) else vietnamese(number_of(c)) for c in cells]
    contact = (people.full_name(person), people.phone(person), people.email(person))
    line = Line((*head, *cells, yes_no(s.has_focal_staff), *contact), flaw)
    yield line
    if flaw == "counted_twice":
        again = vietnamese(s.total + 1)
        yield Line((*head, again, *cells[1:], yes_no(s.has_focal_staff), *contact), flaw)
    if flaw is None and draw(*place, "sent twice") < 0.004:
        yield line


def _team_lines(world: World, agency: str, day: date, number: int, c: Commune) -> Iterable[Line]:
    place = (world.seed, c.unit.unit_id, c.code)
    person = key(*place, "leader")
    figures: list[Cell] = [c.population, c.villages, c.villages_with_team, c.members, c.members_trained]
    flaw = _flaw(0.01, _TEAM_FLAWS, *place)
    unit = spelling(world.seed, c.unit, "teams", number % 3)
    code: Cell = c.code
    if flaw == "more_teams_than_villages":
        figures[2] = c.villages + 2
    elif flaw == "more_trained_than_members":
        figures[4] = c.members + 5
    elif flaw == "missing_code":
        code = None
    elif flaw == "population_in_words":
        figures[0] = "chưa thống kê"
    elif flaw == "unknown_unit":
        unit = STRANGER
        flaw = flaw if agency == NATIONAL else None
    cells = [f if isinstance(f, str) else written(number_of(f), *place, i) for i, f in enumerate(figures)]
    name = unicodedata.normalize("NFD", c.name) if number % 3 == 0 else c.name
    head: list[Cell] = [number, code, name]
    if agency == NATIONAL:
        head[1:1] = [unit, f"{day:%d/%m/%Y}"]
        cells = [f if isinstance(f, str) else vietnamese(number_of(f)) for f in cells]
    row = (*head, cells[0], yes_no(c.has_team), *cells[1:], people.full_name(person), people.phone(person))
    yield Line(row, flaw)


def _flaw(share: float, flaws: tuple[str, ...], *place: object) -> str | None:
    at = draw(*place, "sheet flaw") / share
    return flaws[int(at * len(flaws))] if at < 1 else None
