"""Which of the fields that a source is described with are there: counted record by record, values left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from dti.sources.fitness import columns_of_connector
from dti.sources.model import PrometheusConnector, RestConnector, Source
from dti.sources.paths import Groups, fields_in, names_in, stands
from dti.sources.pull import PullStats

MAX_SHAPES = 2_000
UNIT = "unit"
OWN = "@"  # what the connector itself knows of a record stands under "@column", beside the agency's own names
_PART = OWN + "measure"  # a Prometheus source asks one question a measure, each with labels of its own


class Shape:
    """Counts, for each mapped column, the records that carry its field, and those that lack it."""

    def __init__(self, source: Source) -> None:
        self.places = places(source)
        self._contract = source.contract
        rest = isinstance(source.connector, RestConnector)
        self._groups: dict[str, Groups] = {
            ours: fields_in(place) if rest else [[(place,)]] for ours, place in self.places.items()
        }
        self._part = _PART if isinstance(source.connector, PrometheusConnector) else None
        deep = {ours for ours, groups in self._groups.items() if any(len(p) > 1 for group in groups for p in group)}
        self._deep = {ours: self._groups[ours] for ours in deep}
        self._flat = {ours: groups for ours, groups in self._groups.items() if ours not in deep}
        self._shapes: dict[tuple[str, ...], int] = {}
        self.records = 0
        self.carried: Counter[tuple[str, str]] = Counter()
        self.lacking: Counter[tuple[str, str]] = Counter()
        self.names: set[str] = set()

    def note(self, record: Mapping[str, Any]) -> bool:
        """Count one record; True when no record before it had just these names."""
        part = str(record.get(self._part, "")) if self._part else ""
        for ours, groups in self._deep.items():
            self._count(part, ours, carries(record, groups), 1)
        shape = (part, *record)
        count = self._shapes.get(shape, 0)
        self._shapes[shape] = count + 1
        if len(self._shapes) > MAX_SHAPES:  # every record has names of its own
            self._fold()
        return not count

    def tell(self, stats: PullStats) -> None:
        """Fill the counts into ``stats``."""
        self._fold()
        stats.records_count = self.records
        stats.field_counts = {ours: self.carried_anywhere(ours) for ours in sorted(self._groups)}

    def needs(self, ours: str) -> bool:
        """Whether the feed can do without a column."""
        return ours == UNIT or self._contract.columns[ours].required

    def missing(self) -> dict[str, set[str]]:
        """Columns whose field no record carries though some could → the parts in which it is so ("": the pull)."""
        self._fold()
        found: dict[str, set[str]] = {}
        for part, ours in self.lacking:
            if not self.carried[part, ours]:
                found.setdefault(ours, set()).add(part)
        return found

    def carried_anywhere(self, ours: str) -> int:
        """Records of all parts that carry the field of a column."""
        return sum(count for (_, name), count in self.carried.items() if name == ours)

    def lacking_anywhere(self, ours: str) -> int:
        """Records of all parts that lack it."""
        return sum(count for (_, name), count in self.lacking.items() if name == ours)

    def _fold(self) -> None:
        for (part, *names), count in self._shapes.items():
            there = dict.fromkeys(names)
            self.records += count
            self.names |= there.keys() if len(self.names) < MAX_SHAPES else set()
            for ours, groups in self._flat.items():
                self._count(part, ours, carries(there, groups), count)
        self._shapes.clear()

    def _count(self, part: str, ours: str, carries: bool | None, count: int) -> None:
        if carries is not None:
            (self.carried if carries else self.lacking)[part, ours] += count


def places(source: Source) -> dict[str, str]:
    """Column (a person's field that is dropped left out, ``unit`` included) → where the source says it stands."""
    contract = source.contract
    found = {UNIT: source.unit.field} if source.unit.field is not None else {}
    for name, place in source.fields.items():
        personal = contract.personal.get(name)
        ours = name if personal is None else personal.to_column
        if ours is not None:
            found[ours] = place
    return found


def known_names(source: Source) -> set[str]:
    """The agency's names that are asked for, or known to be personal and left alone."""
    asked = {*source.fields.values(), source.unit.field or ""}
    known = asked | {OWN + name for name in columns_of_connector(source)}
    if isinstance(source.connector, RestConnector):
        known |= {name for place in asked for name in names_in(place)}
    return known


def carries(record: Mapping[str, Any], groups: Groups) -> bool | None:
    """Whether a record has what an expression reads: a place of every group; None where there is no telling."""
    verdict: bool | None = True if groups else None
    for group in groups:
        found: bool | None = False
        for path in group:
            if stood := stands(record, path):
                found = True
                break
            found = stood if stood is None else found
        if found is False:
            return False
        verdict = found and verdict
    return verdict
