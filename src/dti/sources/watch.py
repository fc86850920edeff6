"""A watch over one answer: it shuts the socket when the time is up.

A socket's own time-out starts anew with every byte, so it never ends what drips: a status line, a header, the name of
a file in a gzip head, the size line or the trailer of a chunk. Each of them is read in a loop inside a library, where
nobody looks at a clock. Shutting the socket from outside ends every one of them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from types import TracebackType
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Watch:
    """Calls ``shut`` once, if the block takes longer than ``seconds``; ``over`` tells whether it did."""

    def __init__(self, seconds: float, shut: Callable[[], object]) -> None:
        self.over = False
        self._shut = shut
        self._timer = Timer(max(seconds, 0.0), self._end)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.over = True
        # Whatever is left of the connection by now, nothing more is to be read from it.
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            self._shut()


def watched_pools(seconds_left: Callable[[], float]) -> dict[str, type[HTTPConnectionPool]]:
    """Pools, by scheme, whose connections shut when proxy, status line and headers take longer than is left."""
    plain = type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _watched(HTTPConnection, seconds_left)})
    tls = type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": _watched(HTTPSConnection, seconds_left)})
    return {"http": plain, "https": tls}


def _watched(base: type[HTTPConnection], seconds_left: Callable[[], float]) -> type[HTTPConnection]:
    def watching(step: Callable[[HTTPConnection], Any]) -> Callable[[HTTPConnection], Any]:
        def run(self: HTTPConnection) -> Any:
            with Watch(seconds_left(), lambda: self.sock and self.sock.shutdown(socket.SHUT_RDWR)) as watch:
                result = step(self)
            if watch.over:  # headers cut off by us look whole to http.client
                raise TimeoutError("the headers came in too slowly")
            return result

        return run

    return type(base.__name__, (base,), {"connect": watching(base.connect), "getresponse": watching(base.getresponse)})
