"""What a person reads when the fields of a source are not there: the difference, and the line that would mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import yaml

from dti.errors import SourceChanged
from dti.sources.model import RestConnector, Source
from dti.sources.paths import fields_in
from dti.sources.rename import renamed
from dti.sources.shape import UNIT, Shape

SHOWN = 20
CHANGE_TIME = "change_time"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Missing(NamedTuple):
    """A mapped field that is gone: our column, where it stood, and what is known of it."""

    ours: str
    place: str
    needed: bool
    share: float | None  # of the records before that had it; None: there were none
    parts: list[str]  # of a Prometheus source: the measures without it

    def __str__(self) -> str:
        known = ["required"] if self.needed else []
        known += [f"{self.share:.0%} of records had it"] if self.share else []
        known += [f"in {', '.join(self.parts)}"] if self.parts else []
        return f"{self.place!r} ({', '.join([self.ours, *known])})"


def difference(
    source: Source, shape: Shape, gone: list[Missing], new: Iterable[str], unmapped: Iterable[str], where: str
) -> SourceChanged:
    """The error that shows what is gone, what is not mapped and what is still there, and how to map it.

    ``new`` are those of the ``unmapped`` fields that no earlier pull had: the likelier heirs.
    """
    fields, names = sorted(unmapped), {each.ours for each in gone}
    there = [place for ours, place in shape.places.items() if ours not in names]
    scope = f"in none of {shape.records:,} records" if shape.records else "not in the header"
    scope = "not everywhere they should be" if any(each.parts for each in gone) else scope
    what = (
        f"{len(gone)} mapped field(s) are {scope} — missing: {', '.join(map(str, gone))}; "
        f"not mapped: {quoted(fields)}; still there: {quoted(there)}"
    )
    sought = {each.place: _known_as(source, each) for each in gone if _is_whole(source, each, shape)}
    if heirs := renamed(sought, new) or renamed(sought, fields):
        remedy = f"if the agency renamed them, write in the source file: {mapping(source, gone, heirs)}"
    else:
        remedy = "ask the agency what they are called now, and map them in the source file"
    if not any(each.needed for each in gone):
        remedy += "; if they are gone for good, take them out of fields"
    return SourceChanged(what, where=where, remedy=remedy)


def mapping(source: Source, gone: Iterable[Missing], heirs: dict[str, str]) -> str:
    """The YAML that maps the missing columns to the fields that ``heirs`` has for their places."""
    places = {each.ours: _replaced(source, each, heirs[each.place]) for each in gone if each.place in heirs}
    lines: dict[str, Any] = {}
    if CHANGE_TIME in places:
        lines["connector"] = {"change_time": {"field": places.pop(CHANGE_TIME)}}
    if UNIT in places:
        lines["unit"] = {"field": places.pop(UNIT)}
    if places:
        lines["fields"] = places
    text = yaml.safe_dump(lines, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip().removeprefix("{").removesuffix("}")


def quoted(names: Iterable[str]) -> str:
    """Names as they stand in messages, the first of them."""
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return (", ".join(repr(name[:60]) for name in every[:SHOWN]) or "nothing") + more


def _known_as(source: Source, missing: Missing) -> list[str]:
    """The names under which a missing column may be looked for: the agency's, its Vietnamese one, ours."""
    column = source.contract.columns.get(missing.ours)
    old = _names(source, missing)
    return [*old, missing.ours, *([column.vi] if column else [])]


def _is_whole(source: Source, missing: Missing, shape: Shape) -> bool:
    """Whether the field itself is gone, and not only something within it, of which we know no other names."""
    is_rest = isinstance(source.connector, RestConnector)
    return not (is_rest and any(name in shape.names for name in _names(source, missing)))


def _names(source: Source, missing: Missing) -> list[str]:
    if not isinstance(source.connector, RestConnector):
        return [missing.place]
    return [path[0] for group in fields_in(missing.place) for path in group]


def _replaced(source: Source, missing: Missing, heir: str) -> str:
    """The place with the old name replaced; the new name alone where the place is nothing but names."""
    if not isinstance(source.connector, RestConnector):
        return heir
    new = heir if _IDENTIFIER.fullmatch(heir) else '"' + heir.replace('"', '\\"') + '"'
    groups = fields_in(missing.place)
    if all(len(path) == 1 for group in groups for path in group) and "(" not in missing.place:
        return new
    old = groups[0][0][0]
    return re.sub(rf"\b{re.escape(old)}\b", lambda _: new, missing.place)
