"""Rows, seconds and peak memory of each step of a night, at growing numbers of dossiers.

    uv run python benchmarks/night.py 10000 1000000 10000000

Every step runs in a process of its own, so that its peak memory is its own. Extraction reads over HTTP from
``benchmarks/portal.py``. Imports are inside the measured time of a step only where the step pays them every night;
the column ``start-up`` shows them apart.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

NIGHT = date(2026, 6, 30)
FEED = "online_services"
HERE = Path(__file__).parent


def step_extract() -> tuple[int, Callable[[], int]]:
    from dti.clock import day_end, day_start
    from dti.landing import ledger
    from dti.settings import get_settings
    from dti.sources.spec import load_source_file
    from dti.sources.window import Window

    source = load_source_file(HERE / "benchmark-dossiers.yml")
    window = Window(NIGHT, day_start(date(2026, 1, 1)), day_end(NIGHT))
    return 0, lambda: ledger.land(source, window, None, settings=get_settings()).rows


def step_gate() -> tuple[int, Callable[[], int]]:
    from dti import libraries
    from dti.gate import judge
    from dti.landing import ledger
    from dti.settings import get_settings

    libraries.great_expectations()  # its seconds are start-up, shown apart
    manifest = next(iter(ledger.manifests(get_settings(), FEED)))
    return manifest.rows, lambda: judge(manifest, settings=get_settings()).rows_passed


def step_merge() -> tuple[int, Callable[[], int]]:
    from dti import lake
    from dti.gate import load_verdict
    from dti.landing import ledger
    from dti.settings import get_settings

    manifest = next(iter(ledger.manifests(get_settings(), FEED)))
    verdict = load_verdict(manifest.batch_id, settings=get_settings())
    if verdict is None:
        raise SystemExit("the gate runs before the merge")
    return verdict.rows_passed, lambda: lake.merge(FEED, [verdict], settings=get_settings())


def step_rollup() -> tuple[int, Callable[[], int]]:
    from dti import lake
    from dti.rollup import rollup
    from dti.settings import get_settings

    settings = get_settings()
    files = lake.files(FEED, lake.changed_partitions(FEED, None, settings=settings), settings=settings)
    return 0, lambda: sum(batch.num_rows for batch in rollup(FEED, files, settings=settings))


def step_load() -> tuple[int, Callable[[], int]]:
    from dti import lake
    from dti.gate import load_verdict
    from dti.landing import ledger
    from dti.rollup import rollup
    from dti.settings import get_settings
    from dti.warehouse.load import Receipt, load_feed

    settings = get_settings()
    manifest = next(iter(ledger.manifests(settings, FEED)))
    receipt = Receipt(manifest=manifest, verdict=load_verdict(manifest.batch_id, settings=settings))
    partitions = lake.changed_partitions(FEED, None, settings=settings)

    def load() -> int:
        facts = rollup(FEED, lake.files(FEED, partitions, settings=settings), settings=settings)
        load_feed(FEED, facts, partitions, [receipt], lake.version(FEED, settings=settings), settings=settings)
        return 0

    return 0, load


def step_index() -> tuple[int, Callable[[], int]]:
    from dti import flow

    return 0, lambda: len(flow.compute(NIGHT))


STEPS = {
    "extract": step_extract,
    "gate": step_gate,
    "merge": step_merge,
    "rollup": step_rollup,
    "load (with rollup)": step_load,
    "index run": step_index,
}


def measure(step: str) -> None:
    """Child process: run one step and print its figures as JSON."""
    started = time.perf_counter()
    _, work = STEPS[step]()
    ready = time.perf_counter()
    rows = work()
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"rows": rows, "startup_seconds": ready - started, "seconds": done - ready, "peak_mib": peak}
    sys.stdout.write(json.dumps(figures) + "\n")


def run(count: int) -> None:
    """Parent: one night with ``count`` dossiers in a fresh home, printed as rows of a Markdown table."""
    with tempfile.TemporaryDirectory(prefix="dti-bench-") as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = os.environ | {"DTI_HOME": home, "DTI_BENCHMARK_URL": f"http://127.0.0.1:{port}"}
        portal = subprocess.Popen([sys.executable, HERE / "portal.py", str(port), str(count)], env=environment)
        try:
            prepare = "from dti import flow; flow.prepare()"
            subprocess.run([sys.executable, "-c", prepare], env=environment, check=True)
            for step in STEPS:
                answer = subprocess.run(
                    [sys.executable, __file__, "--step", step],
                    env=environment,
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                f = json.loads(answer.stdout.splitlines()[-1])
                rate = f"{count / f['seconds']:,.0f}" if step != "index run" else ""
                figures = f"{f['startup_seconds']:.1f} | {f['seconds']:.2f} | {rate} | {f['peak_mib']:,.0f}"
                print(f"| {count:,} | {step} | {figures} |", flush=True)
        finally:
            portal.kill()
            stop = "from dti.warehouse import embedded; embedded.stop(get_settings())"
            command = [sys.executable, "-c", f"from dti.settings import get_settings; {stop}"]
            subprocess.run(command, env=environment, check=False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        measure(sys.argv[2])
    else:
        print("| dossiers | step | start-up s | seconds | dossiers/s | peak MiB |\n|---:|---|---:|---:|---:|---:|")
        for size in sys.argv[1:] or ["10000", "1000000"]:
            run(int(size.replace("_", "")))
