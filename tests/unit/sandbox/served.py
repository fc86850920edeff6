"""A sandbox on a free port of this machine, and a client that behaves."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import requests
import uvicorn

from sandbox.clock import Clock
from sandbox.portals.agencies import World
from sandbox.serve import create_app
from sandbox.web.auth import TokenDesk
from sandbox.web.limit import RateLimit
from sandbox.world.times import VIETNAM

CLIENT = ("sandbox-client", "s3cret/+ value")
NIGHT = date(2026, 6, 30)
CLOCK = datetime(2026, 7, 1, 2, tzinfo=VIETNAM)


@dataclass
class Served:
    """A running sandbox: its address, and the folder whose ``drop`` it keeps."""

    url: str
    home: Path | None

    def token(self) -> str:
        answer = requests.post(
            f"{self.url}/oauth2/token", data={"grant_type": "client_credentials"}, auth=CLIENT, timeout=10
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def get(self, path: str, token: str | None = None, **params: Any) -> requests.Response:
        """Ask once with a token, waiting whenever the rate limit says so."""
        header = {"Authorization": f"Bearer {token or self.token()}"}
        while True:
            answer = requests.get(f"{self.url}{path}", params=params, headers=header, timeout=30)
            if answer.status_code != 429:
                return answer
            time.sleep(float(answer.headers["Retry-After"]))


def serving(home: Path | None = None, *, token_seconds: float = 60, limit: RateLimit | None = None) -> Iterator[Served]:
    """Serve a sandbox from a thread of this process until the caller is done."""
    app = create_app(World(), Clock(CLOCK), TokenDesk(*CLIENT, token_seconds), home, limit)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", home)
        server.should_exit = True
        thread.join()
