"""From an agency's record to a row of the feed: where each column stands, and its canonical text."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import NamedTuple

from jmespath.exceptions import JMESPathError

from dti.sources.conform import Conform, as_text, conformer, with_codes
from dti.sources.fitness import columns_of_connector
from dti.sources.model import RestConnector, Source, TabularConnector
from dti.sources.paths import Get, getter, item, names_in
from dti.sources.personal import pseudonym
from dti.sources.pull import PullStats, Record

Row = tuple[str | None, ...]

OWN = "@"  # what the connector itself knows of a record stands under "@column", beside the agency's own names


class _Step(NamedTuple):
    """How one cell of a row is filled: which, under what name, from where, in what spelling."""

    at: int
    name: str
    get: Get
    conform: Conform


class Mapper:
    """Maps the records of one source to rows in the order of ``contract.landed_columns``."""

    def __init__(self, source: Source, night: date, pseudonym_key: bytes, stats: PullStats) -> None:
        self._source, self._stats = source, stats
        self._known = self._names()
        # Cells that are the same in every row stand here; the steps fill the others.
        self._same: list[str | None] = [None] * len(source.contract.landed_columns)
        self._steps = self._plan(night, pseudonym_key)

    def row(self, record: Record) -> Row:
        """The row of one record. Personal fields are not in it, except as pseudonyms."""
        value, place = record.value, record.place
        if extra := value.keys() - self._known:
            self._known |= extra
            for name in extra:
                self._stats.unmapped(str(name))
        cells = self._same.copy()
        for step in self._steps:
            try:
                cells[step.at] = step.conform(step.get(value))
            except JMESPathError:
                path = self._source.fields.get(step.name, "")
                self._stats.warn(f"{step.name}: {path!r} does not fit some records, first {place}")
        cells[-1] = place
        return tuple(cells)

    def _plan(self, night: date, key: bytes) -> list[_Step]:
        source, contract = self._source, self._source.contract
        own = columns_of_connector(source)
        connector = source.connector
        decimal_comma = connector.decimal_comma if isinstance(connector, TabularConnector) else None
        pseudonyms = {
            personal.to_column: source.fields[name]
            for name, personal in contract.personal.items()
            if personal.to_column and name in source.fields
        }
        steps = []
        unit = with_codes(as_text, source.codes.get("unit", {}))
        if source.unit.field is not None:
            steps.append(_Step(0, "unit", self._find(source.unit.field), unit))
        self._same[0] = unit(source.unit.fixed)
        for index, (name, column) in enumerate(contract.columns.items(), start=1):
            conform = conformer(
                column, decimal_comma=decimal_comma, formats=source.date_formats, codes=source.codes.get(name, {})
            )
            if name in pseudonyms:
                steps.append(_Step(index, name, self._find(pseudonyms[name]), partial(pseudonym, key=key)))
            elif name in source.fields:
                steps.append(_Step(index, name, self._find(source.fields[name]), conform))
            elif name in own:
                steps.append(_Step(index, name, partial(item, OWN + name), conform))
            elif name in source.constants:
                self._same[index] = conform(source.constants[name].replace("{night}", night.isoformat()))
            # A column that no one gives stays empty; its code for "nothing sent" is not ours to apply.
        return steps

    def _find(self, place: str) -> Get:
        """Where a value stands: a path in JSON; a label or a header as it is written."""
        return getter(place) if isinstance(self._source.connector, RestConnector) else partial(item, place)

    def _names(self) -> set[str]:
        """The agency's names that are asked for, or known to be personal and left alone."""
        source = self._source
        places = {*source.fields.values(), source.unit.field or ""}
        known = places | {OWN + name for name in columns_of_connector(source)}
        if isinstance(source.connector, RestConnector):
            known |= {name for place in places for name in names_in(place)}
        return known
