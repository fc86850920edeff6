"""Which unit a text means: one dictionary look-up after both sides are brought to the same writing.

Same writing means NFC, small letters, spaces collapsed, and no leading "tỉnh", "thành phố" or "TP.". Nothing more:
a letter that only looks like another (Ð for Đ, a Cyrillic а, ſ for s) does not match, it is reported.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from dti.errors import ConfigError
from dti.settings import Settings

FIRST_DAY_OF_34 = date(2025, 7, 1)
"""Resolution 202/2025/QH15: 63 provinces until 30 June 2025, 34 from 1 July 2025. Codes are reused across the two."""

_PREFIX = re.compile(r"^(?:(?:tỉnh|thành phố|tp|t\.p)\s+|(?:tp|t\.p)\.\s*)")
_VIETNAMESE_MARKS = set("\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b")
_SHOWN = 10
_ALIAS_FILE = "reference/unit_alias.csv"


def same_writing(text: str) -> str:
    """The form in which two ways of writing one unit are equal."""
    # Not casefold(): it takes ſ for s and ﬁ for fi.
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    return _PREFIX.sub("", " ".join(folded.split()))


def strange_letters(text: str) -> list[str]:
    """Signs no Vietnamese name is written with, or that cannot be seen, each with its Unicode name; at most ten."""
    found: list[str] = []
    for sign in dict.fromkeys(unicodedata.normalize("NFD", text)):
        known = (sign.isascii() and sign.isprintable()) or sign in "đĐ–" or sign in _VIETNAMESE_MARKS
        if not known and not sign.isspace() and len(found) < _SHOWN:
            found.append(f"U+{ord(sign):04X} {unicodedata.name(sign, 'without a name')}")
    return found


@dataclass(frozen=True)
class UnitDirectory:
    """Every writing of every unit: (geography, writing) → unit id."""

    by_writing: dict[tuple[str, str], str]
    unit_ids: frozenset[str]

    def resolve(self, text: str, geography: str) -> str | None:
        """The unit that ``text`` means in a geography ('63' or '34'), or None.

        A unit id is taken as it is, whatever the day: it names its geography itself.
        """
        if text in self.unit_ids:
            return text
        return self.by_writing.get((geography, same_writing(text)))

    def explain(self, text: str, geography: str) -> str:
        """Why ``text`` means no unit, in words for the person who mends it."""
        reason = f"no unit of the {geography} provinces is written like this"
        if other := self.by_writing.get(("34" if geography == "63" else "63", same_writing(text))):
            reason += f"; it is {other}, which does not exist on the row's day"
        if strange := strange_letters(text):
            reason += f"; it holds {', '.join(strange)}"
        return f"{reason}; mend the source or add the writing to include/{_ALIAS_FILE}"


def directory_of(aliases: Iterable[tuple[str, str, str]], where: str) -> UnitDirectory:
    """A directory of (geography, alias, unit_id) lines; raises ConfigError when one writing means two units."""
    by_writing: dict[tuple[str, str], str] = {}
    unit_ids = set()
    for geography, alias, unit_id in aliases:
        unit_ids.add(unit_id)
        known = by_writing.setdefault((geography, same_writing(alias)), unit_id)
        if known != unit_id:
            raise ConfigError(
                f"{alias!r} means both {known} and {unit_id} in geography {geography}",
                where=where,
                remedy="leave it with one of them",
            )
    return UnitDirectory(by_writing, frozenset(unit_ids))


def load_units(settings: Settings) -> UnitDirectory:
    """The directory in ``include/reference/unit_alias.csv``, read again when the file changes."""
    path = settings.include_dir / _ALIAS_FILE
    if not path.is_file():
        raise ConfigError("no such file", where=str(path), remedy="restore the reference data")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed_at: int) -> UnitDirectory:
    return units_of(path.read_text("utf-8-sig"), str(path))


def units_of(csv_text: str, where: str) -> UnitDirectory:
    """The directory that the text of an alias file gives; ``where`` is for the error of :func:`directory_of`."""
    lines = [(line["geography"], line["alias"], line["unit_id"]) for line in csv.DictReader(io.StringIO(csv_text))]
    return directory_of(lines, where)
