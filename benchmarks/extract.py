"""Records a second of extraction over REST, beside a bare loop and beside dlt, from the same portal.

    uv run --group bench python -m benchmarks.extract 20_000 200_000 --json extract.json

* ``dti extract``: ours. Pages by change time, so that nothing is missed when records move; checks that the agency keeps
  its order; maps and types 12 fields; notes unknown, missing and retyped ones; drops or pseudonymises persons; keeps
  each record's place; retries with patience; Parquet, checksums and a manifest.
* ``requests loop``: the floor. Pages by number, takes the same 12 fields as text, writes the same Parquet. No retry, no
  check, no manifest; a record that moves while it reads is lost or doubled.
* ``dlt``: its REST source and filesystem destination, as its guide has it: page numbers, retries, schema inferred and
  evolved, records normalised, a load package with state. No mapping to our columns, no persons dropped.

The portal computes its records (``benchmarks/portal.py``) in a process of its own, on the same cores.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import requests

from benchmarks.measuring import Given, NotHereError, head, in_turn, parser, publish, rows_of, scratch, serve

HERE = Path(__file__).parent
NIGHT = date(2026, 6, 30)
FLOOR = "requests loop"
PAGE_SIZE = 2_000
SINCE = "2026-01-01T00:00:00.000+07:00"


def landed(files: list[str], id_column: str, given: Given) -> Any:
    """How many records came and a fingerprint of their ids; only when answers are compared."""
    if not given["check"]:
        return None
    import duckdb

    query = f'SELECT count(*), sum(hash("{id_column}")::HUGEINT) FROM read_parquet({files!r})'  # noqa: S608 - our own names
    return list(map(str, duckdb.sql(query).fetchall()[0]))


def ours(given: Given) -> Callable[[], Any]:
    from dti.clock import day_end, day_start
    from dti.landing import ledger
    from dti.landing.parts import write_parts  # noqa: F401 - imported when it is first used, which is start-up
    from dti.settings import get_settings
    from dti.sources.read import read  # noqa: F401 - likewise
    from dti.sources.spec import load_source_file
    from dti.sources.window import Window

    settings = get_settings()
    source = load_source_file(HERE / "benchmark-dossiers.yml")
    shutil.rmtree(settings.landing_dir, ignore_errors=True)
    window = Window(NIGHT, day_start(date(2026, 1, 1)), day_end(NIGHT))

    def work() -> Any:
        manifest = ledger.land(source, window, None, settings=settings)
        return landed([str(path) for path in ledger.part_paths(manifest, settings)], "dossier_id", given)

    return work


def loop(given: Given) -> Callable[[], Any]:
    import yaml

    fields: dict[str, str] = yaml.safe_load((HERE / "benchmark-dossiers.yml").read_text("utf-8"))["fields"]
    address = f"{os.environ['DTI_BENCHMARK_URL']}/dossiers"
    target = Path(given["env"]["DTI_HOME"]) / "loop.parquet"
    schema = pa.schema([(name, pa.string()) for name in fields])

    def text(value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else str(value).lower()

    def work() -> Any:
        with requests.Session() as session, pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for number in count(1):
                asked = {"since": SINCE, "page": str(number), "size": str(PAGE_SIZE)}
                answer = session.get(address, params=asked, timeout=60)
                answer.raise_for_status()
                records = answer.json()["data"]
                if not records:
                    break
                arrays = [pa.array([text(r[theirs]) for r in records], pa.string()) for theirs in fields.values()]
                writer.write_table(pa.table(arrays, schema=schema))
        return landed([str(target)], "dossier_id", given)

    return work


def dlt(given: Given) -> Callable[[], Any]:
    home = Path(given["env"]["DTI_HOME"])
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    os.environ["DLT_DATA_DIR"] = str(home / "dlt")
    try:
        import dlt as tool
        from dlt.sources.rest_api import rest_api_source
    except ImportError as missing:
        raise NotHereError("not installed: group bench") from missing

    target = home / "dlt-landing"
    shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(home / "dlt", ignore_errors=True)
    pipeline = tool.pipeline(
        "benchmark",
        pipelines_dir=str(home / "dlt"),
        destination=tool.destinations.filesystem(bucket_url=target.as_uri()),
        dataset_name="portal",
    )
    paginator = {
        "type": "page_number",
        "base_page": 1,
        "page_param": "page",
        "total_path": None,
        "stop_after_empty_page": True,
    }
    endpoint = {
        "path": "dossiers",
        "params": {"since": SINCE, "size": PAGE_SIZE},
        "data_selector": "data",
        "paginator": paginator,
    }
    source = rest_api_source(
        {
            "client": {"base_url": os.environ["DTI_BENCHMARK_URL"]},
            "resources": [{"name": "dossiers", "endpoint": endpoint}],
        }
    )

    def work() -> Any:
        pipeline.run(source, loader_file_format="parquet")
        return landed(list(map(str, target.rglob("dossiers/*.parquet"))), "ma_ho_so", given)

    return work


CONTENDERS = {"dti extract": ours, FLOOR: loop, "dlt": dlt}


@contextmanager
def portal(records: int, environment: dict[str, str]) -> Iterator[str]:
    """The portal in a process of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, str(HERE / "portal.py"), str(port), str(records)], env=os.environ | environment
    )
    try:
        for _ in range(600):
            try:
                requests.get(f"{address}/dossiers", {"since": SINCE, "page": "1", "size": "1"}, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield address
    finally:
        server.kill()
        server.wait()


def main() -> None:
    arguments = parser(__doc__, [20_000, 200_000])
    arguments.add_argument("--contenders", default=",".join(CONTENDERS), help="separated by commas")
    asked = arguments.parse_args()
    lines, figures = head("records", "records/s"), {}
    for size in asked.sizes:
        with scratch() as folder, portal(size, {"DTI_HOME": str(folder)}) as address:
            environment = {"DTI_HOME": str(folder), "DTI_BENCHMARK_URL": address}
            given = {"title": f"{size:,} records", "env": environment}
            taken = in_turn("benchmarks.extract", asked.contenders.split(","), given, asked.repeats)
        lines += rows_of(f"{size:,}", taken, FLOOR, size)
        figures[size] = taken
    publish(lines, figures, asked.json)


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
