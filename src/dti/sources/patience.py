"""How long we wait for an agency and how often we ask again, as a transport adapter of requests.

requests' own retries (``max_retries``) end where the headers end: a body that breaks off or drips is past them, and
its time-outs only bound the silence between two bytes. This adapter reads the body itself, so that every request of a
session, also the ones that fetch a token or follow a redirect, is retried, counted and bounded in time and size.
The policy (what is retried, back-off, ``Retry-After``) is urllib3's.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, HTTPError, MaxRetryError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from dti.sources.certificates import certificate_fault
from dti.sources.model import HttpConnector
from dti.sources.pull import PullStats
from dti.sources.watch import Watch, watched_pools

RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
CLOCK_TOLERANCE_SECONDS = 300
_CHUNK = 1 << 16


class AnswerTooSlow(requests.Timeout):
    """One answer took longer than it may."""


class PullTooLong(requests.RequestException):
    """The whole pull took longer than it may: nothing more is asked in it."""


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
        """When an answer asked for now must be there, body and all. Raises PullTooLong when the pull is over."""
        self.hold_to_deadline()
        return min(time.monotonic() + self.connector.answer_seconds, self.deadline)

    def seconds_left(self) -> float:
        """How long one answer may still take, from now."""
        return min(self.connector.answer_seconds, self.deadline - time.monotonic())

    def hold_to_deadline(self, seconds: float = 0.0) -> None:
        """Raise PullTooLong when the pull is over, or will be in ``seconds``."""
        if time.monotonic() + seconds >= self.deadline:
            raise PullTooLong(f"the pull took longer than {self.connector.pull_seconds:g} s")

    def wait(self, seconds: float, asked_for: bool) -> None:
        """Sleep before asking again. Raises WaitTooLong when the agency asked for more than we grant, PullTooLong."""
        if asked_for and seconds > self.connector.max_wait_seconds:
            raise WaitTooLong(f"it asks to wait {seconds:.0f} s, longer than {self.connector.max_wait_seconds:g} s")
        self.hold_to_deadline(seconds)
        time.sleep(seconds)


class PatientAdapter(HTTPAdapter):
    """Send one request: retried, counted into ``stats``, bounded, and answered with its body already read."""

    def __init__(self, patience: Patience, stats: PullStats) -> None:
        self._patience, self._stats = patience, stats
        self._clocks_differ = False
        super().__init__()  # without urllib3's own retries: they are ours

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools whose connections give up on headers that drip in."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = watched_pools(self._patience.seconds_left)

    def send(self, request: requests.PreparedRequest, *_: Any, **kwargs: Any) -> requests.Response:
        """The answer, whatever its status, after as many attempts as the policy allows.

        Raises what the last attempt raised: ConnectionError, Timeout, AnswerTooLarge; and WaitTooLong, PullTooLong.
        """
        connector = self._patience.connector
        kwargs.update(stream=True, timeout=(connector.timeout_seconds, connector.timeout_seconds))
        policy = self._patience.policy()
        while True:
            response: requests.Response | None = None
            fault: requests.RequestException | None = None
            try:
                response = self._attempt(request, **kwargs)
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ContentDecodingError) as error:
                if certificate_fault(error) is not None:
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
            asked = _retry_after(response)
            self._patience.wait(policy.get_backoff_time() if asked is None else asked, asked is not None)
            self._stats.retries_count += 1

    def _attempt(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        deadline = self._patience.answer_deadline()
        self._stats.requests_count += 1
        response = super().send(request, **kwargs)
        self._compare_clocks(response)
        raw = response.raw
        watch = Watch(deadline - time.monotonic(), raw.shutdown)
        try:
            with watch:
                body = self._read(raw)
        except requests.RequestException:
            raise  # ours, from the bounds; requests' exceptions are OSErrors too
        except (HTTPError, OSError) as fault:
            raise _broken_answer(fault, watch) from None
        finally:
            self._stats.bytes_received += raw.tell()
            raw.close()
        if watch.over:  # an answer without a length, cut off by us, looks whole
            raise AnswerTooSlow("the answer came in too slowly")
        response.raw = _Body(body, raw)
        return response

    def _read(self, raw: BaseHTTPResponse) -> bytes:
        """The whole body, decoded; a bomb is unpacked no further than the size that is accepted."""
        chunks, size = [], 0
        while chunk := raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._patience.connector.max_answer_bytes:
                raise AnswerTooLarge(f"the answer is larger than {self._patience.connector.max_answer_bytes:,} bytes")
        return b"".join(chunks)

    def _compare_clocks(self, response: requests.Response) -> None:
        """Note, once a pull, a server whose clock is not ours: its change times are then off by as much."""
        told = _date(response.headers.get("Date"))
        if told is None or self._clocks_differ or "Age" in response.headers:  # a cache's answer is dated earlier
            return
        ahead = told - time.time()
        if abs(ahead) > CLOCK_TOLERANCE_SECONDS:
            self._clocks_differ = True
            direction = "ahead of" if ahead > 0 else "behind"
            self._stats.warn(f"the server's clock is {abs(ahead) / 60:,.0f} min {direction} ours")


def _broken_answer(fault: Exception, watch: Watch) -> requests.RequestException:
    """What a fault in mid-answer means: our watch shut it, it cannot be unpacked, it stalled, or it broke off."""
    if watch.over:
        return AnswerTooSlow("the answer came in too slowly")
    if isinstance(fault, DecodeError):
        return requests.exceptions.ContentDecodingError(type(fault).__name__)
    if isinstance(fault, ReadTimeoutError):
        return requests.ReadTimeout("the answer stalled")
    return requests.ConnectionError(f"the answer broke off ({type(fault).__name__})")


class _Body(io.BytesIO):
    """A body read to its end; requests looks for cookies in the original answer behind it."""

    def __init__(self, body: bytes, raw: Any) -> None:
        super().__init__(body)
        self._original_response = getattr(raw, "_original_response", None)


def _retry_after(response: requests.Response | None) -> float | None:
    """Seconds that the agency asks us to wait; None when it does not say, or says nothing readable.

    A date is meant on the agency's own clock, so it is counted from the ``Date`` of the same answer.
    """
    text = response.headers.get("Retry-After", "").strip() if response is not None else ""
    if response is None or not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    until = _date(text)
    if until is None:
        return None
    return max(until - (_date(response.headers.get("Date")) or time.time()), 0.0)


def _date(text: str | None) -> float | None:
    """The moment that an HTTP date names, in seconds since 1970; None when there is none to read."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
