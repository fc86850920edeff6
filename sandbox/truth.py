"""For tests: what each source delivers for a night, record by record, before any of it is conformed or judged.

An independent calculation can start here: the records carry the agency's own field names and faults, exactly as the
server, the monitor or the drop folder gives them out, and beside each stands the flaw that was put into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from sandbox.drop import SHEETS
from sandbox.portals.agencies import NATIONAL, World
from sandbox.portals.catalogue import catalogue
from sandbox.portals.declarations import declaration_list
from sandbox.portals.dossier_list import dossier_list
from sandbox.portals.inventory import inventory_list
from sandbox.portals.monitor import Query, evaluate
from sandbox.world.data_centres import MEASURES
from sandbox.world.times import VIETNAM, business_day, midnight, moment

DEFAULT = World()
DEAD = ("dvc-ca-mau",)
"""Sources that answer nothing but 503."""
STOPPED = ("kiem-ke-lam-dong",)
"""Sources so full of faults that the gate stops their batch."""
STEPS = {"prometheus-dak-lak": 1200, "prometheus-quoc-gia": 43_200}
"""Seconds between two samples of a monitor, as its source file asks for them; averages look as far back."""
TITLE_DAY = "Tính đến ngày"
"""Where a sheet's day stands in its title and not in its rows, the records carry it under this name (dd/mm/yyyy)."""


@dataclass(frozen=True)
class Delivery:
    """One record as delivered. ``flaw`` names the fault put into it, None when it is sound."""

    record: dict[str, Any]
    flaw: str | None


def sources() -> list[str]:
    """Ids of all sources of the sandbox, by name."""
    lists = [f"{kind}-{agency}" for kind in ("dvc", "tthc") for agency in ("dak-lak", "lam-dong", "quoc-gia")]
    return sorted([*lists, *DEAD, *STEPS, "kiem-ke-quoc-gia", "khai-bao-quoc-gia", *SHEETS])


def clock_after(night: date) -> datetime:
    """Two in the morning after ``night``: when its pull happens."""
    return datetime(night.year, night.month, night.day, 2, tzinfo=VIETNAM) + timedelta(days=1)


def delivered(
    source: str, night: date, *, since: date | None = None, world: World = DEFAULT, clock: datetime | None = None
) -> Iterator[Delivery]:
    """What ``source`` delivers for ``night``, in its own order; nothing when it is dead.

    Feeds of changes give what changed from ``since`` (unset: the first of January, as a first pull asks for) until the
    night's end. Snapshots and sheets ignore it. ``clock`` is when the pull happens (unset: two in the morning after).
    """
    at = moment(clock or clock_after(night))
    start, end = midnight(since or date(night.year, 1, 1)), midnight(night + timedelta(days=1))
    kind, _, agency = source.partition("-")
    if source in DEAD:
        return
    if source in STEPS:
        yield from _samples(world, agency, STEPS[source], start, end, at)
    elif source in SHEETS:
        yield from _rows(world, source, at)
    elif kind == "dvc":
        lines = dossier_list(world, agency, at)
        entries = list(lines.oldest_first(start, end))
        if agency == "lam-dong":
            entries.reverse()
        yield from (Delivery(*lines.show(entry)) for entry in entries)
    elif kind == "tthc":
        yield from (Delivery(*each) for each in catalogue(world, agency, at))
    elif source == f"kiem-ke-{NATIONAL}":
        yield from (Delivery(*each) for each in inventory_list(world, NATIONAL, business_day(at)))
    elif source == f"khai-bao-{NATIONAL}":
        yield from (Delivery(*each) for each in declaration_list(world, business_day(at)))
    else:
        raise KeyError(source)


def _samples(world: World, agency: str, step: int, start: int, end: int, clock: int) -> Iterator[Delivery]:
    """One record a sample, on the multiples of ``step`` since 1970 in ``[start, end)``."""
    grid = np.arange(-(-start // step) * step, end, step)
    for measure in MEASURES:
        if not len(grid):
            return
        for series in evaluate(world, agency, Query(measure, step), int(grid[0]), int(grid[-1]), step, clock):
            for sampled_at, value in zip(series.moments.tolist(), series.values, strict=True):
                record = {**series.labels, "measure": measure, "sampled_at": sampled_at}
                record |= {"value": value, "step_seconds": step}
                flaw = "no_number" if value == "NaN" else "over_100" if value == "174.5" else None
                yield Delivery(record, "unknown_unit" if series.labels.get("province") == "Phòng thử nghiệm" else flaw)


def _rows(world: World, source: str, clock: int) -> Iterator[Delivery]:
    sheet = SHEETS[source]
    day = sheet.days(clock)[0]
    for record, flaw in sheet.table(world, day).records():
        yield Delivery({**record, TITLE_DAY: f"{day:%d/%m/%Y}"}, flaw)
