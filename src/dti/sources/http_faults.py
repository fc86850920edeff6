"""What went wrong over HTTP, as the SourceError that tells a person what to do.

The text of a caught exception is never passed on: it repeats URLs with their queries.
"""

from __future__ import annotations

import requests
from requests import exceptions as http

from dti.errors import (
    SourceBusy,
    SourceError,
    SourceMalformed,
    SourceMissing,
    SourceRefused,
    SourceUnreachable,
    SourceUntrusted,
)
from dti.sources.certificates import certificate_fault, certificate_words
from dti.sources.patience import AnswerTooLarge, AnswerTooSlow, PullTooLong, WaitTooLong

LATER = "ask again later; if it lasts, call the agency"


class LeavesTls(requests.RequestException):
    """A redirect from https to http: what follows could be read and changed by anybody on the way."""


class DropsBody(requests.RequestException):
    """A redirect after which a POST would be asked as a GET, without what it asks."""


def status_fault(status: int, where: str) -> SourceError:
    """The SourceError for an error status that is still there after all retries."""
    if status in {401, 403}:
        remedy = "check login and secret of the connection, and what the agency grants it"
        return SourceRefused(f"access refused (HTTP {status})", where=where, remedy=remedy)
    if status in {404, 410}:
        remedy = "check the address in the source file"
        return SourceMissing(f"nothing at this address (HTTP {status})", where=where, remedy=remedy)
    if status == 429:
        remedy = "ask again later, or ask less often"
        return SourceBusy("too many requests (HTTP 429), also after waiting", where=where, remedy=remedy)
    if status >= 500:
        return SourceUnreachable(f"the agency's system fails (HTTP {status})", where=where, remedy=LATER)
    remedy = "check address, params and paging in the source file"
    return SourceMalformed(f"the request was not understood (HTTP {status})", where=where, remedy=remedy)


def exchange_fault(fault: Exception, where: str) -> SourceError:
    """The SourceError for a question that got no answer."""
    kind: type[SourceError] = SourceUnreachable
    match fault:
        case WaitTooLong():
            kind, what, remedy = SourceBusy, f"it is busy: {fault}", "ask again later, or raise max_wait_seconds"
        case AnswerTooLarge():
            kind, what = SourceMalformed, str(fault)
            remedy = "ask for smaller pages (paging.size), or raise max_answer_bytes"
        case AnswerTooSlow():
            what, remedy = str(fault), f"{LATER}, or raise answer_seconds"
        case PullTooLong():
            what, remedy = str(fault), f"{LATER}, or raise pull_seconds"
        case LeavesTls():
            kind, what = SourceUntrusted, "it redirects from https to http, where nothing is protected"
            remedy = "check the address; if it is right, have the agency mend its redirect"
        case DropsBody():
            kind, what = SourceMissing, f"it redirects a POST (HTTP {fault}), and the question would be lost on the way"
            remedy = "put the address it redirects to into the source file, or have the agency answer with 307 or 308"
        case http.SSLError() if (certificate := certificate_fault(fault)) is not None:
            kind = SourceUntrusted
            what, remedy = certificate_words(certificate)
        case http.SSLError():
            what, remedy = "TLS cannot be agreed with it", f"check that the address speaks https; {LATER}"
        case requests.ConnectTimeout():
            what, remedy = "no connection within the time-out", LATER
        case requests.Timeout():
            what, remedy = "no answer within the time-out", f"{LATER}, or raise timeout_seconds"
        case requests.TooManyRedirects():
            kind, what, remedy = (
                SourceMalformed,
                "it redirects without end",
                "check the address; a login page does this",
            )
        case http.InvalidURL() | http.InvalidSchema() | http.MissingSchema():
            kind, what = SourceMissing, "it leads to no address that can be asked"
            remedy = "check the address in the source file"
        case http.ContentDecodingError():
            kind, what, remedy = SourceMalformed, "its compressed answer cannot be read", LATER
        case requests.ConnectionError():
            what, remedy = _why_unconnected(fault), LATER
        case _:
            kind, what = SourceMalformed, f"the exchange failed ({type(fault).__name__})"
            remedy = "check the address; if it is right, call the agency"
    return kind(what, where=where, remedy=remedy)


def _why_unconnected(fault: requests.ConnectionError) -> str:
    """The cause of a failed connection in words; the exception's own text would repeat the URL."""
    text = repr(fault)
    causes = {
        "NameResolutionError": "its name does not resolve",
        "Connection refused": "connection refused",
        "No route to host": "no route to the host",
        "Network is unreachable": "the network is unreachable",
        "broke off": "the answer broke off before its end",
        "ProxyError": "the proxy does not let us through",
    }
    return next((words for sign, words in causes.items() if sign in text), "the connection broke")
