"""From an agency's record to a row of the feed: where each column stands, and its canonical text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from jmespath.exceptions import JMESPathError

from dti.sources.conform import Conform, as_text, conformer, with_codes
from dti.sources.fitness import columns_of_connector
from dti.sources.masking import SHORTEST, free_text, named_in, typed_text
from dti.sources.model import RestConnector, Source, TabularConnector
from dti.sources.paths import Get, getter, item
from dti.sources.personal import pseudonym
from dti.sources.pull import PullStats, Record
from dti.sources.shape import OWN, Shape, known_names

Row = tuple[str | None, ...]

_KINDS = {str: "text", bool: "boolean", list: "list", dict: "object"}  # all else is a number


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
        self.shape = Shape(source)
        self._kinds: dict[str, Counter[type]] = {}
        self._known = known_names(source)
        # Cells that are the same in every row stand here; the steps fill the others.
        self._same: list[str | None] = [None] * len(source.contract.landed_columns)
        self._steps = self._plan(night, pseudonym_key)
        self._persons = [self._find(source.fields[name]) for name in source.contract.personal if name in source.fields]
        self._open = self._open_cells()

    def row(self, record: Record) -> Row:
        """The row of one record. Personal fields are not in it, except as pseudonyms."""
        value, place = record.value, record.place
        if self.shape.note(value) and (extra := value.keys() - self._known):
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
        self._mask(cells, value)
        cells[-1] = place
        return tuple(cells)

    def _mask(self, cells: list[str | None], record: Any) -> None:
        """Take persons out of cells in which none belongs: free text, and what is not of its column's type."""
        persons: list[str] | None = None
        for at, is_typed in self._open:
            text = cells[at]
            # Nearly every cell is short, a number or a canonical time: those are passed in no time.
            if text is None or len(text) < SHORTEST or (is_typed and len(text) == 25 and text[10] == "T"):
                continue
            if persons is None:
                persons = named_in(map(as_text, self._given(record)))
            cells[at] = typed_text(text, persons) if is_typed else free_text(text, persons)

    def _given(self, record: Any) -> Iterator[Any]:
        for get in self._persons:
            with suppress(JMESPathError):
                yield get(record)

    def _open_cells(self) -> list[tuple[int, bool]]:
        """Cells that are looked at, and whether they are typed. Keys, codes and pseudonyms are none of them."""
        contract = self._source.contract
        steps = {step.name for step in self._steps}
        closed = {*contract.key, *(personal.to_column for personal in contract.personal.values())}
        found = [(0, False)] if "unit" in steps else []
        for at, (name, column) in enumerate(contract.columns.items(), start=1):
            is_code = column.type == "string" and (name in closed or name.endswith(("_code", "_id")))
            if name in steps and not is_code:
                found.append((at, column.type != "string"))
        return found

    def tell_kinds(self) -> None:
        """Fill into the stats what JSON types the values of text columns had."""
        for name, types in ((name, types) for name, types in self._kinds.items() if types):
            kinds: Counter[str] = Counter()
            for type_, count in types.items():
                kinds[_KINDS.get(type_, "number")] += count
            self._stats.value_kinds[name] = dict(sorted(kinds.items()))

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
                if column.type == "string" and isinstance(connector, RestConnector):
                    conform = _counted(conform, self._kinds.setdefault(name, Counter()))
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


def _counted(conform: Conform, types: Counter[type]) -> Conform:
    """``conform``, counting the types of the values it is given."""

    def counting(value: Any) -> str | None:
        if value is not None:
            types[type(value)] += 1
        return conform(value)

    return counting
