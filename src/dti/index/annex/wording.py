"""Vietnamese text made comparable: offices write the same words with other case, spacing and tone placement."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_NO_WORD = re.compile(r"[^\w]+")


def tidy(text: str) -> str:
    """NFC, ends stripped, no-break spaces and runs of blanks as one space; line breaks stay."""
    lines = (_SPACES.sub(" ", line).strip() for line in unicodedata.normalize("NFC", text).splitlines())
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """The text on one line."""
    return tidy(text).replace("\n", " ")


def fold(text: str) -> str:
    """Lower case, without diacritics, on one line: for headers and other fixed words, where tones add nothing."""
    bare = unicodedata.normalize("NFD", one_line(text).casefold().replace("đ", "d"))
    return "".join(mark for mark in bare if not unicodedata.combining(mark))


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same words. Diacritics count: they make other words; where a tone stands does not."""
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    return sorted_tones(_NO_WORD.sub(" ", one_line(text).casefold())).split()


def sorted_tones(text: str) -> str:
    """Each word's tone mark moved to its end, so that ``hoà`` and ``hòa`` are one spelling."""
    return " ".join(_tone_last(word) for word in text.split())


_TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}


def _tone_last(word: str) -> str:
    marks = unicodedata.normalize("NFD", word)
    tones = "".join(mark for mark in marks if mark in _TONES)
    return unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES)) + tones
