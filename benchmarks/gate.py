"""What the gate takes beside Great Expectations alone, on the same rows, in one process, in turn.

    uv run python -m benchmarks.gate                                  # 200,000 made-up dossiers
    uv run python -m benchmarks.gate --dossiers 1_000_000 --repeats 7
    uv run python -m benchmarks.gate --home .dti --night 2026-06-30   # the batches that landed in a night

"Alone" is GX as it is meant to be used: each batch stands ready in one Parquet file, its values already of their types
and its units found; it is read into pandas and the feed's whole suite is validated on it with every failing row named.
"In groups" is the same as the gate asks: rules that look at few columns together, in narrow frames. The gate begins
with what landed, which is text: it verifies checksums, reads every value as its type, finds units and days, asks GX the
same suite, and writes what may pass and what may not, with reasons. Imports are told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import requests

HERE = Path(__file__).parent
FEED = "online_services"
NIGHT = date(2026, 6, 30)
LABELS = {
    "gate": "the gate",
    "alone": "Great Expectations alone",
    "in groups": "the same, asked in groups of rules",
}

started = time.perf_counter()

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from dti import libraries  # noqa: E402
from dti.clock import day_end, day_start  # noqa: E402
from dti.feeds import load_contract  # noqa: E402
from dti.gate import engine, judge  # noqa: E402
from dti.gate.part import Bench  # noqa: E402
from dti.gate.suite import Expectation, load_suite, parameters_of  # noqa: E402
from dti.gate.units import load_units  # noqa: E402
from dti.landing import ledger  # noqa: E402
from dti.landing.batch import Manifest  # noqa: E402
from dti.settings import Settings  # noqa: E402
from dti.sources.spec import load_source_file  # noqa: E402
from dti.sources.window import Window  # noqa: E402

libraries.great_expectations()
START_UP = time.perf_counter() - started


def land_dossiers(count: int, settings: Settings) -> None:
    """Land ``count`` made-up dossiers as one batch, by the real reader, from a portal that computes them."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    portal = subprocess.Popen([sys.executable, HERE / "portal.py", str(port), str(count)])
    try:
        _until_it_answers(port)
        os.environ["DTI_BENCHMARK_URL"] = f"http://127.0.0.1:{port}"
        window = Window(NIGHT, day_start(date(2026, 1, 1)), day_end(NIGHT))
        ledger.land(load_source_file(HERE / "benchmark-dossiers.yml"), window, None, settings=settings)
    finally:
        portal.kill()
        portal.wait()


def _until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/dossiers?since=2026-06-29T00:00:00%2B00:00&page=1&size=1", timeout=5)
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def typed(manifest: Manifest, folder: Path, settings: Settings) -> Path:
    """The batch as GX alone gets it: the columns its suite speaks of, of their types, in one file."""
    contract, suite = load_contract(manifest.feed), load_suite(manifest.feed, settings)
    columns = list(dict.fromkeys(column for rule in suite.expectations for column in rule.columns))
    tables, first_row = [], 0
    with Bench(contract, manifest, load_units(settings)) as bench:
        for path in ledger.part_paths(manifest, settings):
            first_row += bench.lay(path, first_row)
            bench.type()
            tables.append(bench.frame(columns))
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    pq.write_table(pa.concat_tables(tables), path, compression="zstd")
    return path


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds and processor seconds of ``work``."""
    wall, used = time.perf_counter(), _processor_seconds()
    work()
    return time.perf_counter() - wall, _processor_seconds() - used


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def compare(manifests: list[Manifest], repeats: int, settings: Settings) -> dict[str, Any]:
    """Medians of judging all batches, by the gate and by GX alone, taken in turn after one of each to warm up.

    Raises SystemExit when GX finds something else in groups than in the whole frame.
    """
    files = settings.home_dir / "typed"
    files.mkdir()
    ready = [(m, load_suite(m.feed, settings), typed(m, files, settings)) for m in manifests]

    def gate() -> None:
        for manifest, _, _ in ready:
            judge(manifest, settings=settings)

    def alone() -> None:
        for manifest, suite, path in ready:
            failing["alone", manifest.batch_id] = ask_whole(path, suite.expectations, parameters_of(manifest))

    def in_groups() -> None:
        for manifest, suite, path in ready:
            outcomes = engine.check(pq.read_table(path), suite.expectations, parameters_of(manifest))
            failing["in groups", manifest.batch_id] = {o.rule: o.failed_rows for o in outcomes if o.failed_rows}

    failing: dict[tuple[str, str], dict[str, list[int]]] = {}
    contenders = {"gate": gate, "alone": alone, "in groups": in_groups}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for turn in range(repeats + 1):
        for name, work in contenders.items():
            figures = measured(work)
            if turn:
                taken[name].append(figures)
    for manifest in manifests:
        if failing["alone", manifest.batch_id] != failing["in groups", manifest.batch_id]:
            sys.exit(f"{manifest.batch_id}: GX finds other rows in groups than in the whole frame")
    return {
        "rows": sum(manifest.rows for manifest in manifests),
        "batches": len(manifests),
        "repeats": repeats,
        "start_up_seconds": round(START_UP, 2),
        "medians": {
            name: [round(statistics.median(column), 3) for column in zip(*each, strict=True)]
            for name, each in taken.items()
        },
    }


def ask_whole(path: Path, rules: list[Expectation], parameters: dict[str, Any]) -> dict[str, list[int]]:
    """GX by itself: one frame, one suite, one validation; the rows that break each rule."""
    batch = engine._whole_frame().get_batch({"dataframe": engine._frame(pq.read_table(path))})
    found = batch.validate(
        engine.build(rules), result_format={"result_format": "COMPLETE"}, expectation_parameters=parameters
    )
    named = {
        result.expectation_config.meta["rule"]: result.result.get("unexpected_index_list") or []
        for result in found.results
    }
    return {rule: [int(row) for row in rows] for rule, rows in named.items() if rows}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, help="a DTI_HOME with landed batches; it is only read")
    options.add_argument("--night", type=date.fromisoformat, default=NIGHT, help="which of its nights")
    options.add_argument("--dossiers", type=int, default=200_000, help="how many to make up where no home is given")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--json", action="store_true", help="print the figures for programs")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="dti-bench-gate-") as folder:
        settings = Settings(home=Path(folder))
        if given.home:
            (settings.home_dir / "landing").symlink_to((given.home / "landing").resolve())
        else:
            land_dossiers(given.dossiers, settings)
        manifests = [m for m in ledger.manifests(settings) if m.outcome == "landed" and m.night == given.night]
        if not manifests:
            sys.exit(f"nothing landed on {given.night} in {given.home}: give another --night")
        found = compare(manifests, given.repeats, settings)
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['rows']:,} rows in {found['batches']} batches; start-up {found['start_up_seconds']} s, paid once")
    print(f"medians of {found['repeats']}, in turn:\n")
    print("| | seconds | ratio | processor seconds | ratio |\n|---|---:|---:|---:|---:|")
    wall, used = found["medians"]["alone"]
    for name, label in LABELS.items():
        seconds, processor = found["medians"][name]
        print(f"| {label} | {seconds:.2f} | {seconds / wall:.2f} | {processor:.2f} | {processor / used:.2f} |")


if __name__ == "__main__":
    main()
