"""Guessing what an agency calls a field now: names compared as a Vietnamese reader would, not letter by letter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

LIKELY = 0.6

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# How offices shorten what they write all day.
_SHORT = {
    "tthc": "thu tuc hanh chinh",
    "hs": "ho so",
    "dvc": "dich vu cong",
    "dv": "don vi",
    "cntt": "cong nghe thong tin",
    "cds": "chuyen doi so",
    "attt": "an toan thong tin",
    "cbccvc": "can bo cong chuc vien chuc",
    "ubnd": "uy ban nhan dan",
    "cq": "co quan",
    "sl": "so luong",
    "id": "ma",
}


def words(name: str) -> list[str]:
    """The words of a name, small and without marks: ``NgàyHẹnTrả``, ``ngay_hen_tra`` and ``Ngày hẹn trả`` alike."""
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    found = [word.lower() for word in _WORDS.findall(plain.replace("đ", "d").replace("Đ", "D"))]
    return [each for word in found for each in _SHORT.get(word, word).split()]


def likeness(old: str, new: str) -> float:
    """How alike two names are, from 0 to 1; the order of their words counts for little."""
    a, b = words(old), words(new)
    if not a or not b:
        return 0.0
    in_order = SequenceMatcher(None, " ".join(a), " ".join(b)).ratio()
    sorted_ = SequenceMatcher(None, " ".join(sorted(a)), " ".join(sorted(b))).ratio()
    within = 0.6 + 0.3 * min(len(a), len(b)) / max(len(a), len(b)) if set(a) <= set(b) or set(b) <= set(a) else 0.0
    return max(in_order, 0.95 * sorted_, within)


def renamed(missing: Mapping[str, Iterable[str]], new: Iterable[str]) -> dict[str, str]:
    """For each of ``missing`` (place → names it goes by) the one of the ``new`` fields it is likely to be now.

    The likeliest pair is taken first, and no field twice. A place without a likely one is left out.
    """
    fields = list(new)
    pairs = sorted(
        (
            (score, column, field)
            for column, known_as in missing.items()
            for field in fields
            if (score := max(likeness(name, field) for name in known_as)) >= LIKELY
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    found: dict[str, str] = {}
    for _, column, field in pairs:
        if column not in found and field not in found.values():
            found[column] = field
    return found
