"""The Prometheus HTTP API as far as a pull needs it: range queries, with the server's limit, errors and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from sandbox.clock import Clock
from sandbox.portals.agencies import NATIONAL, World
from sandbox.portals.monitor import Query, evaluate, seconds, understand
from sandbox.web.answers import answer
from sandbox.world.times import DAY

MAX_POINTS = 11_000
_AGENCIES = ("dak-lak", NATIONAL)


class _BadDataError(ValueError):
    """What Prometheus answers with errorType bad_data."""


def _time(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "")
    try:
        return int(float(text))
    except ValueError:
        try:
            return int(datetime.fromisoformat(text).timestamp())
        except ValueError:
            raise _BadDataError(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp') from None


def _range(given: Mapping[str, str]) -> tuple[Query, int, int, int]:
    start, end = _time(given, "start"), _time(given, "end")
    if end < start:
        raise _BadDataError('invalid parameter "end": end timestamp must not be before start time')
    text = given.get("step", "")
    try:
        step = seconds(text)
    except ValueError:
        raise _BadDataError(f'invalid parameter "step": cannot parse "{text}" to a valid duration') from None
    if step < 1:
        raise _BadDataError(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer"
        )
    if (end - start) / step > MAX_POINTS:
        raise _BadDataError(
            f"exceeded maximum resolution of {MAX_POINTS:,} points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )
    query = understand(given.get("query", ""))
    if query is None:
        raise _BadDataError('invalid parameter "query": the sandbox only knows the expressions of its source files')
    return query, start, end, int(step)


def _warnings(agency: str, query: Query, start: int, end: int) -> list[str]:
    """The national store is partial for storage always, and for memory when a query spans more than a week."""
    partial = query.measure == "storage_utilisation_pct" or (
        query.measure == "memory_utilisation_pct" and end - start > 7 * DAY
    )
    if agency != NATIONAL or not partial:
        return []
    return ["PromQL warning: store sandbox-store-2 did not answer in time, the result may be partial"]


def prometheus_routes(world: World, clock: Clock) -> APIRouter:
    """``GET`` and ``POST /prometheus/<agency>/api/v1/query_range``."""
    routes = APIRouter()

    def respond(agency: str, given: Mapping[str, str]) -> Response:
        if agency not in _AGENCIES:
            return Response("404 page not found\n", status_code=404, media_type="text/plain")
        try:
            query, start, end, step = _range(given)
        except _BadDataError as wrong:
            return answer({"status": "error", "errorType": "bad_data", "error": str(wrong), "synthetic": True}, 400)
        result = [
            {"metric": s.labels, "values": [[int(m), v] for m, v in zip(s.moments, s.values, strict=True)]}
            for s in evaluate(world, agency, query, start, end, step, clock.now())
        ]
        content = {"status": "success", "synthetic": True, "data": {"resultType": "matrix", "result": result}}
        if warnings := _warnings(agency, query, start, end):
            content["warnings"] = warnings
        return answer(content)

    @routes.get("/prometheus/{agency}/api/v1/query_range")
    def get(agency: str, request: Request) -> Response:
        return respond(agency, request.query_params)

    @routes.post("/prometheus/{agency}/api/v1/query_range")
    async def post(agency: str, request: Request) -> Response:
        form = {**request.query_params, **{k: str(v) for k, v in (await request.form()).items()}}
        return await run_in_threadpool(respond, agency, form)

    return routes
