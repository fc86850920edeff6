"""What stands in a part of a workbook, by a streaming parser: how far its cells reach, and which say nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
MAX_CELLS = 10_000_000
"""A reader lays out the whole rectangle from A1; a stray value in the last cell of a sheet makes it 17 billion."""
MAX_UNCOMPUTED = 100_000
_ANY_CELL = re.compile(rb"<(?:[^\s<>/\"']+:)?c[\s/>]")
_PLAIN_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"(?: [a-z]+="[^"<>]*")*(/?)>')
_NOT_PLAIN = (b"<f", b":f", b't="e"', b"mergeCell", b"\x00")
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_RANGE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})(?::([A-Za-z]{1,3})([0-9]{1,7}))?")

Place = tuple[int, int]
"""Row and column of a cell, from 0."""


class TooLarge(Exception):
    """Beyond a bound; the text says which."""


@dataclass
class SheetFacts:
    """How far the filled cells of a sheet reach; which hold a formula without a stored value, and which an error."""

    rows: int = 0
    columns: int = 0
    merged: int = 0
    uncomputed: set[Place] = field(default_factory=set)
    errors: set[Place] = field(default_factory=set)


class SheetReader:
    """Reads one part. Of parts that are no sheets it only finds out whether they are sound."""

    def __init__(self, name: str) -> None:
        self.facts, self._name = SheetFacts(), name
        self._row, self._column = -1, -1
        self._kind = ""
        self._formula = self._value = False
        self._pending = ""
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, content: bytes) -> None:
        """The whole part. Raises ExpatError when it is no sound XML, TooLarge when its cells reach too far."""
        reach = _reach_of_plain(content)
        if reach is not None:
            self.facts.rows, self.facts.columns = reach
            self._parser.StartElementHandler = None
        self._parser.Parse(content, True)

    def _doctype(self, *_: Any) -> None:
        raise TooLarge(f"{self._name} declares a document type, which no workbook does")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        match tag.rpartition(" ")[2]:
            case "c":
                self._cell(attributes)
            case "v" | "is":
                self._fill()
            case "f":
                self._fill()
                self._formula, self._value = True, self._kind == "str"
                self._parser.CharacterDataHandler = self._text
                self._parser.EndElementHandler = self._end
            case "row":
                self._row = self._number(attributes["r"]) - 1 if "r" in attributes else self._row + 1
                self._column = -1
                self._reach(self._row + 1, 0)
            case "mergeCell":
                self._merge(attributes.get("ref", ""))

    def _cell(self, attributes: dict[str, str]) -> None:
        self._kind = attributes.get("t", "")
        if (place := attributes.get("r")) is None:
            self._column += 1
        else:
            found = _CELL.fullmatch(place)
            if found is None:
                raise TooLarge(f"{self._name} has a cell at {place[:20]!r}, which is no place")
            self._row, self._column = self._number(found[2]) - 1, column_number(found[1]) - 1

    def _fill(self) -> None:
        """The cell holds something."""
        facts = self.facts
        self._reach(self._row + 1, self._column + 1)
        facts.rows, facts.columns = max(facts.rows, self._row + 1), max(facts.columns, self._column + 1)
        if facts.rows * facts.columns > MAX_CELLS:
            raise TooLarge(f"{self._name} reaches to row {facts.rows:,}, {facts.columns:,} columns wide: too large")
        if self._kind == "e" and len(facts.errors) < MAX_UNCOMPUTED:
            facts.errors.add((self._row, self._column))

    def _reach(self, row: int, column: int) -> None:
        if row > MAX_ROWS or column > MAX_COLUMNS or row < 0:
            raise TooLarge(f"{self._name} has a cell in row {row:,}, column {column:,}: no sheet reaches so far")

    def _text(self, text: str) -> None:
        """Text below a cell with a formula; the formula's own is told apart by ``_end``."""
        self._pending = text

    def _end(self, tag: str) -> None:
        match tag.rpartition(" ")[2]:
            case "f":
                self._pending = ""
            case "v":
                self._value = self._value or bool(self._pending)
            case "c":
                if self._formula and not self._value:
                    self.facts.uncomputed.add((self._row, self._column))
                    if len(self.facts.uncomputed) > MAX_UNCOMPUTED:
                        raise TooLarge(
                            f"{self._name} has more than {MAX_UNCOMPUTED:,} formulas that were never computed"
                        )
                self._formula = False
                self._parser.CharacterDataHandler = self._parser.EndElementHandler = None

    def _merge(self, reference: str) -> None:
        found = _RANGE.fullmatch(reference)
        if found is None:
            raise TooLarge(f"{self._name} merges {reference[:30]!r}, which is no range")
        if found[3] is not None:
            height = abs(self._number(found[4]) - self._number(found[2])) + 1
            self.facts.merged += height * (abs(column_number(found[3]) - column_number(found[1])) + 1)
        if self.facts.merged > MAX_CELLS:
            raise TooLarge(f"{self._name} merges more than {MAX_CELLS:,} cells: too large")

    def _number(self, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 7):
            raise TooLarge(f"{self._name} has a row {text[:20]!r}, which is no number")
        return int(text)


def _reach_of_plain(content: bytes) -> tuple[int, int] | None:
    """How far the filled cells reach, in a tenth of the parser's time; None: only the parser can tell.

    It is trusted only for what programs write every day: each cell with its place first, no formula, no error, no
    merge, and nothing beyond a bound. Whatever else a stranger may write, the parser reads.
    """
    head = content[:200].lower()
    body = content[len(head.partition(b"?>")[0]) if head.startswith(b"<?xml") else 0 :]
    if (b"encoding" in head and b"utf-8" not in head) or any(sign in body for sign in _NOT_PLAIN):
        return None
    cells = _PLAIN_CELL.findall(body)
    if len(cells) != len(_ANY_CELL.findall(body)):
        return None
    filled = [(letters, row) for letters, row, empty in cells if not empty]
    rows = max(map(int, {row for _, row in filled}), default=0)
    columns = max((column_number(letters.decode()) for letters in {letters for letters, _ in filled}), default=0)
    sound = rows <= MAX_ROWS and columns <= MAX_COLUMNS and rows * columns <= MAX_CELLS
    return (rows, columns) if sound else None


def column_number(letters: str) -> int:
    """A: 1, Z: 26, AA: 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def targets_by_sheet(documents: Mapping[str, bytes]) -> dict[str, str]:
    """Name of each sheet → the part that holds it, from the workbook and its relations, which are sound XML."""
    sheets, targets = dict[str, str](), dict[str, str]()

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(" ")[2] == "sheet":
            relation = next((v for k, v in attributes.items() if k.rpartition(" ")[2] == "id"), "")
            sheets[attributes.get("name", "")] = relation

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(" ")[2] == "Relationship":
            target = attributes.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
            targets[attributes.get("Id", "")] = path

    for name, handler in (("xl/workbook.xml", sheet), ("xl/_rels/workbook.xml.rels", relation)):
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = handler
        parser.Parse(documents.get(name, b"<none/>"), True)
    return {name: targets[relation] for name, relation in sheets.items() if relation in targets}
