"""A REST agency whose records can move while they are read, and the source that reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from werkzeug import Request, Response

from dti.clock import day_end, day_start
from dti.sources.credentials import Credentials
from dti.sources.window import Window

NIGHT = date(2026, 3, 1)
WINDOW = Window(NIGHT, day_start(date(2026, 1, 1)), day_end(NIGHT))
KEY = b"a key for tests"
CREDENTIALS = Credentials(login="dti", password=SecretStr("hunter2-secret"))

DOSSIERS: dict[str, Any] = {
    "source": "dossiers",
    "feed": "online_services",
    "agency": "Sở thử nghiệm",
    "owner": "test@example.vn",
    "licence": "test",
    "unit": {"field": "Tinh"},
    "fields": {
        "dossier_id": "MaHoSo",
        "procedure_code": "MaTTHC",
        "status_code": "TrangThaiHoSo",
        "opened_at": "NgayNopHoSo || NgayTiepNhan",
        "received_at": "NgayTiepNhan",
        "fee_vnd": "sum(DanhSachLePhi[].Gia)",
        "updated_at": "CapNhat",
        "applicant_name": "ChuHoSo",
        "applicant_identity": "SoDinhDanh",
        "applicant_email": "Email",
        "applicant_phone": "SoDienThoai",
    },
}


def dossier(number: int, updated: datetime, **more: Any) -> dict[str, Any]:
    """One record as the portal sends it, person and all."""
    return {
        "MaHoSo": f"HS-{number:05}",
        "MaTTHC": "1.000656",
        "Tinh": "P34-66",
        "TrangThaiHoSo": 4,
        "NgayTiepNhan": "2026-01-05T08:00:00+07:00",
        "DanhSachLePhi": [{"Gia": 15000}, {"Gia": 5000.5}],
        "CapNhat": updated.isoformat(),
        "ChuHoSo": "Nguyễn Thị Canary",
        "SoDinhDanh": "066 099 000 001",
        "Email": "canary@example.vn",
        "SoDienThoai": "0905000001",
    } | more


@dataclass
class Agency:
    """A list sorted by change time. ``before_answer`` is called with the number of the question, to move records."""

    records: list[dict[str, Any]] = field(default_factory=list)
    cap: int = 1_000
    before_answer: Callable[[int], None] = lambda _: None
    questions: list[dict[str, str]] = field(default_factory=list)
    total: Callable[[int], int | None] = lambda count: count
    honours_page: bool = True

    def handle(self, request: Request) -> Response:
        self.questions.append(dict(request.args))
        self.before_answer(len(self.questions))
        found = sorted(self.records, key=lambda r: (datetime.fromisoformat(r["CapNhat"]), r["MaHoSo"]))
        if since := request.args.get("since"):
            found = [r for r in found if datetime.fromisoformat(r["CapNhat"]) >= datetime.fromisoformat(since)]
        size = min(int(request.args.get("size", 1_000)), self.cap)
        page = int(request.args.get("page", 1)) if self.honours_page else 1
        body = {"data": found[(page - 1) * size : page * size], "total": self.total(len(found))}
        return Response(json.dumps(body), content_type="application/json")

    def touch(self, index: int, minutes: int = 1) -> None:
        """Change one record: it gets the newest change time of all."""
        newest = max(datetime.fromisoformat(r["CapNhat"]) for r in self.records)
        moved = self.records[index]
        moved["CapNhat"] = (newest + timedelta(minutes=minutes)).isoformat()
        moved["TrangThaiHoSo"] = 9


def minute(number: int) -> datetime:
    """The ``number``-th minute of the tests' window."""
    return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=number)
