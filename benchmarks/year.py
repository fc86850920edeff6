"""A year of nights recomputed: rows, seconds, peak memory and share of each step, and the ratio to bare DuckDB SQL.

    uv run python -m benchmarks.year make --home /tmp/year        # 365 nights of 63 provinces; once, takes long
    uv run python -m benchmarks.year recompute --home /tmp/year   # three recomputations, each in a process of its own
    uv run python -m benchmarks.year floor --home /tmp/year       # the same in bare DuckDB SQL
    uv run python -m benchmarks.year beside --home /tmp/year      # nights while a recomputation runs

Each prints rows of a Markdown table; ``--nights`` and ``--dossiers`` make a smaller year for a try.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dti import flow
from dti.settings import get_settings
from dti.warehouse import embedded

ROUNDS = 3


def make(asked: argparse.Namespace) -> None:
    """Make the ledger; with ``--feeds`` only some of it, so that several processes may share the work."""
    from benchmarks.year_ledger import copy_sources
    from benchmarks.year_ledger import make as make_year
    from benchmarks.year_world import FEEDS

    settings = get_settings()
    copy_sources(settings)
    flow.prepare(settings)
    feeds = asked.feeds.split(",") if asked.feeds else FEEDS
    spent = make_year(asked.year, asked.nights, asked.dossiers, asked.lookback, settings, feeds)
    print(json.dumps({name: round(seconds, 1) for name, seconds in spent.items()}, indent=1))
    if not asked.feeds:
        night = date(asked.year, 1, 1) + timedelta(days=asked.nights - 1)
        print(flow.compute(night, settings=settings)["run_id"])


def recompute(asked: argparse.Namespace) -> None:
    """Three recomputations, each published; the median of every figure."""
    found = [_child("round", asked) for _ in range(asked.rounds)]
    for each in found:
        print(json.dumps(each, ensure_ascii=False), file=sys.stderr)
    print(_table(found))


def one_round(asked: argparse.Namespace) -> None:
    """Child process of ``recompute``."""
    from benchmarks.year_steps import recompute as recompute_year

    key = f"benchmark {time.time_ns()}"
    print(json.dumps(recompute_year(asked.year, key, get_settings(), publish=not asked.unpublished)))


def floor(asked: argparse.Namespace) -> None:
    """Ours and the bare SQL in turn, in one process."""
    from benchmarks.year_floor import floors

    print(json.dumps(floors(get_settings()), indent=1))


def beside(asked: argparse.Namespace) -> None:
    """Nights after the year, alone and while a recomputation runs."""
    from benchmarks.year_beside import nights

    print(json.dumps(nights(asked.year, asked.dossiers, get_settings(), lambda: _start("round", asked)), indent=1))


def _table(rounds: list[dict[str, Any]]) -> str:
    """Markdown: step, median seconds, share, median peak."""
    from benchmarks.year_steps import STEPS

    def median(*path: str) -> float:
        def value(each: Any) -> float:
            for name in path:
                each = each.get(name, 0)
            return float(each)

        return statistics.median(map(value, rounds))

    seconds = {step: median("seconds", step) for step in STEPS}
    whole = sum(seconds.values())
    processor = {step: median("processor", step) for step in STEPS}
    lines = ["| step | seconds | share | processor seconds | peak MiB |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {step} | {spent:.2f} | {spent / whole:.0%} | {processor[step]:.2f} | {median('peak_mib', step):,.0f} |"
        for step, spent in seconds.items()
    ]
    peak = max(median("peak_mib", step) for step in STEPS)
    lines.append(f"| **all** | **{median('total'):.2f}** | | **{sum(processor.values()):.2f}** | **{peak:,.0f}** |")
    counts = {name: rounds[-1][name] for name in ("batches", "landed_rows", "facts", "backend_mib")}
    return "\n".join([*lines, "", str(counts), str({n: c for n, c in rounds[-1].items() if n.startswith("rows ")})])


def _start(step: str, asked: argparse.Namespace) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.year", step, "--home", asked.home, "--year", str(asked.year)]
    command += ["--unpublished"] if asked.unpublished or asked.step == "beside" else []
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _child(step: str, asked: argparse.Namespace) -> dict[str, Any]:
    answer, _ = (child := _start(step, asked)).communicate()
    if child.returncode:
        raise SystemExit(child.returncode)
    figures: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return figures


def stop(_: argparse.Namespace) -> None:
    """Stop the home's server."""
    embedded.stop(get_settings())


STEPS = {"make": make, "recompute": recompute, "round": one_round, "floor": floor, "beside": beside, "stop": stop}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--home", required=True, help="a DTI_HOME of its own")
    parser.add_argument("--year", type=int, default=2023)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--dossiers", type=int, default=1_000_000, help="opened in the year, over 63 provinces")
    parser.add_argument("--lookback", type=int, default=1, help="days of changes that each night reads")
    parser.add_argument("--feeds", help="make only these, separated by commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--unpublished", action="store_true", help="review, but do not publish")
    given = parser.parse_args()
    os.environ |= {"DTI_HOME": given.home, "DTI_SOURCES": str(Path(given.home) / "sources")}
    STEPS[given.step](given)
