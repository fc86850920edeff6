"""A portal that costs next to nothing, so that a benchmark of extraction measures the reader.

Serves ``count`` made-up dossiers by change time; a record is arithmetic on its number, so nothing is stored.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import uvicorn

START = datetime(2026, 1, 1, tzinfo=UTC)
SPAN_SECONDS = 180 * 86_400
UNITS = 34
_RECORD = (
    '{{"MaHoSo":"H{n:09d}","Tinh":"{unit}","MaTTHC":"1.{procedure:06d}","TrangThaiHoSo":{status},"KenhThucHien":{channel},'
    '"NgayNopHoSo":"{opened}","NgayTiepNhan":"{opened}","NgayHenTra":"{due}","NgayKetThucXuLy":{finished},'
    '"Gia":{fee},"DuocThanhToanTrucTuyen":{paid},"SoHoa":{digitised},"NgayCapNhat":"{updated}"}}'
)


def unit_codes() -> list[str]:
    """Unit ids of the 34 provinces, from the reference data."""
    import csv

    from dti.settings import get_settings

    with (get_settings().include_dir / "reference" / "unit.csv").open(encoding="utf-8") as file:
        return [row["unit_id"] for row in csv.DictReader(file) if row["geography"] == "34"]


class Portal:
    """ASGI application: ``GET /dossiers?since=&page=&size=``."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.step = SPAN_SECONDS / count
        self.units = unit_codes()

    def record(self, n: int) -> str:
        updated = START + timedelta(seconds=n * self.step)
        opened = updated - timedelta(days=n % 20, hours=1)
        opened = max(opened, START)
        done = n % 5 != 0
        return _RECORD.format(
            n=n,
            unit=self.units[n * 7 % len(self.units)],
            procedure=n * 13 % 300,
            status=10 if done else 4,
            channel=2 if n % 3 else 1,
            opened=opened.isoformat(timespec="milliseconds"),
            due=(opened + timedelta(days=15)).isoformat(timespec="milliseconds"),
            finished=f'"{updated.isoformat(timespec="milliseconds")}"' if done else "null",
            fee=n % 4 * 10_000,
            paid=n % 3,
            digitised="true" if n % 2 else "false",
            updated=updated.isoformat(timespec="milliseconds"),
        )

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        query = {k: v[0] for k, v in parse_qs(scope["query_string"].decode()).items()}
        since = datetime.fromisoformat(query["since"])
        first = max(0, -int(-((since - START).total_seconds() / self.step - 1e-6) // 1))
        size = int(query["size"])
        first += (int(query["page"]) - 1) * size
        body = '{"data":[' + ",".join(self.record(n) for n in range(first, min(first + size, self.count))) + "]}"
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


if __name__ == "__main__":
    uvicorn.run(Portal(int(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
