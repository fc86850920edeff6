"""Which agency reports which provinces. Sources of one feed never overlap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sandbox.world.units import Unit, units, units_on

DAK_LAK, LAM_DONG, CA_MAU = "66", "68", "96"
"""Codes of the provinces that run systems of their own; each names the same province before and after the merger."""

OWN_SYSTEMS = {
    "online_services": (DAK_LAK, LAM_DONG, CA_MAU),
    "service_catalogue": (DAK_LAK, LAM_DONG),
    "data_centre": (DAK_LAK,),
    "staffing": (DAK_LAK,),
    "community_teams": (DAK_LAK,),
    "platform_inventory": (DAK_LAK, LAM_DONG),
    "declarations": (DAK_LAK,),
}
PORTAL_CODES = {"dak-lak": DAK_LAK, "lam-dong": LAM_DONG, "ca-mau": CA_MAU}
NATIONAL = "quoc-gia"


@dataclass(frozen=True)
class World:
    """One made-up country: its seed, and how many dossiers it has (scale 1: some 23 thousand in half a year)."""

    seed: int = 922
    scale: float = 1.0


def covered(agency: str, feed: str, geography: str) -> tuple[Unit, ...]:
    """The provinces of a geography that ``agency`` reports for ``feed``."""
    own = OWN_SYSTEMS[feed]
    if agency == NATIONAL:
        return tuple(u for u in units(geography) if u.code not in own)
    return tuple(u for u in units(geography) if u.code == PORTAL_CODES[agency] and u.code in own)


def covered_on(agency: str, feed: str, day: date) -> tuple[Unit, ...]:
    """The provinces that exist on ``day`` and that ``agency`` reports for ``feed``."""
    return covered(agency, feed, units_on(day)[0].geography)
