"""What a pull keeps count of, and the raw record that a connector hands to the mapping."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dti.errors import DtiError, printable
from dti.sources.credentials import Credentials
from dti.sources.masking import by_form, forms_of, without

MAX_TEXT = 2_000
MAX_WARNINGS = 200
MAX_UNMAPPED = 200


_PERSONAL = re.compile(r"[0-9](?:[ .-]?[0-9]){6,}|[^\s@]+@[^\s@]+")


def field_name(name: str) -> str:
    """The name of an agency's field as it may be written down: cut short, and without what names a person.

    A name is no value; but a list keyed by identity numbers, or a header with a note in it, makes it one.
    """
    return _PERSONAL.sub("…", printable(name[:80]))


@dataclass
class PullStats:
    """Counts and remarks of one pull; filled while the rows stream, complete when the last one has been read."""

    requests_count: int = 0
    retries_count: int = 0
    bytes_received: int = 0
    passes_count: int = 1
    warnings: list[str] = field(default_factory=list)
    unmapped_fields: set[str] = field(default_factory=set)
    source_files: list[str] = field(default_factory=list)
    records_count: int = 0
    field_counts: dict[str, int] = field(default_factory=dict)
    value_kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    _secrets: set[str] = field(default_factory=set, repr=False)

    def keep_secret(self, credentials: Credentials | None, *tokens: str) -> None:
        """From here on, neither these credentials nor these tokens stand in anything that is noted or told."""
        if credentials is not None:
            self._secrets |= forms_of(credentials.password.get_secret_value(), credentials.login)
        for token in tokens:
            self._secrets |= forms_of(token)

    def tellable(self, text: str) -> str:
        """``text``, which may repeat what the agency said, without our secrets and without persons it shows."""
        return by_form(without(text, self._secrets))

    def told(self, fault: DtiError) -> DtiError:
        """``fault`` with such words only."""
        what, where, remedy = (self.tellable(text) for text in (fault.what, fault.where, fault.remedy))
        return type(fault)(what, where=where, remedy=remedy)

    def warn(self, text: str) -> None:
        """Note ``text`` once, up to a bound: a pull of millions of odd rows keeps a readable manifest."""
        text = self.tellable(printable(text))[:MAX_TEXT]
        if text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)

    def unmapped(self, name: str) -> None:
        """Note the name of a field that the agency sent and no one asked for, shortened and up to a bound."""
        if len(self.unmapped_fields) < MAX_UNMAPPED:
            self.unmapped_fields.add(field_name(without(name, self._secrets)))


class Record(NamedTuple):
    """One record as a connector found it: by field name, by label, or by column, depending on the connector.

    ``place`` says where it stood, for a person ("page 3, record 17"). ``reading`` orders two readings of the same
    record in one pull: the higher one is the later state.
    """

    value: Any
    place: str
    reading: int = 0
