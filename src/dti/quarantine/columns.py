"""The columns of a held-back record under the names the agency itself uses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dti.feeds import Contract
from dti.quarantine.words import Words
from dti.sources.model import RestConnector, Source

_PLAIN = re.compile(r'(?:[A-Za-z_]\w*|"[^"\\]+")(?:\.(?:[A-Za-z_]\w*|"[^"\\]+"))*')
"""A JMESPath that only names a field, or one within another."""


@dataclass(frozen=True)
class AgencyColumn:
    """One column: its name with us, its name at the agency, and the agency's own codes for our values."""

    name: str
    header: str
    codes: dict[str, str]

    def value(self, landed: str | None) -> str:
        """A landed value as the agency would write it, as far as its codes say so."""
        return self.codes.get(landed or "", landed or "")


def agency_columns(contract: Contract, source: Source | None, words: Words) -> list[AgencyColumn]:
    """The columns of a record, in the contract's order, without pseudonyms: those say nothing to the agency.

    A field that is computed from several, or that is the same for all rows, has no name at the agency: it stands
    under the feed's Vietnamese name, as everything does when the source's file is gone.
    """
    pseudonyms = {personal.to_column for personal in contract.personal.values()}
    names = ["unit", *(name for name in contract.columns if name not in pseudonyms)]
    found = [AgencyColumn(name, _header(name, source, words), _codes(name, source)) for name in names]
    if source is not None and source.unit.fixed is not None:
        found = found[1:]
    return found


def _header(name: str, source: Source | None, words: Words) -> str:
    if source is None:
        return words.column(name)
    place = source.unit.field if name == "unit" else source.fields.get(name)
    if place is None:
        return words.column(name)
    if not isinstance(source.connector, RestConnector):
        return place
    shared = name != "unit" and sum(other == place for other in source.fields.values()) > 1
    return words.column(name) if shared or not _PLAIN.fullmatch(place) else place.replace('"', "")


def _codes(name: str, source: Source | None) -> dict[str, str]:
    """Our value → the agency's code, where only one code means it."""
    codes = source.codes.get(name, {}) if source is not None else {}
    theirs = list(codes.values())
    return {ours: code for code, ours in codes.items() if theirs.count(ours) == 1}
