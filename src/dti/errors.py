"""What can go wrong, as types: each names where, what, and the remedy for the person who reads it."""

from __future__ import annotations

import re
import unicodedata

_NOT_PLAIN = re.compile(r"[^\t\n -~]")
_STEERS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of signs that steer a terminal, cannot be seen, are half a character, or end a line."""


def printable(text: str) -> str:
    """``text`` from outside as it may stand in a log, a manifest or a database: what steers a terminal, turns the
    direction of writing, ends a line, cannot be seen, or is no character at all is written out (``\\u001b``)."""
    return _NOT_PLAIN.sub(_written_out, text)


def _written_out(sign: re.Match[str]) -> str:
    if unicodedata.category(sign[0]) not in _STEERS:
        return sign[0]
    code = ord(sign[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class DtiError(Exception):
    """Base of every error this project raises on purpose.

    ``where`` names source, file, URL or row; ``what`` the fault; ``remedy`` what a person should do.
    None of the three may hold a secret or personal data.
    """

    kind = "error"

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = printable(what), printable(where), printable(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head} — {self.remedy}" if self.remedy else head

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.remedy))


def _rebuild(cls: type[DtiError], what: str, where: str, remedy: str) -> DtiError:
    return cls(what, where=where, remedy=remedy)


class ConfigError(DtiError):
    """A file of ours (feed, source, framework, suite) is wrong; a person must mend it."""

    kind = "config"


class SourceError(DtiError):
    """An agency's system did not give what was asked. Subclasses decide whether asking again helps."""

    kind = "source"


class SourceUnreachable(SourceError):
    """No connection, a time-out, or a 5xx: asking again later may help."""

    kind = "unreachable"


class SourceBusy(SourceError):
    """429 beyond the patience of one pull: asking again later helps."""

    kind = "busy"


class SourceRefused(SourceError):
    """401 or 403: the secret or the right is wrong; asking again does not help."""

    kind = "refused"


class SourceUntrusted(SourceError):
    """It does not prove who it is, or leads out of TLS: nothing is read; asking again does not help."""

    kind = "untrusted"


class SourceMissing(SourceError):
    """404, or no file in the drop folder: nothing is there to read."""

    kind = "missing"


class SourceMalformed(SourceError):
    """What came is not what was promised: HTML for JSON, a broken workbook, a truncated page."""

    kind = "malformed"


class SourceChanged(SourceError):
    """Readable, but a column the contract requires is gone or renamed."""

    kind = "changed"


class SourceUnstable(SourceError):
    """Pages kept shifting while being read, beyond the patience of one pull; asking again may help."""

    kind = "unstable"


class LandingError(DtiError):
    """The landing zone is not as it was written: a file is gone or changed."""

    kind = "landing"


class WarehouseError(DtiError):
    """PostgreSQL is not there, or refused."""

    kind = "warehouse"


class MethodError(ConfigError):
    """A framework would make a wrong index."""

    kind = "method"
