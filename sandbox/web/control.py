"""Tokens, health, and moving the clock."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from sandbox import SYNTHETIC_NOTE
from sandbox.clock import Clock, parse_clock
from sandbox.web.answers import answer, fault
from sandbox.web.auth import TokenDesk, basic
from sandbox.world.times import local


class ClockOrder(BaseModel):
    """Where to set the clock: ``2026-07-01T02:00``, or null for real time."""

    model_config = ConfigDict(extra="forbid")

    clock: str | None


def control_routes(clock: Clock, desk: TokenDesk, moved: Callable[[], None]) -> APIRouter:
    """``POST /oauth2/token``, ``GET /health``, ``GET`` and ``PUT /control/clock``; ``moved`` is called after a move."""
    routes = APIRouter()

    def show() -> Response:
        return answer({"synthetic": True, "clock": local(clock.now()).isoformat(), "fixed": clock.is_fixed})

    def known(request: Request) -> bool:
        header = request.headers.get("authorization")
        return desk.allows(header) or any(desk.knows(*pair) for pair in basic(header))

    @routes.post("/oauth2/token")
    async def token(request: Request) -> Response:
        form = {k: str(v) for k, v in (await request.form()).items()}
        pairs = [
            *basic(request.headers.get("authorization")),
            (form.get("client_id", ""), form.get("client_secret", "")),
        ]
        if form.get("grant_type") != "client_credentials":
            return fault(400, "unsupported_grant_type", "only client_credentials")
        if not any(desk.knows(*pair) for pair in pairs):
            refused = {"WWW-Authenticate": 'Basic realm="sandbox"'}
            return fault(401, "invalid_client", "the client id or secret is wrong", refused)
        content = {"access_token": desk.issue(), "token_type": "Bearer", "expires_in": int(desk.lifetime_seconds)}
        return answer({**content, "synthetic": True}, headers={"Cache-Control": "no-store"})

    @routes.get("/health")
    def health() -> Response:
        content = {"synthetic": True, "status": "ok", "note": SYNTHETIC_NOTE, "clock": local(clock.now()).isoformat()}
        return answer(content)

    @routes.get("/control/clock")
    def read_clock(request: Request) -> Response:
        return show() if known(request) else fault(401, "invalid_client", "give the client's id and secret")

    @routes.put("/control/clock")
    @routes.post("/control/clock")
    def move_clock(order: ClockOrder, request: Request) -> Response:
        if not known(request):
            return fault(401, "invalid_client", "give the client's id and secret")
        try:
            clock.set(None if order.clock is None else parse_clock(order.clock))
        except ValueError:
            return fault(400, "invalid_request", "clock must be a time such as 2026-07-01T02:00, or null")
        moved()
        return show()

    return routes
