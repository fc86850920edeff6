"""A real server over HTTP or TLS that misbehaves on command: each question is answered as a plan says, byte by byte."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Question:
    """What was asked; ``args`` as werkzeug names them, so that the tests' agencies can answer it."""

    path: str
    args: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer, and how far it can be trusted."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None  # what Content-Length says, where that is not so
    drip: bytes | None = None  # after the body: this again and again, b"" for silence, until the other side has gone
    raw: bool = False  # the body is the whole answer, status line and all

    def head(self) -> bytes:
        """Status line and headers."""
        if self.raw:
            return b""
        length = len(self.body) if self.length is None else self.length
        headers = {"Content-Type": "application/json", "Content-Length": str(length), "Connection": "close"}
        lines = [f"HTTP/1.1 {self.status} So", *(f"{name}: {text}" for name, text in (headers | self.headers).items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


Plan = Callable[[int, Question], Answer]


class Misbehaving(ThreadingHTTPServer):
    """Answers the n-th question (from 1) with ``plan(n, question)``; the first ``hang_ups`` callers hear nothing."""

    daemon_threads = True

    def __init__(self, plan: Plan, *, tls: ssl.SSLContext | None = None, hang_ups: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan, self.tls, self.hang_ups = plan, tls, hang_ups
        self.questions: list[Question] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    @property
    def root(self) -> str:
        """Where it listens."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One connection, in its own thread: the handshake too, which the other side may break off."""
        with self._lock:
            self.hang_ups -= 1
            if self.hang_ups >= 0:
                return
        with suppress(OSError):
            if self.tls is not None:
                request = self.tls.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)

    def answer(self, question: Question) -> Answer:
        """What the plan has for this question."""
        with self._lock:
            self.questions.append(question)
            return self.plan(len(self.questions), question)


class _Handler(BaseHTTPRequestHandler):
    server: Misbehaving

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        question = Question(parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
        answer = self.server.answer(question)
        self.close_connection = True
        self.wfile.write(answer.head() + answer.body)
        self.wfile.flush()
        while answer.drip is not None and not self.server.stopped.wait(DRIP_SECONDS):
            self.wfile.write(answer.drip)
            self.wfile.flush()

    do_POST = do_GET  # noqa: N815 - so http.server wants it

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def misbehaving(plan: Plan, *, tls: ssl.SSLContext | None = None, hang_ups: int = 0) -> Iterator[Misbehaving]:
    """A server of that plan, until the block ends."""
    server = Misbehaving(plan, tls=tls, hang_ups=hang_ups)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
