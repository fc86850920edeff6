"""The rollup of a year of dossiers, beside other ways to compute the same facts from the same files.

    uv run python -m benchmarks.rollup 1_000_000 10_000_000 100_000_000 --json rollup.json

* ``dti.rollup``: ours, the facts streamed to the end, in at most ``DTI_ROLLUP_MEMORY_LIMIT`` (2 GB).
* ``DuckDB``: the floor. The same SELECT over the same files in a DuckDB as it comes, fetched whole as Arrow.
* ``pandas``: as an analyst writes it, month by month, so that it can finish.
* ``PostgreSQL``: the same SELECT over a table loaded by COPY; the load is shown apart.
* ``Spark``: ours with ``DTI_ROLLUP_ENGINE=spark``, where that is installed.

The dossiers are made up (``benchmarks/made_lake.py``) and written once a size: 100 million take about 8 GB of disk.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks import made_lake
from benchmarks.measuring import (
    Given,
    NotHereError,
    data_dir,
    head,
    home,
    in_turn,
    parser,
    publish,
    rows_of,
    say,
    scratch,
    serve,
    whole,
)

FEED = made_lake.FEED
FLOOR = "DuckDB"


def sql_of(settings: Any) -> str:
    """The rollup as it is written, without the lines that are remarks."""
    lines = (settings.include_dir / "sql" / "rollup" / f"{FEED}.sql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


def drained(facts: pa.RecordBatchReader | pa.Table, given: Given) -> Any:
    """Number of facts; when the answers are compared, that and a fingerprint of all rows in whatever order."""
    if not given["check"]:
        return facts.num_rows if isinstance(facts, pa.Table) else sum(batch.num_rows for batch in facts)
    import duckdb

    with duckdb.connect() as db:
        db.register("facts", facts)
        names = facts.schema.names
        cast = ", ".join(
            f'"{name}"::{"DATE" if name == "day" else "VARCHAR" if place < 5 else "BIGINT"}'
            for place, name in enumerate(names)
        )
        return list(map(str, db.execute(f"SELECT count(*), sum(hash({cast})::HUGEINT) FROM facts").fetchall()[0]))  # noqa: S608 - our own column names


def ours(given: Given, engine: str = "duckdb") -> Callable[[], Any]:
    from dti.errors import DtiError
    from dti.rollup import rollup
    from dti.settings import Settings

    if engine != "duckdb":
        os.environ.setdefault("DTI_SPARK_MASTER", "local[2]")
    settings = Settings(home=given["home"], rollup_engine=engine)  # type: ignore[arg-type]
    if engine != "duckdb":
        try:  # starts its own engine, once for all
            for _ in rollup(FEED, given["files"][:1], settings=settings):
                pass
        except (DtiError, ImportError) as fault:
            raise NotHereError(f"not here: {fault}") from fault
    return lambda: drained(rollup(FEED, given["files"], settings=settings), given)


def bare(given: Given) -> Callable[[], Any]:
    import duckdb

    from dti.settings import get_settings

    query = sql_of(get_settings())

    def work() -> Any:
        with duckdb.connect() as db:
            db.execute(
                f"CREATE VIEW lake AS FROM read_parquet({given['files']!r}, hive_types = {{'partition_key': VARCHAR}})"
            )
            return drained(db.sql(query).to_arrow_table(), given)

    return work


def pandas(given: Given) -> Callable[[], Any]:
    from benchmarks.rollup_pandas import month_of_facts

    def batches() -> Iterator[pa.Table]:
        for folder, files in groupby(given["files"], lambda file: Path(file).parent):
            yield month_of_facts(folder.name.removeprefix("partition_key="), list(files))

    def work() -> Any:
        if given["check"]:
            return drained(pa.concat_tables(batches()), given)
        return sum(month.num_rows for month in batches())

    return work


def postgresql(given: Given) -> Callable[[], Any]:
    """The SELECT as it stands: it is standard SQL. The answer comes back by COPY, as text."""
    import io

    import pyarrow.csv

    from dti.settings import get_settings
    from dti.warehouse import connect

    settings = get_settings()
    driver = connect.connect(settings, "owner")
    driver.execute("SET search_path = bench")
    driver.execute("SET work_mem = '256MB'")
    driver.execute("SET jit = off")
    query = sql_of(settings)

    def work() -> Any:
        text = io.BytesIO()
        lines = 0
        with driver.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER true)".encode()) as source:
            for block in source:
                if given["check"]:
                    text.write(block)
                lines += bytes(block).count(b"\n")
        if not given["check"]:
            return lines - 1
        text.seek(0)
        kinds = pyarrow.csv.ConvertOptions(column_types={"procedure_code": pa.string(), "partition_key": pa.string()})
        return drained(pyarrow.csv.read_csv(text, convert_options=kinds), given)

    return work


def load_postgresql(files: list[str]) -> float:
    """COPY the files into ``bench.lake``; the seconds it took, ANALYZE among them."""
    import pyarrow.dataset as ds

    from dti.settings import get_settings
    from dti.warehouse import connect
    from dti.warehouse.copying import copy_batches

    settings = get_settings()
    names = made_lake.columns(settings)
    typed = ", ".join(f'"{name}" {kind}' for name, kind in names.items())
    begun = time.perf_counter()
    with connect.connect(settings, "owner") as driver:
        driver.execute("CREATE SCHEMA IF NOT EXISTS bench")
        driver.execute("DROP TABLE IF EXISTS bench.lake")
        driver.execute(f"CREATE TABLE bench.lake ({typed})".encode())
        partition = ds.partitioning(pa.schema([("partition_key", pa.string())]), flavor="hive")
        lake = ds.dataset(files, partitioning=partition)
        copy_batches(driver, ("bench", "lake"), list(names), lake.to_batches(columns=list(names)))
        driver.commit()
        driver.execute("ANALYZE bench.lake")
        driver.commit()
    return time.perf_counter() - begun


CONTENDERS = {
    "dti.rollup": ours,
    FLOOR: bare,
    "pandas": pandas,
    "PostgreSQL": postgresql,
    "Spark": lambda given: ours(given, "spark"),
}


def main() -> None:
    arguments = parser(__doc__, [1_000_000, 10_000_000, 100_000_000])
    arguments.add_argument("--contenders", default=",".join(CONTENDERS), help="separated by commas")
    arguments.add_argument("--pandas-up-to", type=whole, default=10_000_000, help="dossiers")
    arguments.add_argument("--postgresql-up-to", type=whole, default=10_000_000, help="dossiers")
    arguments.add_argument("--spark-up-to", type=whole, default=100_000_000, help="dossiers")
    arguments.add_argument("--folder", type=Path, help="keep the made-up lakes here")
    asked = arguments.parse_args()
    limits = {"pandas": asked.pandas_up_to, "PostgreSQL": asked.postgresql_up_to, "Spark": asked.spark_up_to}
    lines, figures = head("dossiers", "dossiers/s"), {}
    with scratch(asked.folder) as folder, home(folder / "home") as environment:
        from dti.settings import get_settings

        for size in asked.sizes:
            names = [name for name in asked.contenders.split(",") if size <= limits.get(name, size)]
            files, found = lake_of(size, folder), {}
            given = {
                "title": f"{size:,} dossiers",
                "files": files,
                "home": str(folder / "home"),
                "env": environment,
            }
            if "PostgreSQL" in names:
                say(f"{size:,}: loading PostgreSQL")
                spent = load_postgresql(files)
                found["PostgreSQL, the load by COPY"] = spent
                given["own"] = {"PostgreSQL": {"data_dir": data_dir(get_settings().home_dir)}}
            taken = in_turn("benchmarks.rollup", names, given, asked.repeats)
            lines += rows_of(f"{size:,}", taken, FLOOR, size)
            if found:
                lines.append(
                    f"| {size:,} | PostgreSQL, its load by COPY | | {spent:.2f} | | | {size / spent:,.0f} | | |"
                )
            figures[size] = {**taken, **found}
    publish(lines, figures, asked.json)


def lake_of(size: int, folder: Path) -> list[str]:
    """The files of a lake of ``size`` dossiers in ``folder``, made when they are not there."""
    from dti.settings import get_settings

    listed = folder / f"lake-{size}.json"
    if not listed.is_file():
        say(f"making {size:,} dossiers")
        begun = time.perf_counter()
        files = made_lake.write(size, folder / f"lake-{size}", get_settings())
        spent, disk = time.perf_counter() - begun, sum(Path(file).stat().st_size for file in files)
        say(f"made in {spent:.0f} s, {disk / 1e9:.2f} GB")
        listed.write_text(json.dumps(files), "utf-8")
    return list(json.loads(listed.read_text("utf-8")))


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
