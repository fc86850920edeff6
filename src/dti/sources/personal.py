"""Personal data ends here: what names a person is dropped, or replaced by a keyed pseudonym, before it is written."""

from __future__ import annotations

import hmac
from typing import Any

from dti.sources.conform import as_text


def pseudonym(value: Any, key: bytes) -> str | None:
    """HMAC-SHA256 of an identity number, as 64 hex digits; None for no value.

    One person has one pseudonym however the number was spelled (spaces, letter case, Unicode form), and without
    ``key`` no one can find the number again by trying all numbers.
    """
    text = as_text(value)
    if text is None:
        return None
    return hmac.digest(key, "".join(text.split()).upper().encode(), "sha256").hex()
