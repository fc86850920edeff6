"""Figures as a person reads them, so that a pocket calculator arrives at the same ones."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

THIN = "\u202f"
"""Between thousands: neither a comma nor a point, which Vietnamese and English read the other way round."""
WIDE = Context(prec=100)
"""The database keeps more digits than Python's 28; nothing is cut on the way."""


def rounded(value: Decimal, decimals: int) -> Decimal:
    """``value`` rounded half up."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, WIDE)


def plain(value: Decimal | int, decimals: int = 6) -> str:
    """A number without needless zeros, of at most ``decimals`` places, thousands apart: 1 234.5."""
    shown = f"{rounded(Decimal(value), decimals):f}"
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return _grouped("0" if shown == "-0" else shown)


def fixed(value: Decimal | int, decimals: int = 4) -> str:
    """A number with exactly ``decimals`` places: 9.8960."""
    return _grouped(f"{rounded(Decimal(value), decimals):f}")


def percent(share: Decimal, decimals: int = 2) -> str:
    """A share as percent: 32.99 %."""
    return f"{plain(share * 100, decimals)} %"


def short_factor(of: Decimal, factor: Decimal, decimals: int = 4, least: int = 4) -> str:
    """``factor`` in as few places (but ``least``) as still give ``of × factor`` to ``decimals`` places."""
    wanted = rounded(of * factor, decimals)
    for places in range(least, 13):
        if rounded(of * rounded(factor, places), decimals) == wanted:
            return plain(factor, places)
    return plain(factor, 12)


def _grouped(shown: str) -> str:
    whole, point, rest = shown.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    if len(digits) > 4:
        digits = f"{int(digits):,}".replace(",", THIN)
    return f"{sign}{digits}{point}{rest}"
