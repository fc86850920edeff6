"""Agencies that drop CSV files, and nights that read them: the gate's and the loader's real steps."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from dti import flow
from dti.settings import Settings
from dti.warehouse import connect

OF_DOSSIERS = {
    "unit": "Tỉnh", "dossier_id": "Mã hồ sơ", "procedure_code": "Thủ tục", "status_code": "Trạng thái",
    "opened_at": "Mở lúc", "received_at": "Tiếp nhận", "finished_at": "Kết thúc", "updated_at": "Cập nhật",
}  # fmt: skip
OF_TEAMS = {
    "unit": "Tỉnh", "commune_code": "Mã xã", "commune_name": "Tên xã", "reported_on": "Ngày", "has_team": "Có Tổ",
    "villages_total": "Số thôn", "villages_with_team": "Số thôn có Tổ", "team_members_total": "Số thành viên",
    "team_members_trained": "Được tập huấn", "population": "Dân số",
}  # fmt: skip
DOSSIERS, TEAMS = "tinh-ho-so", "tinh-to-cong-nghe"
_SOURCES = {DOSSIERS: ("online_services", OF_DOSSIERS), TEAMS: ("community_teams", OF_TEAMS)}
_CODES = {TEAMS: {"has_team": {"Có": "true", "Không": "false"}}}

Rows = list[dict[str, Any]]


def describe(settings: Settings, folder: Path) -> None:
    """Write the two source files into ``folder``, and make room for what the agencies drop."""
    folder.mkdir(parents=True, exist_ok=True)
    (settings.home_dir / "drop").mkdir(exist_ok=True)
    for name, (feed, columns) in _SOURCES.items():
        fields = {ours: theirs for ours, theirs in columns.items() if ours != "unit"}
        source = {
            "source": name, "feed": feed, "agency": "Sở thử nghiệm", "owner": "o", "licence": "l", "synthetic": True,
            "unit": {"field": columns["unit"]}, "connector": {"type": "tabular", "path": f"{name}.csv"},
            "fields": fields, "codes": _CODES.get(name, {}),
        }  # fmt: skip
        (folder / f"{name}.yml").write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")


def night(settings: Settings, source: str, day: date, rows: Rows) -> str:
    """One night of one source that sends ``rows``; the id of its batch."""
    feed, columns = _SOURCES[source]
    with (settings.home_dir / "drop" / f"{source}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns.values()))
        writer.writeheader()
        writer.writerows({columns[name]: value for name, value in row.items()} for row in rows)
    batch = flow.extract(source, day, settings=settings)["batch_id"]
    flow.gate(feed, day, settings=settings)
    flow.load(feed, day, settings=settings)
    return str(batch)


def dossier(number: int, **changes: Any) -> dict[str, Any]:
    """A dossier that is in order."""
    return {
        "unit": "Đắk Lắk", "dossier_id": f"D{number:03}", "procedure_code": "1.000123", "status_code": 3,
        "opened_at": "2026-06-01T08:00:00+07:00", "received_at": "2026-06-01T09:00:00+07:00",
        "updated_at": "2026-06-02T08:00:00+07:00",
    } | changes  # fmt: skip


def team(number: int, **changes: Any) -> dict[str, Any]:
    """A commune whose report is in order."""
    return {
        "unit": "Đắk Lắk", "commune_code": f"{24000 + number}", "commune_name": f"Xã {number}",
        "reported_on": "2026-06-15", "has_team": "Có", "villages_total": 10, "villages_with_team": 5,
        "team_members_total": 30, "team_members_trained": 20, "population": 9000,
    } | changes  # fmt: skip


def asked(settings: Settings, query: str, *given: Any) -> list[tuple[Any, ...]]:
    """Rows of a query asked as the loader."""
    with connect.connect(settings, "loader") as connection:
        return connection.execute(query.encode(), given or None).fetchall()
