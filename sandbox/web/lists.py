"""The agencies' lists: dossiers, procedures, inventories and declarations, each paged as its system does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.clock import Clock
from sandbox.portals.agencies import NATIONAL, World
from sandbox.portals.catalogue import catalogue
from sandbox.portals.declarations import declaration_list
from sandbox.portals.dossier_list import FIRST_DAY, dossier_list
from sandbox.portals.inventory import inventory_list
from sandbox.web.answers import answer, fault
from sandbox.web.auth import TokenDesk
from sandbox.web.limit import RETRY_AFTER_SECONDS, RateLimit
from sandbox.web.paging import MAX_SIZE, BadRequestError, cursor, cursor_of, number, numbered, time_of
from sandbox.world.times import business_day, midnight

Answer = dict[str, Any]
_MAINTENANCE = "<!doctype html><title>503</title><h1>Hệ thống đang bảo trì</h1><p>Dữ liệu mô phỏng (synthetic)</p>"


@lru_cache(maxsize=16)
def _records(world: World, agency: str, name: str, clock: int) -> list[Any]:
    if name == "thu-tuc":
        made = catalogue(world, agency, clock)
    elif name == "kiem-ke":
        made = inventory_list(world, agency, business_day(clock))
    else:
        made = declaration_list(world, business_day(clock))
    return [record for record, _ in made]


def _dossiers_by_time(world: World, agency: str, given: Mapping[str, str], clock: int) -> Answer:
    since, until = time_of(given, "tuNgay", midnight(FIRST_DAY)), time_of(given, "denNgay", clock + 1)
    size, page = number(given, "soBanGhi", 100, MAX_SIZE), number(given, "trang", 1)
    lines = dossier_list(world, agency, clock)
    wanted = islice(lines.oldest_first(since, until), (page - 1) * size, page * size)
    records = [lines.show(entry)[0] for entry in wanted]
    return {"synthetic": True, "tongSo": lines.count(since, until), "duLieu": records}


def _dossiers_by_page(world: World, agency: str, given: Mapping[str, str], clock: int) -> Answer:
    since, until = time_of(given, "tuNgay", midnight(FIRST_DAY)), time_of(given, "denNgay", clock + 1)
    size, page = number(given, "soBanGhi", 100, MAX_SIZE), number(given, "trang", 1)
    lines = dossier_list(world, agency, clock)
    records = [lines.show(entry)[0] for entry in lines.newest_first(since, until, (page - 1) * size, size)]
    return {"synthetic": True, "trang": page, "tongSo": lines.count(since, until), "duLieu": records}


def _by_page(name: str) -> Callable[[World, str, Mapping[str, str], int], Answer]:
    def page(world: World, agency: str, given: Mapping[str, str], clock: int) -> Answer:
        records, total = numbered(_records(world, agency, name, clock), given)
        return {"synthetic": True, "tongSo": total, "duLieu": records}

    return page


def _by_cursor(name: str) -> Callable[[World, str, Mapping[str, str], int], Answer]:
    def page(world: World, agency: str, given: Mapping[str, str], clock: int) -> Answer:
        offset, at = cursor_of(given, clock)
        size = number(given, "soBanGhi", 100, MAX_SIZE)
        records = _records(world, agency, name, at)
        more = cursor(offset + size, at) if offset + size < len(records) else None
        return {"synthetic": True, "tongSo": len(records), "duLieu": records[offset : offset + size], "tiepTheo": more}

    return page


LISTS: dict[tuple[str, str], Callable[[World, str, Mapping[str, str], int], Answer]] = {
    ("dak-lak", "ho-so"): _dossiers_by_time,
    ("lam-dong", "ho-so"): _dossiers_by_page,
    (NATIONAL, "ho-so"): _dossiers_by_time,
    ("dak-lak", "thu-tuc"): _by_page("thu-tuc"),
    ("lam-dong", "thu-tuc"): _by_page("thu-tuc"),
    (NATIONAL, "thu-tuc"): _by_page("thu-tuc"),
    (NATIONAL, "kiem-ke"): _by_cursor("kiem-ke"),
    (NATIONAL, "khai-bao"): _by_cursor("khai-bao"),
}


def list_routes(world: World, clock: Clock, desk: TokenDesk, limit: RateLimit) -> APIRouter:
    """``GET /<agency>/api/<list>`` for every list that exists; Cà Mau answers 503 to all."""
    routes = APIRouter()

    @routes.get("/ca-mau/{rest:path}")
    def dead(rest: str) -> Response:
        return Response(_MAINTENANCE, status_code=503, media_type="text/html; charset=utf-8")

    @routes.get("/{agency}/api/{name}")
    def read(agency: str, name: str, request: Request) -> Response:
        if (agency, name) not in LISTS:
            return fault(404, "not_found", "this agency has no such list")
        if not desk.allows(request.headers.get("authorization")):
            refused = {"WWW-Authenticate": 'Bearer realm="sandbox", error="invalid_token"'}
            return fault(401, "invalid_token", "the token is absent, unknown or expired", refused)
        if not limit.admits(f"{agency}/{name}"):
            return fault(429, "too_many_requests", "ask again in a second", {"Retry-After": str(RETRY_AFTER_SECONDS)})
        try:
            return answer(LISTS[agency, name](world, agency, request.query_params, clock.now()))
        except BadRequestError as wrong:
            return fault(400, "invalid_request", str(wrong))

    return routes
