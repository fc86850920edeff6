"""Pages of a list: by number, or by a cursor that keeps the list as it was when reading began."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.world.times import VIETNAM, moment

MAX_SIZE = 5000


class BadRequestError(ValueError):
    """The request asks for something that no page has; the text says what."""


def number(given: Mapping[str, str], name: str, default: int, high: int = 10**9) -> int:
    """A whole number from 1 to ``high`` among the request's parameters."""
    text = given.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= high:
        raise BadRequestError(f"{name} must be a whole number from 1 to {high}")
    return int(text)


def time_of(given: Mapping[str, str], name: str, default: int) -> int:
    """A time among the request's parameters: yyyyMMddHHmmss, dd/MM/yyyy HH:mm:ss, or ISO 8601."""
    text = given.get(name, "").strip()
    if not text:
        return default
    for style in ("%Y%m%d%H%M%S", "%d/%m/%Y %H:%M:%S"):
        try:
            return moment(datetime.strptime(text, style).replace(tzinfo=VIETNAM))
        except ValueError:
            continue
    try:
        return moment(datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text))
    except ValueError:
        raise BadRequestError(f"{name} is no time") from None


def numbered(records: list[Any], given: Mapping[str, str]) -> tuple[list[Any], int]:
    """The page that trang and soBanGhi ask for, and the total."""
    size, page = number(given, "soBanGhi", 100, MAX_SIZE), number(given, "trang", 1)
    return records[(page - 1) * size : page * size], len(records)


def cursor_of(given: Mapping[str, str], clock: int) -> tuple[int, int]:
    """Offset and moment of the cursor ``conTro``; a new reading begins at offset 0 and the present moment."""
    text = given.get("conTro")
    if not text:
        return 0, clock
    try:
        offset, at = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (binascii.Error, ValueError, TypeError):
        raise BadRequestError("conTro is no cursor of this list") from None
    return int(offset), int(at)


def cursor(offset: int, at: int) -> str:
    """The cursor that goes on at ``offset`` of the list as it was at moment ``at``."""
    return base64.urlsafe_b64encode(json.dumps([offset, at]).encode()).decode()
