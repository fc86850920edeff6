"""What a pull keeps count of, and the raw record that a connector hands to the mapping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_WARNINGS = 200
MAX_UNMAPPED = 200


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

    def warn(self, text: str) -> None:
        """Note ``text`` once, up to a bound: a pull of millions of odd rows keeps a readable manifest."""
        if text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)

    def unmapped(self, name: str) -> None:
        """Note the name of a field that the agency sent and no one asked for, shortened and up to a bound."""
        if len(self.unmapped_fields) < MAX_UNMAPPED:
            self.unmapped_fields.add(name[:80])


class Record(NamedTuple):
    """One record as a connector found it: by field name, by label, or by column, depending on the connector.

    ``place`` says where it stood, for a person ("page 3, record 17"). ``reading`` orders two readings of the same
    record in one pull: the higher one is the later state.
    """

    value: Any
    place: str
    reading: int = 0
