"""The provinces: which exist on a day, how large they are, how digital they are, and how agencies write their names."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from sandbox.world.draws import between, draw, pick
from sandbox.world.times import MERGER


@dataclass(frozen=True)
class Unit:
    """One province in one geography. ``letters`` is its made-up agency code: H64 and up belongs to no real province."""

    unit_id: str
    geography: str
    code: str
    name: str
    kind: str
    population: int
    letters: str
    parts: tuple[str, ...]


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    with (Path(__file__).parent / "provinces.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


@lru_cache(maxsize=2)
def units(geography: str) -> tuple[Unit, ...]:
    """All provinces of geography ``63`` or ``34``, by code."""
    rows = _rows()
    letters = {code: f"H{64 + i}" for i, code in enumerate(sorted({r["code_34"] for r in rows}))}
    found = []
    for code in sorted({r[f"code_{geography}"] for r in rows}):
        parts = [r for r in rows if r[f"code_{geography}"] == code]
        found.append(
            Unit(
                unit_id=f"P{geography}-{code}",
                geography=geography,
                code=code,
                name=parts[0][f"name_{geography}"],
                kind=parts[0][f"kind_{geography}"],
                population=sum(int(r["population"]) for r in parts),
                letters=letters[parts[0]["code_34"]],
                parts=tuple(r["code_63"] for r in parts),
            )
        )
    return tuple(found)


def units_on(day: date) -> tuple[Unit, ...]:
    """The provinces that exist on ``day``: 63 until 30 June 2025, 34 from 1 July 2025."""
    return units("63" if day < MERGER else "34")


@lru_cache(maxsize=4096)
def _latent(seed: int, code_63: str) -> float:
    row = next(r for r in _rows() if r["code_63"] == code_63)
    if row["code_34"] == "66":
        return 0.5  # the province the examples speak of stays in the middle whatever the seed
    return between(0.15, 0.75, seed, "maturity", code_63) + (0.2 if row["kind_63"] == "city" else 0.0)


@lru_cache(maxsize=100_000)
def maturity(seed: int, unit: Unit, year: int) -> float:
    """How digital a province is in a year, 0 to 1: its parts weighted by population, and a little more each year."""
    weights = {r["code_63"]: int(r["population"]) for r in _rows()}
    total = sum(weights[p] for p in unit.parts)
    base = sum(_latent(seed, p) * weights[p] for p in unit.parts) / total
    return min(0.97, max(0.05, base + 0.04 * (year - 2025)))


@lru_cache(maxsize=20_000)
def spelling(seed: int, unit: Unit, *parts: object) -> str:
    """The province's name as one of its agencies happens to write it (prefix, capitals, NFD)."""
    prefix, short = ("Thành phố", "TP.") if unit.kind == "city" else ("Tỉnh", "tỉnh")
    written = pick(
        (unit.name, unit.name, unit.name, f"{prefix} {unit.name}", f"{short} {unit.name}", unit.name.upper()),
        seed, "spelling", unit.unit_id, *parts,
    )  # fmt: skip
    return unicodedata.normalize("NFD", written) if draw(seed, "nfd", unit.unit_id, *parts) < 0.3 else written
