"""What may not be written down of a text from outside: persons as far as they can be told by form, and our secrets.

Fields that a contract calls personal never come this far. Here it is about persons in places where none belongs: a
telephone number in a title, a name where a number should stand. Numbers, addresses and names are told by their form,
and by what the same record gives in its personal fields. Keys and codes are left alone: changed, they match nothing.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

HIDDEN = "…"
MASK = "***"
SHORTEST = 6
"""Shorter secrets, and names a record gives, are not looked for: they stand within half of all words."""

_FORMS = re.compile(
    r"[^\s@<>,;:'\"()]+@[^\s@<>,;:'\"()]+\.[^\s@<>,;:'\"()]+"  # mail
    r"|(?<![0-9A-Za-z.-])0[0-9]{11}(?![0-9])"  # identity number
    r"|(?<![0-9A-Za-z.-])0[0-9]{2}(?:[ .][0-9]{3}){3}(?![0-9])"
    r"|(?i:cmnd|cmt|cccd|định danh)[^0-9\n]{0,12}[0-9](?:[ .]?[0-9]){8,11}(?![0-9])"
    r"|(?<![0-9A-Za-z.-])(?:\+?84|0084|0)[ .-]?[235789][0-9]{8,9}(?![0-9])"  # telephone
    r"|(?<![0-9A-Za-z.-])(?:\+?84[ .-]?|0)[235789][0-9]{1,2}[ .-][0-9]{3}[ .-][0-9]{3,4}(?![0-9])"
)
_SURNAMES = (
    "Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Đinh|Đoàn|Trịnh|Trương|Lâm|Mai|Đào|Cao|"
    "Hà|Tạ|Lương|Tô|Châu|Thái|Tăng|Quách|Nông"
)
_NAME = re.compile(rf"(?<!\w)(?i:{_SURNAMES})(?P<given>(?:\s+\w+){{1,4}})")
_ADDRESSED = re.compile(
    rf"(?P<before>(?<!\w)(?i:ông|bà|anh|chị|đồng chí|đ/c|họ và tên|họ tên|"
    rf"người (?:ký|lập|khai|kê khai|liên hệ|phụ trách|quản trị))\s*:?\s+)"
    rf"(?i:{_SURNAMES})(?P<given>(?:\s+\w+){{1,4}})"
)
_OF_ITS_TYPE = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+[+-][0-9]{2}:[0-9]{2})?")


def by_form(text: str) -> str:
    """``text`` without mail addresses, identity and telephone numbers."""
    return _FORMS.sub(HIDDEN, text) if len(text) > SHORTEST else text


def free_text(text: str, persons: Iterable[str] = ()) -> str:
    """A text that may say anything, without persons: by form, after a form of address, and those already known."""
    text = by_form(text)
    for person in persons:
        text = re.sub(re.escape(person), HIDDEN, text, flags=re.IGNORECASE)
    return _ADDRESSED.sub(lambda found: found["before"] + _without_name(found), text)


def typed_text(text: str, persons: Iterable[str] = ()) -> str:
    """A value of a column that holds no text (a number, a date): where it cannot be read as such, without persons."""
    if text.isdigit() or text in {"true", "false"} or _OF_ITS_TYPE.fullmatch(text):
        return text
    return _NAME.sub(_without_name, free_text(text, persons))


def named_in(values: Iterable[str | None]) -> list[str]:
    """What a record gives in its personal fields, as it may stand elsewhere in it: the longest first."""
    found = {unicodedata.normalize("NFC", value) for value in values if value}
    return sorted((text for text in found if len(text) >= SHORTEST), key=len, reverse=True)


def forms_of(secret: str, login: str = "") -> set[str]:
    """The spellings in which a secret may come back to us: as it is, and as in a Basic header."""
    if len(secret) < SHORTEST:
        return set()
    coded = {base64.b64encode(text.encode()).decode().rstrip("=") for text in (secret, f"{login}:{secret}")}
    return {secret, *coded}


def without(text: str, secrets: Iterable[str]) -> str:
    """``text`` without any of ``secrets``, also where some of their signs are written as in a URL or in JSON."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = _pattern(secret).sub(MASK, text)
    return text


@lru_cache(maxsize=256)
def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_spelled, secret)) + "=*", re.IGNORECASE)


def _spelled(sign: str) -> str:
    coded = "".join(f"%{byte:02x}" for byte in sign.encode())
    return rf"(?:\\?{re.escape(sign)}|{coded}{'|[+]' if sign == ' ' else ''})"


def _without_name(found: re.Match[str]) -> str:
    """Words of a name begin with a capital; what follows in small letters is text again."""
    words = found["given"].split()
    length = next((at for at, word in enumerate(words) if not word[0].isupper()), len(words))
    if not length:
        return found[0].removeprefix(found.groupdict().get("before") or "")
    return " ".join([HIDDEN, *words[length:]])
