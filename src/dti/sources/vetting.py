"""A workbook taken apart before any reader lays it out in memory.

An XLSX is a zip of XML that a stranger made. Its parts are unpacked here under a bound that does not believe what the
zip says of itself, each is held to be sound XML without a document type, and the places of its cells are counted. What
goes on to the reader is a new zip of these parts and no others: no macros, no embedded files, no second reading.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from dti.errors import SourceMalformed
from dti.sources.sheet_xml import SheetFacts, SheetReader, TooLarge, targets_by_sheet

MAX_PARTS = 5_000
MAX_RATIO = 250
"""Bytes out of one byte in: deflate can make 1,032 of nothing at all; a table of repeating figures makes some 40."""
RATIO_COUNTS_FROM = 20_000_000
_CHUNK = 1_000_000
_KEPT = re.compile(
    r"(\[Content_Types\]\.xml|_rels/\.rels|docProps/[^/]+\.xml|xl/(.+/)?[^/]+\.(xml|rels))", re.IGNORECASE
)
_LEFT_OUT = {
    "vbaproject.bin": "the workbook holds macros; they are neither read nor run",
    "externallinks/": "the workbook refers to other workbooks; the values stored in it are read, which may be old",
    "embeddings/": "the workbook holds other files; they are not read",
}
_AGAIN = "ask the agency to send it again"


@dataclass(frozen=True)
class Vetted:
    """What the reader is given, what a person should know of it, and what was seen in each sheet, by its name."""

    data: bytes
    remarks: list[str]
    sheets: dict[str, SheetFacts] = field(default_factory=dict)


def vet(data: bytes, max_bytes: int, where: str) -> Vetted:
    """``data``, a zip, as a workbook that can be read safely.

    ``max_bytes`` is what the file may have; unpacked it may have ten times as many. Raises SourceMalformed naming the
    part and what is wrong with it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _vet(archive, len(data), 10 * max_bytes, where)
    except TooLarge as fault:
        remedy = "check that it is the right file, and delete the stray cells below and beside the table"
        raise SourceMalformed(str(fault), where=where, remedy=remedy) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, IndexError) as fault:
        what = f"the workbook is broken or cut off ({type(fault).__name__})"
        raise SourceMalformed(what, where=where, remedy=_AGAIN) from None


def _vet(archive: zipfile.ZipFile, packed: int, limit: int, where: str) -> Vetted:
    parts = _parts(archive, where)
    room = _Room(limit, packed)
    kept, facts = io.BytesIO(), dict[str, SheetFacts]()
    documents: dict[str, bytes] = {}
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as sound:
        for part in parts:
            if not _KEPT.fullmatch(part.filename):
                continue
            content = b"".join(_unpacked(archive, part, room))
            reader = SheetReader(part.filename)
            try:
                reader.read(content)
            except expat.ExpatError as fault:
                what = f"{part.filename} is no sound XML (line {fault.lineno})"
                raise SourceMalformed(what, where=where, remedy="open it in Excel and save it again") from None
            facts[part.filename] = reader.facts
            if part.filename in {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"}:
                documents[part.filename] = content
            sound.writestr(zipfile.ZipInfo(part.filename), content)
    sheets = {name: facts[path] for name, path in targets_by_sheet(documents).items() if path in facts}
    return Vetted(kept.getvalue(), _remarks(parts), sheets)


def _parts(archive: zipfile.ZipFile, where: str) -> list[zipfile.ZipInfo]:
    parts = [part for part in archive.infolist() if not part.is_dir()]
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise SourceMalformed("it is no Excel workbook", where=where, remedy="ask the agency to save it as XLSX")
    if len(parts) > MAX_PARTS:
        raise SourceMalformed(f"the workbook has {len(parts):,} parts: too many", where=where, remedy=_AGAIN)
    if len(names) < len(parts):
        raise SourceMalformed("the workbook has a part twice: which is meant?", where=where, remedy=_AGAIN)
    if any(part.flag_bits & 1 for part in parts):
        remedy = "ask the agency for an open one"
        raise SourceMalformed("the workbook is locked with a password", where=where, remedy=remedy)
    return parts


@dataclass
class _Room:
    """How many bytes may still be unpacked."""

    limit: int
    packed: int
    used: int = 0

    def take(self, count: int) -> None:
        """Raise TooLarge when ``count`` more bytes are beyond any bound."""
        self.used += count
        if self.used > self.limit:
            raise TooLarge(f"the workbook is too large: more than {self.limit:,} bytes unpacked")
        if self.used > RATIO_COUNTS_FROM and self.used > MAX_RATIO * self.packed:
            raise TooLarge(f"the workbook is a bomb: {self.packed:,} bytes become more than {self.used:,}")


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, room: _Room) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            room.take(len(chunk))
            yield chunk


def _remarks(parts: list[zipfile.ZipInfo]) -> list[str]:
    names = [part.filename.lower() for part in parts]
    return [remark for sign, remark in _LEFT_OUT.items() if any(sign in name for name in names)]
