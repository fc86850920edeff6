"""How long we wait for an agency and how often we ask again, as a transport adapter of requests.

requests' own retries (``max_retries``) end where the headers end: a body that breaks off or drips is past them, and
its time-outs only bound the silence between two bytes. This adapter reads the body itself, so that every request of a
session, also the ones that fetch a token or follow a redirect, is retried, counted and bounded in time and size.
The policy (what is retried, back-off, ``Retry-After``) is urllib3's.
"""

from __future__ import annotations

import io
import socket
import time
from dataclasses import dataclass
from threading import Event, Timer
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import DecodeError, HTTPError, InvalidHeader, MaxRetryError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from dti.sources.model import HttpConnector
from dti.sources.pull import PullStats

RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
_CHUNK = 1 << 16


class AnswerTooSlow(requests.Timeout):
    """One answer, or the whole pull, took longer than it may."""


class AnswerTooLarge(requests.RequestException):
    """An answer passed the size that is accepted; asking again does not help."""


class WaitTooLong(requests.RequestException):
    """The agency asks for a pause that is longer than our patience; asking earlier would be rude."""


@dataclass(frozen=True)
class Patience:
    """The limits of one pull; ``deadline`` is the moment on the monotonic clock when the whole pull must be over."""

    connector: HttpConnector
    deadline: float

    @classmethod
    def starting_now(cls, connector: HttpConnector) -> Patience:
        """The limits of a pull that begins at this moment."""
        return cls(connector, time.monotonic() + connector.pull_seconds)

    def policy(self) -> Retry:
        """urllib3's retry policy for one question. POST is retried too: here it only ever reads."""
        return Retry(
            total=self.connector.retries,
            status_forcelist=RETRIED_STATUS,
            allowed_methods=None,
            backoff_factor=0.5,
            backoff_jitter=0.25,
            backoff_max=30,
            raise_on_status=False,
        )

    def answer_deadline(self) -> float:
        """When an answer asked for now must be there, body and all. Raises AnswerTooSlow when the pull is over."""
        now = time.monotonic()
        if now >= self.deadline:
            raise AnswerTooSlow(f"the pull took longer than {self.connector.pull_seconds:g} s")
        return min(now + self.connector.answer_seconds, self.deadline)

    def wait(self, seconds: float, asked_for: bool) -> None:
        """Sleep before asking again. Raises WaitTooLong when the agency asked for more than we grant."""
        if asked_for and seconds > self.connector.max_wait_seconds:
            raise WaitTooLong(f"it asks to wait {seconds:.0f} s, longer than {self.connector.max_wait_seconds:g} s")
        if time.monotonic() + seconds >= self.deadline:
            raise AnswerTooSlow(f"the pull would take longer than {self.connector.pull_seconds:g} s")
        time.sleep(seconds)


class PatientAdapter(HTTPAdapter):
    """Send one request: retried, counted into ``stats``, bounded, and answered with its body already read."""

    def __init__(self, patience: Patience, stats: PullStats) -> None:
        self._patience, self._stats = patience, stats
        super().__init__()  # without urllib3's own retries: they are ours

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools whose connections give up on headers that drip in."""
        super().init_poolmanager(*args, **kwargs)
        seconds = self._patience.connector.answer_seconds
        plain = type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _watched(HTTPConnection, seconds)})
        tls = type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": _watched(HTTPSConnection, seconds)})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": tls}

    def send(self, request: requests.PreparedRequest, *_: Any, **kwargs: Any) -> requests.Response:
        """The answer, whatever its status, after as many attempts as the policy allows.

        Raises what the last attempt raised: ConnectionError, Timeout, AnswerTooLarge, WaitTooLong.
        """
        connector = self._patience.connector
        kwargs.update(stream=True, timeout=(connector.timeout_seconds, connector.timeout_seconds))
        policy = self._patience.policy()
        while True:
            response: requests.Response | None = None
            fault: requests.RequestException | None = None
            try:
                response = self._attempt(request, **kwargs)
            except (requests.ConnectionError, requests.Timeout) as error:
                if isinstance(error, requests.exceptions.SSLError):
                    raise
                fault = error
            if response is not None and not policy.is_retry(request.method or "GET", response.status_code):
                return response
            try:
                policy = policy.increment(request.method, error=fault and HTTPError(type(fault).__name__))
            except MaxRetryError:
                if response is not None:
                    return response
                raise fault or requests.ConnectionError("no answer") from None
            self._stats.retries_count += 1
            asked = _retry_after(policy, response)
            self._patience.wait(policy.get_backoff_time() if asked is None else asked, asked is not None)

    def _attempt(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        deadline = self._patience.answer_deadline()
        self._stats.requests_count += 1
        response = super().send(request, **kwargs)
        raw = response.raw
        try:
            body = self._read(raw, deadline)
        except requests.RequestException:
            raise  # ours, from the bounds; requests' exceptions are OSErrors too
        except DecodeError as fault:
            raise requests.exceptions.ContentDecodingError(type(fault).__name__) from None
        except ReadTimeoutError:
            raise requests.ReadTimeout("the answer stalled") from None
        except (HTTPError, OSError) as fault:
            raise requests.ConnectionError(f"the answer broke off ({type(fault).__name__})") from None
        finally:
            self._stats.bytes_received += raw.tell()
            raw.close()
        response.raw = _Body(body, raw)
        return response

    def _read(self, raw: BaseHTTPResponse, deadline: float) -> bytes:
        """The whole body, decoded. Reads what has arrived, so that a drip cannot hold it beyond the deadline."""
        chunks, size = [], 0
        while chunk := raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._patience.connector.max_answer_bytes:
                raise AnswerTooLarge(f"the answer is larger than {self._patience.connector.max_answer_bytes:,} bytes")
            if time.monotonic() > deadline:
                raise AnswerTooSlow("the answer came in too slowly")
        return b"".join(chunks)


class _Body(io.BytesIO):
    """A body read to its end; requests looks for cookies in the original answer behind it."""

    def __init__(self, body: bytes, raw: Any) -> None:
        super().__init__(body)
        self._original_response = getattr(raw, "_original_response", None)


def _retry_after(policy: Retry, response: requests.Response | None) -> float | None:
    """Seconds that the agency asks us to wait; None when it does not say, or says nothing readable."""
    text = response.headers.get("Retry-After") if response is not None else None
    if text is None:
        return None
    try:
        return policy.parse_retry_after(text)
    except (InvalidHeader, ValueError, OverflowError):
        return None


def _watched(base: type[HTTPConnection], seconds: float) -> type[HTTPConnection]:
    """``base`` with a watch that shuts the socket when status line and headers take longer than ``seconds``.

    A socket's own time-out starts anew with every byte, so it never ends a header that drips.
    """

    def getresponse(self: HTTPConnection) -> Any:
        over = Event()

        def shut() -> None:
            over.set()
            if (sock := self.sock) is not None:
                sock.shutdown(socket.SHUT_RDWR)

        watch = Timer(seconds, shut)
        watch.daemon = True
        watch.start()
        try:
            response = base.getresponse(self)
        finally:
            watch.cancel()
        if over.is_set():  # headers cut off by us look whole to http.client
            raise TimeoutError("the headers came in too slowly")
        return response

    return type(base.__name__, (base,), {"getresponse": getresponse})
