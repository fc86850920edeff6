"""Canonical text: every value an agency sends, in the one spelling in which it is landed.

Integers "12", decimals "1234.5", booleans "true" and "false", dates ISO 8601, timestamps ISO 8601 with the offset of
Asia/Ho_Chi_Minh, text in NFC without surrounding space. What cannot be read as its type is passed on as it came, so
that the gate can show it to a person; nothing is guessed and nothing is dropped here.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dti.clock import ZONE
from dti.feeds import Column

Conform = Callable[[Any], str | None]

_INVISIBLE = re.compile("[\x00\u200b\u2060\ufeff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE_SPACE = re.compile("[\u00a0\u2007\u2009\u202f]")
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?")
_POINT = re.compile(r"[+-]?(?:[1-9][0-9]{0,2}(?P<group>[, ])[0-9]{3}(?:(?P=group)[0-9]{3})*|[0-9]+)(?:\.[0-9]+)?")
_COMMA = re.compile(r"[+-]?(?:[1-9][0-9]{0,2}(?P<group>[. ])[0-9]{3}(?:(?P=group)[0-9]{3})*|[0-9]+)(?:,[0-9]+)?")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")
_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+07:00")
_FIRST_YEAR = 1912
_BOOLEANS = {"true": "true", "1": "true", "có": "true", "x": "true", "false": "false", "0": "false", "không": "false"}


def clean(text: str) -> str | None:
    """``text`` in NFC, stripped, without invisible marks that no database takes; None when nothing is left."""
    if text.isascii():
        return text.replace("\x00", "").strip() or None
    text = unicodedata.normalize("NFC", _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))
    return _INVISIBLE.sub("", text).strip() or None


def fold(text: str) -> str:
    """``text`` as names are compared: NFC, case folded, runs of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def as_text(value: Any) -> str | None:
    """Any value of JSON or of a cell as text; what has no text of its own becomes JSON."""
    match value:
        case None:
            return None
        case str():
            return clean(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float_text(value)
        case datetime():
            return value.isoformat()
        case date():
            return value.isoformat()
        case dict() | list():
            return clean(json.dumps(value, ensure_ascii=False, sort_keys=True)) if value else None
        case _:
            return clean(str(value))


def number(text: str, decimal_comma: bool | None) -> Decimal | None:
    """The number that ``text`` writes, or None.

    ``decimal_comma`` True reads ``1.234,5``, False reads ``1,234.5``, None only ``1234.5``. Groups must be whole
    groups of three; what is no number in its own notation but a plain one (``12.5``) is read as such.
    """
    if (plain := _PLAIN.fullmatch(text)) and (decimal_comma is not True or "." not in text):
        return Decimal(plain[0])
    if decimal_comma is None:
        return None
    tidy = _WIDE_SPACE.sub(" ", text).replace("\N{MINUS SIGN}", "-")
    notation, group, mark = (_COMMA, ".", ",") if decimal_comma else (_POINT, ",", ".")
    if notation.fullmatch(tidy):
        return Decimal(tidy.replace(group, "").replace(" ", "").replace(mark, "."))
    return Decimal(tidy) if _PLAIN.fullmatch(tidy) else None


def moment(value: Any, formats: Sequence[str]) -> datetime | None:
    """The zone-aware time in ``value``, or None; without a zone it is meant in Asia/Ho_Chi_Minh.

    ISO 8601 first (date and time, or a date: its midnight), then each strptime format.
    """
    found: datetime | None = None
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=ZONE)
    elif (text := as_text(value)) is not None and not isinstance(value, bool):
        found = _read_moment(text, formats)
    if found is None:
        return None
    try:
        local = found.replace(tzinfo=ZONE) if found.tzinfo is None else found.astimezone(ZONE)
    except OverflowError:
        return None
    # Year 1, which some systems write for "none", is no time: before 1911 the zone has no whole minutes.
    return None if local.year < _FIRST_YEAR else local


def conformer(
    column: Column, *, decimal_comma: bool | None, formats: Sequence[str], codes: Mapping[str, str]
) -> Conform:
    """The function that turns a raw value of ``column`` into canonical text.

    ``codes`` are looked up first, exactly and then folded; the code "" stands for an empty value.
    """

    def integer_or_decimal(value: Any) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        text = as_text(value)
        read = number(text, decimal_comma) if isinstance(value, str) and text is not None else None
        return text if read is None else _decimal_text(read)

    def boolean(value: Any) -> str | None:
        text = as_text(value)
        return None if text is None else _BOOLEANS.get(text.casefold(), text)

    def day(value: Any) -> str | None:
        found = moment(value, formats)
        return as_text(value) if found is None else found.date().isoformat()

    def timestamp(value: Any) -> str | None:
        if isinstance(value, str) and _CANONICAL.fullmatch(value) and moment(value, ()) is not None:
            return value
        found = moment(value, formats)
        return as_text(value) if found is None else found.isoformat()

    kinds: dict[str, Conform] = {
        "string": as_text,
        "integer": integer_or_decimal,
        "decimal": integer_or_decimal,
        "boolean": boolean,
        "date": day,
        "timestamptz": timestamp,
    }
    return with_codes(kinds[column.type], codes)


def with_codes(conform: Conform, codes: Mapping[str, str]) -> Conform:
    """``conform`` behind a table of the agency's codes."""
    if not codes:
        return conform
    exact = {clean(code) or "": ours for code, ours in codes.items()}
    folded = {fold(code): ours for code, ours in exact.items()}

    def decoded(value: Any) -> str | None:
        text = as_text(value) or ""
        ours = exact.get(text, folded.get(fold(text)))
        return conform(value if ours is None else ours)

    return decoded


def _read_moment(text: str, formats: Sequence[str]) -> datetime | None:
    # fromisoformat alone would also take "2026070112304" as a day and a time.
    if _ISO_DAY.fullmatch(text) or _ISO_MOMENT.match(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    for form in formats:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - moment() gives it its zone
        except ValueError:
            continue
        # strptime takes "1772334000" for %Y%m%d%H%M%S, with fewer digits a field than the format has.
        if not text.isdigit() or found.strftime(form) == text:
            return found
    return None


def _float_text(value: float) -> str | None:
    """Fifteen significant digits: what a double holds for certain, so 0.30000000000000004 is 0.3 again."""
    if not math.isfinite(value):
        return None if math.isnan(value) else str(value)  # 1e999 was sent as a number: the gate shows it to a person
    return _decimal_text(Decimal(f"{value:.15g}"))


def _decimal_text(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", "+0"} else text
