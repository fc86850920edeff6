"""The sandbox as a process: every agency behind one port, of the loopback address unless told otherwise."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from sandbox.clock import Clock
from sandbox.drop import write_drop
from sandbox.portals.agencies import World
from sandbox.web.answers import SyntheticLabel
from sandbox.web.auth import TokenDesk
from sandbox.web.control import control_routes
from sandbox.web.limit import RateLimit
from sandbox.web.lists import list_routes
from sandbox.web.prometheus import prometheus_routes
from sandbox.world.times import business_day

HOST = "127.0.0.1"
DEFAULT_PORT = 18410
_WATCH_SECONDS = 30


class DropWriter:
    """Keeps the drop folder as it would be on the clock's day."""

    def __init__(self, world: World, clock: Clock, home: Path | None) -> None:
        self._world, self._clock, self._home = world, clock, home
        self._lock = threading.Lock()
        self._written: object = None

    def refresh(self) -> None:
        """Write the folder when the day is another one than last time; nothing without a home."""
        with self._lock:
            now = self._clock.now()
            if self._home is not None and business_day(now) != self._written:
                write_drop(self._world, self._home, now)
                self._written = business_day(now)


def create_app(
    world: World, clock: Clock, desk: TokenDesk, home: Path | None = None, limit: RateLimit | None = None
) -> FastAPI:
    """All agencies as one ASGI application. With ``home``, ``home/drop`` follows the clock's day."""
    drop = DropWriter(world, clock, home)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        drop.refresh()
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(over, drop.refresh), name="drop", daemon=True)
        watch.start()
        yield
        over.set()

    app = FastAPI(title="DTI sandbox (synthetic)", lifespan=live, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SyntheticLabel)
    app.include_router(control_routes(clock, desk, drop.refresh))
    app.include_router(prometheus_routes(world, clock))
    app.include_router(list_routes(world, clock, desk, limit or RateLimit()))
    return app


def _watch(over: threading.Event, refresh: Callable[[], None]) -> None:
    while not over.wait(_WATCH_SECONDS):
        refresh()


def run(app: FastAPI, port: int, host: str = HOST) -> None:
    """Serve until interrupted. Raises OSError when the port is taken."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
        uvicorn.Server(config).run(sockets=[listener])
