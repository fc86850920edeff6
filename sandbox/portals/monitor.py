"""Prometheus servers of the sandbox: a table of the PromQL expressions the source files use, no engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sandbox.portals.agencies import NATIONAL, World, covered
from sandbox.world.data_centres import DataCentre, data_centres, sampled
from sandbox.world.draws import Integers
from sandbox.world.times import local_day
from sandbox.world.units import spelling, units

_BY = "by (data_centre, province)"
_EXPRESSIONS = {
    "up_share": rf'avg {_BY} (avg_over_time(up{{job="data_centre"}}[RANGE]))',
    "cpu_utilisation_pct": rf'100 * (1 - avg {_BY} (rate(node_cpu_seconds_total{{mode="idle"}}[RANGE])))',
    "memory_utilisation_pct": (
        rf"100 * (1 - sum {_BY} (node_memory_MemAvailable_bytes) / sum {_BY} (node_memory_MemTotal_bytes))"
    ),
    "storage_utilisation_pct": (
        rf"100 * (1 - sum {_BY} (node_filesystem_avail_bytes) / sum {_BY} (node_filesystem_size_bytes))"
    ),
    "servers_total": f"count {_BY} (node_uname_info)",
    "servers_with_antimalware": f"sum {_BY} (antimalware_installed)",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Query:
    """A known expression: the measure it stands for, and the seconds each value looks back."""

    measure: str
    window: int


@dataclass(frozen=True)
class Series:
    """One line of a matrix answer."""

    labels: dict[str, str]
    moments: Integers
    values: list[str]


def seconds(text: str) -> float:
    """A Prometheus duration (``20m``, ``1h30m``) or number of seconds. Raises ValueError for anything else."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.findall(r"(\d+)([smhd])", text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise ValueError(text)
    return float(sum(int(n) * _UNITS[u] for n, u in parts))


def understand(promql: str) -> Query | None:
    """The query that ``promql`` stands for, whatever its spaces and range; None when it is not in the table."""
    wanted = _squeeze(promql)
    for measure, expression in _EXPRESSIONS.items():
        pattern = re.escape(_squeeze(expression)).replace("RANGE", r"(?P<range>\w+)")
        if match := re.fullmatch(pattern, wanted):
            given = match.groupdict().get("range")
            try:
                return Query(measure, int(seconds(given)) if given else 300)
            except ValueError:
                return None
    return None


def expression(measure: str, window: str) -> str:
    """The PromQL of a measure, as source files write it."""
    return _EXPRESSIONS[measure].replace("RANGE", window)


def _squeeze(promql: str) -> str:
    return re.sub(r"\s+", "", promql)


def evaluate(world: World, agency: str, query: Query, start: int, end: int, step: int, clock: int) -> Iterator[Series]:
    """The series of a range query, evaluated at start, start + step … end, and never after ``clock``."""
    moments = np.arange(start, min(end, clock) + 1, step, dtype=np.int64)
    if not len(moments):
        return
    for geography in ("63", "34"):
        for unit in covered(agency, "data_centre", geography):
            for centre in data_centres(unit):
                yield from _series(world, agency, query, centre, moments)
    if agency == NATIONAL:
        yield from _test_rig(world, query, moments)


def _series(world: World, agency: str, query: Query, centre: DataCentre, moments: Integers) -> Iterator[Series]:
    moments, values = sampled(world.seed, centre, query.measure, moments, query.window)
    if values:
        labels = {"data_centre": centre.name}
        if agency == NATIONAL:
            labels["province"] = spelling(world.seed, centre.unit, "monitor")
        yield Series(labels, moments, values)


def _test_rig(world: World, query: Query, moments: Integers) -> Iterator[Series]:
    """A machine someone tests with on the 9th of each month; its province is none."""
    tested = np.array([local_day(int(m)).day == 9 for m in moments], dtype=bool)
    rig = DataCentre(units("34")[0], "ttdl-thu-nghiem")
    moments, values = sampled(world.seed, rig, query.measure, moments[tested], query.window)
    if values:
        yield Series({"data_centre": rig.name, "province": "Phòng thử nghiệm"}, moments, values)
