"""The communes of a province and their community digital technology teams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sandbox.world.draws import Floats, draw, draws, pick, whole
from sandbox.world.units import Unit, maturity

_FIRST = ("Tân", "Phú", "Bình", "An", "Hòa", "Ea", "Cư", "Long", "Mỹ", "Thạnh", "Đông", "Nam")
_SECOND = ("Lập", "Hưng", "Thành", "Kao", "Phước", "Sơn", "Thuận", "Lộc", "Mgar", "Tiến", "Khánh", "Xuân")


@dataclass(frozen=True)
class Commune:
    """One commune and its teams on one day."""

    unit: Unit
    code: str
    name: str
    has_team: bool
    villages: int
    villages_with_team: int
    members: int
    members_trained: int
    population: int


def communes(seed: int, unit: Unit, day: date) -> list[Commune]:
    """The communes of a province on ``day``, by code. Villages add up to their commune, people to the province."""
    digital = maturity(seed, unit, day.year)
    count = whole(55, 105, seed, "communes", unit.unit_id)
    weights: Floats = 0.4 + draws(count, seed, "commune size", unit.unit_id)
    shares = weights / weights.sum()
    passed = day.timetuple().tm_yday / 365
    found = []
    for i in range(count):
        place = (seed, unit.unit_id, "commune", i)
        villages = whole(6, 24, *place, "villages")
        covered = 0.45 + 0.55 * (0.7 * digital + 0.3 * draw(*place, "covered"))
        has_team = draw(*place, "team") < 0.5 + 0.5 * digital
        with_team = round(villages * covered) if has_team else 0
        trained = 0.2 + 0.75 * digital * draw(*place, "trained")
        members = with_team * whole(3, 7, *place, "members") + (5 if has_team else 0)
        kind = pick(("Phường", "Xã", "Xã"), *place, "kind") if i else "Phường"
        found.append(
            Commune(
                unit=unit,
                code=f"{unit.code}{i + 1:03d}",
                name=f"{kind} {_FIRST[i % 12]} {_SECOND[(i // 12 + i) % 12]}",
                has_team=has_team,
                villages=villages,
                villages_with_team=with_team,
                members=members,
                members_trained=round(members * trained * (0.4 + 0.6 * passed)),
                population=round(unit.population * float(shares[i])),
            )
        )
    return found
