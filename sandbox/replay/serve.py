"""The replayed year behind the same addresses as the sandbox's national systems, and its files in a drop folder."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response

from sandbox import SYNTHETIC_NOTE
from sandbox.clock import Clock
from sandbox.files import utf8_with_mark, windows_1258, write_whole
from sandbox.portals.monitor import seconds, understand
from sandbox.replay import plan as planned
from sandbox.replay import records
from sandbox.replay.records import Province, Record
from sandbox.replay.targets import INCLUDE, targets
from sandbox.web.answers import SyntheticLabel, answer, fault
from sandbox.web.auth import TokenDesk
from sandbox.web.control import control_routes
from sandbox.web.paging import BadRequestError, number, time_of
from sandbox.world.times import VIETNAM, moment

SOURCES = (
    "dvc-quoc-gia", "tthc-quoc-gia", "kiem-ke-quoc-gia", "khai-bao-quoc-gia", "prometheus-quoc-gia", "bo-noi-vu",
    "to-cnscd-quoc-gia",
)  # fmt: skip
"""The national sources; in a replay they speak for all 63 provinces."""


def provinces(framework: str, year: int) -> list[Province]:
    """All provinces of the year, planned. Raises NotReplayableError saying what stands against it."""
    made = []
    for target in targets(year):
        counts = planned.plan(framework, target)
        planned.smart_city(framework, counts)
        made.append(Province(target, counts, framework, year))
    return made


def write_home(home: Path, made: list[Province]) -> None:
    """Write the drop folder's two files, and beside it the source files that a replay pulls and no night does."""
    year = made[0].year
    staff = _csv((r for p in made for r in records.staff_rows(p)), ";")
    write_whole(home / "drop" / "bo-noi-vu" / f"nhan-luc-{year}-12.csv", windows_1258(staff))
    teams = _csv((r for p in made for r in records.team_rows(p)), ",")
    write_whole(home / "drop" / "to-cnscd-quoc-gia" / f"to-cnscd-{year}-12.csv", utf8_with_mark(teams))
    sources = home / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        shutil.copy(INCLUDE / "sources" / "sandbox" / f"{source}.yml", sources)


def _csv(rows: Iterable[Record], delimiter: str) -> str:
    """Rows as CSV, below a title that says what they are."""
    lines, text = list(rows), io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow([f"{SYNTHETIC_NOTE}, calibrated"])
    writer.writerow(lines[0])
    writer.writerows(row.values() for row in lines)
    return text.getvalue()


def create_app(made: list[Province], desk: TokenDesk) -> FastAPI:
    """The national systems of a replayed year as one ASGI application."""
    lists = {
        "ho-so": sorted((r for p in made for r in records.dossiers(p)), key=lambda r: (r["NgayCapNhat"], r["MaHoSo"])),
        "thu-tuc": [r for p in made for r in records.procedures(p)],
        "kiem-ke": [r for p in made for r in records.items(p)],
        "khai-bao": [r for p in made for r in records.statements(p)],
    }
    app = FastAPI(title="DTI sandbox, replay (synthetic, calibrated)", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SyntheticLabel)
    after = datetime(made[0].year + 1, 1, 1, 2, tzinfo=VIETNAM)
    app.include_router(control_routes(Clock(after), desk, lambda: None))

    @app.get("/quoc-gia/api/{name}")
    def read(name: str, request: Request) -> Response:
        if name not in lists:
            return fault(404, "not_found", "this agency has no such list")
        if not desk.allows(request.headers.get("authorization")):
            return fault(401, "invalid_token", "the token is absent, unknown or expired")
        given, found = request.query_params, lists[name]
        try:
            if name == "ho-so":
                since = time_of(given, "tuNgay", 0)
                found = [r for r in found if _changed(r) >= since]
            size, page = number(given, "soBanGhi", 100, 5_000), number(given, "trang", 1)
            offset = int(given.get("conTro") or (page - 1) * size)
        except (BadRequestError, ValueError) as wrong:
            return fault(400, "invalid_request", str(wrong))
        more = str(offset + size) if offset + size < len(found) else None
        content = {"synthetic": True, "tongSo": len(found), "duLieu": found[offset : offset + size], "tiepTheo": more}
        return answer(content)

    @app.get("/prometheus/quoc-gia/api/v1/query_range")
    def query_range(request: Request) -> Response:
        given = request.query_params
        query = understand(given.get("query", ""))
        if query is None:
            return answer({"status": "error", "errorType": "bad_data", "error": "unknown expression"}, 400)
        start, end, step = float(given["start"]), float(given["end"]), seconds(given["step"])
        result = list(_series(made, query.measure, int(start), int(end), int(step)))
        content = {"status": "success", "synthetic": True, "data": {"resultType": "matrix", "result": result}}
        return answer(content)

    return app


def _changed(record: Record) -> int:
    return moment(datetime.strptime(record["NgayCapNhat"], "%Y%m%d%H%M%S").replace(tzinfo=VIETNAM))


def _series(made: list[Province], measure: str, start: int, end: int, step: int) -> Iterator[dict[str, Any]]:
    """One series a province, sampled on the last days of the year only: what was not watched is not expected."""
    first = moment(datetime(made[0].year, 12, 1, tzinfo=VIETNAM))
    last = moment(datetime(made[0].year, 12, 1, tzinfo=VIETNAM) + timedelta(days=planned.DAYS_WATCHED))
    times = [t for t in range(start, end + 1, step) if first <= t < last]
    for province in made:
        values = {
            "up_share": province.counts.get(("data_centre", "data_centre_up_seconds"), 0)
            / (planned.DAYS_WATCHED * 86_400),
            "servers_total": province.count("data_centre", "servers_total"),
            "servers_with_antimalware": province.count("data_centre", "servers_with_antimalware"),
        }
        if times and measure in values:
            labels = {"data_centre": f"ttdl-{province.code}", "province": province.target.name}
            yield {"metric": labels, "values": [[t, f"{float(values[measure]):.6f}"] for t in times]}
