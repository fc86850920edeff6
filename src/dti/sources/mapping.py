"""From an agency's record to a row of the feed: where each column stands, and its canonical text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from dti.sources.conform import Conform, as_text, conformer, with_codes
from dti.sources.fitness import columns_of_connector
from dti.sources.model import RestConnector, Source, TabularConnector
from dti.sources.personal import pseudonym
from dti.sources.pull import PullStats, Record

Row = tuple[str | None, ...]
Get = Callable[[Any], Any]

OWN = "@"  # what the connector itself knows of a record stands under "@column", beside the agency's own names
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Mapper:
    """Maps the records of one source to rows in the order of ``contract.landed_columns``."""

    def __init__(self, source: Source, night: date, pseudonym_key: bytes, stats: PullStats) -> None:
        self._source, self._stats = source, stats
        self._known: set[str] = set()
        self._steps = self._plan(night, pseudonym_key)

    def row(self, record: Record) -> Row:
        """The row of one record. Personal fields are not in it, except as pseudonyms."""
        value, place = record.value, record.place
        if extra := value.keys() - self._known:
            self._known |= extra
            for name in extra:
                self._stats.unmapped(str(name))
        cells = []
        for column, get, conform in self._steps:
            try:
                found = get(value)
            except JMESPathError:
                self._stats.warn(f"{column}: {self._source.fields[column]!r} does not fit some records, first {place}")
                found = None
            cells.append(conform(found))
        cells.append(place)
        return tuple(cells)

    def _plan(self, night: date, key: bytes) -> list[tuple[str, Get, Conform]]:
        """For each landed column but the last (the row's place): its name, how to find it, how to conform it."""
        source, contract = self._source, self._source.contract
        own = columns_of_connector(source)
        self._known |= {OWN + name for name in own}
        unit = source.unit
        get_unit: Get = self._getter(unit.field) if unit.field is not None else partial(_constant, unit.fixed)
        steps: list[tuple[str, Get, Conform]] = [("unit", get_unit, with_codes(as_text, source.codes.get("unit", {})))]
        hidden = {p.to_column: name for name, p in contract.personal.items() if p.to_column}
        connector = source.connector
        decimal_comma = connector.decimal_comma if isinstance(connector, TabularConnector) else None
        for name, column in contract.columns.items():
            conform = conformer(
                column, decimal_comma=decimal_comma, formats=source.date_formats, codes=source.codes.get(name, {})
            )
            get: Get = partial(_constant, None)
            if name in hidden and hidden[name] in source.fields:
                get, conform = self._getter(source.fields[hidden[name]]), partial(pseudonym, key=key)
            elif name in source.fields:
                get = self._getter(source.fields[name])
            elif name in own:
                get = partial(_item, OWN + name)
            elif name in source.constants:
                get = partial(_constant, source.constants[name].replace("{night}", night.isoformat()))
            steps.append((name, get, conform))
        for name in contract.personal:  # named, so known; read by no one
            self._note_names(source.fields.get(name, ""))
        return steps

    def _getter(self, place: str) -> Get:
        self._note_names(place)
        if isinstance(self._source.connector, RestConnector) and not _NAME.fullmatch(place):
            return jmespath.compile(place).search
        return partial(_item, place)

    def _note_names(self, place: str) -> None:
        self._known.add(place)
        if isinstance(self._source.connector, RestConnector):
            self._known.update(_NAME.findall(place))


def _item(name: str, record: dict[str, Any]) -> Any:
    return record.get(name)


def _constant(value: str | None, _: Any) -> str | None:
    return value
