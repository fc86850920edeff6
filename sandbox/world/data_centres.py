"""Data centres: when they are down, how busy they are, how many servers they have. Any moment can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sandbox.world.draws import Floats, Integers, between, draw, draws, draws_at, whole
from sandbox.world.times import DAY, MERGER, OFFSET, local_day, midnight
from sandbox.world.units import Unit, maturity

MEASURES = (
    "up_share",
    "cpu_utilisation_pct",
    "memory_utilisation_pct",
    "storage_utilisation_pct",
    "servers_total",
    "servers_with_antimalware",
)


@dataclass(frozen=True)
class DataCentre:
    """One data centre of one province."""

    unit: Unit
    name: str


@lru_cache(maxsize=256)
def data_centres(unit: Unit) -> tuple[DataCentre, ...]:
    """The data centres of a province: large provinces run two."""
    count = 2 if unit.population > 3_000_000 else 1
    old = "-cu" if unit.geography == "63" else ""
    return tuple(DataCentre(unit, f"ttdl-{unit.code}{old}-{i}") for i in range(1, count + 1))


def exists(centre: DataCentre, moments: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the centre belongs to a province that exists at each moment; the old ones end with the 63 provinces."""
    change = midnight(MERGER)
    return moments < change if centre.unit.geography == "63" else moments >= change


def _days(moments: Integers) -> Integers:
    numbers: Integers = (moments + OFFSET) // DAY
    return numbers


def _downtime(seed: int, centre: DataCentre, first: int, last: int) -> tuple[Integers, Integers]:
    """Starts and ends of what goes down on days ``first`` to ``last`` (numbers), in order, none overlapping."""
    digital = maturity(seed, centre.unit, local_day(last * DAY).year)
    days = np.arange(first, last + 1)

    def u(name: str) -> Floats:
        return draws_at(days, seed, name, centre.name)

    down = u("down") < 0.14 - 0.12 * digital
    start = days * DAY - OFFSET + (u("start") * 75_000).astype(np.int64)
    length = 300 + (u("length") ** 2 * 10_500).astype(np.int64)
    return start[down], (start + length)[down]


def up_share(seed: int, centre: DataCentre, moments: Integers, window: int) -> Floats:
    """Share of the ``window`` seconds before each moment in which the centre was up."""
    first, last = int(_days(moments.min() - window)) - 1, int(_days(moments.max())) + 1
    starts, ends = _downtime(seed, centre, first, last)
    if not len(starts):
        return np.ones(len(moments))
    corners = np.stack([starts, ends], axis=1).ravel().astype(np.float64)
    lost = np.repeat(np.cumsum(ends - starts), 2).astype(np.float64)
    lost[0::2] -= ends - starts
    share: Floats = 1.0 - (np.interp(moments, corners, lost) - np.interp(moments - window, corners, lost)) / window
    return share


def is_up(seed: int, centre: DataCentre, moments: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the centre is up at each moment; a centre that is down sends no measure but its absence."""
    starts, ends = _downtime(seed, centre, int(_days(moments.min())) - 1, int(_days(moments.max())) + 1)
    before = np.searchsorted(starts, moments, side="right") - 1
    return ~((before >= 0) & (moments < ends[np.maximum(before, 0)])) if len(starts) else np.ones(len(moments), bool)


def utilisation(seed: int, centre: DataCentre, measure: str, moments: Integers) -> Floats:
    """Processor, memory or storage in use at each moment, in percent."""
    base = between(30, 60, seed, measure, centre.name)
    noise = draws_at(moments, seed, measure, centre.name) - 0.5
    if measure == "storage_utilisation_pct":
        grown = (_days(moments) % 400) * between(0.03, 0.08, seed, "growth", centre.name)
        storage: Floats = np.clip(base + grown + noise, 0.0, 99.0).round(3).astype(np.float64)
        return storage
    swing, rough = (16, 14) if measure == "cpu_utilisation_pct" else (6, 5)
    daily = np.sin(2 * np.pi * ((moments + OFFSET) % DAY / DAY - 0.375))
    load: Floats = np.clip(base + swing * daily + rough * noise, 0.5, 99.0).round(3).astype(np.float64)
    return load


def servers(seed: int, centre: DataCentre, measure: str, moments: Integers) -> Integers:
    """Servers of the centre, or those with anti-malware; some are added every quarter."""
    quarters = _days(moments) // 91 - 200
    total: Integers = whole(18, 60, seed, "servers", centre.name) + quarters * whole(0, 2, seed, "added", centre.name)
    total = np.maximum(total, 6)
    if measure == "servers_total":
        return total
    digital = maturity(seed, centre.unit, local_day(int(moments.max())).year)
    share = min(1.0, 0.45 + 0.55 * digital + 0.1 * draw(seed, "antimalware", centre.name))
    guarded: Integers = np.floor(total * share).astype(np.int64)
    return guarded


def sampled(seed: int, centre: DataCentre, measure: str, moments: Integers, window: int) -> tuple[Integers, list[str]]:
    """The samples of one series: the moments that have one, and the values as text. Scrapes fail now and then."""
    moments = moments[exists(centre, moments)]
    if not len(moments):
        return moments, []
    if measure == "up_share":
        scraped = draws_at(moments, seed, "scrape", centre.name) >= 0.002
        moments = moments[scraped]
        return moments, [_text(v) for v in up_share(seed, centre, moments, window).round(6)] if len(moments) else []
    moments = moments[is_up(seed, centre, moments)]
    if measure.startswith("servers"):
        return moments, [str(v) for v in servers(seed, centre, measure, moments)] if len(moments) else []
    values = utilisation(seed, centre, measure, moments) if len(moments) else np.zeros(0)
    odd = draws(1, seed, "odd sensor", centre.name)[0] < 0.12
    glitch = draws_at(moments, seed, "glitch", measure, centre.name) < (0.004 if odd else 0.0)
    kind = draws_at(moments, seed, "glitch kind", measure, centre.name) < 0.5
    texts = [_text(v) for v in values]
    return moments, [("NaN" if k else "174.5") if g else t for g, k, t in zip(glitch, kind, texts, strict=True)]


def _text(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
