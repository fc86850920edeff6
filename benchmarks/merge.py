"""A night's changes merged into the lake of a year: does the cost follow the night, or the year?

    uv run python -m benchmarks.merge 1_000_000 5_000_000 10_000_000 --nights 1_000,10_000,100_000 --json merge.json

* ``lake.merge``: ours, one Delta commit (or a few), readers undisturbed meanwhile.
* ``touched months rewritten``: the floor. Bare DuckDB writes the months that the night touches anew: what a merge that
  rewrites whole months costs at least. No transaction, no version, no log.
* ``whole table rewritten``: the same of every month: what the night would cost without partitions.

A night's rows are dossiers of the 45 days before it (the feed's look back), four fifths of them changed and one fifth
new; with ``--spread year`` they come from every month, as when an agency restates. Dossiers are made up
(``benchmarks/made_lake.py``); each round merges a night of its own, newer than the one before.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import made_lake
from benchmarks.measuring import Given, head, in_turn, parser, publish, rows_of, say, scratch, serve, whole

FEED = made_lake.FEED
FLOOR = "touched months rewritten"
RECENT = 45 / 365
NEW = 5
"""Every so manieth row of a night is a new dossier."""


def make_year(count: int) -> None:
    """Write the lake of a year of ``count`` dossiers, month after month, as the first load does."""
    from deltalake import write_deltalake

    from dti.feeds import load_contract
    from dti.lake.table import ready_table
    from dti.settings import get_settings

    settings = get_settings()
    table = ready_table(load_contract(FEED, settings.include_dir / "feeds"), settings)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for number, first, _ in made_lake.months():
            rows = db.sql(made_lake.typed(made_lake.month_sql(number, count), settings)).to_arrow_reader(100_000)
            write_deltalake(table, rows, mode="append")
            say(f"{first:%Y-%m} of {count:,}")


def night_file(given: Given) -> Path:
    """The rows of this round's night, as the gate passes them on."""
    from dti.settings import get_settings

    settings, count, night = get_settings(), given["year_rows"], given["night_rows"]
    path = settings.home_dir / f"night-{given['spread']}-{night}-{given['round']}.parquet"
    if path.is_file():
        return path
    low = 0 if given["spread"] == "year" else int(count * (1 - RECENT))
    step = max(1, (count - low) // night)
    selects = []
    for number, _, _ in made_lake.months():
        begin, end = made_lake.month_bounds(number, count)
        first = max(begin, low)
        first += -(first - low) % step
        if first < end:
            select = made_lake.month_sql(number, count, first, end)
            selects.append(select.replace(f"range({first}, {end})", f"range({first}, {end}, {step})"))
    moment = f"TIMESTAMPTZ '{made_lake.YEAR + 1}-03-01 00:00:00+00' + INTERVAL {given['round']} HOUR"
    union = " UNION ALL ".join(f"FROM ({made_lake.typed(select, settings)})" for select in selects)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(
            f"""
            COPY (
                SELECT * REPLACE (
                    CASE WHEN row_number() OVER () % {NEW} = 0
                        THEN 'N{given["round"]}.' || dossier_id ELSE dossier_id END AS dossier_id,
                    {moment} AS updated_at, {moment} AS _landed_at, 'night-{given["round"]}' AS _batch_id
                ) FROM (FROM ({union}) LIMIT {night})
            ) TO '{path}'
            """  # noqa: S608 - our own column names
        )
    return path


def ours(given: Given) -> Callable[[], Any]:
    from dti import lake
    from dti.gate import Verdict
    from dti.settings import get_settings

    settings, path = get_settings(), night_file(given)
    rows = duckdb.read_parquet(str(path)).count("*").fetchall()[0][0]
    verdict = Verdict(
        batch_id=f"night-{given['round']}",
        feed=FEED,
        source_id="made-up",
        night=date(made_lake.YEAR, 12, 31),
        status="passed",
        rows_landed=rows,
        rows_passed=rows,
        rows_quarantined=0,
        rules=[],
        passed_files=[str(path)],
    )

    def work() -> Any:
        lake.merge(FEED, [verdict], settings=settings)
        return _fingerprint(_files(), given)

    return work


def rewritten(given: Given, everything: bool = False) -> Callable[[], Any]:
    from dti.settings import get_settings

    night, target = night_file(given), get_settings().home_dir / "rewritten"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()

    def work() -> Any:
        with duckdb.connect() as db:
            db.execute("SET TimeZone = 'UTC'")
            touched = {key for (key,) in db.execute(f"SELECT DISTINCT partition_key FROM '{night}'").fetchall()}  # noqa: S608 - our own path
            files, kept = _files(), []
            for key in sorted({_month(file) for file in files}):
                of_month = [file for file in files if _month(file) == key]
                if key not in touched and not everything:
                    kept += of_month
                    continue
                place = target / f"partition_key={key}"
                place.mkdir()
                db.execute(
                    f"""
                    COPY (
                        SELECT * FROM (
                            SELECT * FROM {_read(of_month)}
                            UNION ALL BY NAME SELECT * FROM '{night}' WHERE partition_key = '{key}'
                        )
                        QUALIFY row_number() OVER (PARTITION BY unit_id, dossier_id ORDER BY updated_at DESC) = 1
                    ) TO '{place}/0.parquet' (COMPRESSION zstd)
                    """  # noqa: S608 - our own names
                )
                kept.append(str(place / "0.parquet"))
        return _fingerprint(kept, given)

    return work


def _files() -> list[str]:
    from dti import lake
    from dti.settings import get_settings

    settings = get_settings()
    return list(lake.files(FEED, lake.changed_partitions(FEED, None, settings=settings), settings=settings))


def _month(file: str) -> str:
    return Path(file).parent.name.removeprefix("partition_key=")


def _read(files: list[str]) -> str:
    return f"read_parquet({files!r}, union_by_name = true, hive_types = {{'partition_key': VARCHAR}})"


def _fingerprint(files: list[str], given: Given) -> Any:
    """Number of rows and a fingerprint of key and newest change; only when answers are compared."""
    if not given["check"]:
        return None
    with duckdb.connect() as db:
        query = "SELECT count(*), sum(hash(unit_id, dossier_id, epoch_us(updated_at), partition_key)::HUGEINT)"
        return list(map(str, db.execute(f"{query} FROM {_read(files)}").fetchall()[0]))


CONTENDERS = {
    "lake.merge": ours,
    FLOOR: rewritten,
    "whole table rewritten": lambda given: rewritten(given, everything=True),
}


def main() -> None:
    arguments = parser(__doc__, [1_000_000, 5_000_000, 10_000_000])
    arguments.add_argument("--nights", default="1_000,10_000,100_000", help="changed rows, separated by commas")
    arguments.add_argument("--spread", choices=["recent", "year"], default="recent")
    arguments.add_argument("--contenders", default=",".join(CONTENDERS), help="separated by commas")
    asked = arguments.parse_args()
    lines, figures = head("year, night", "rows/s"), {}
    for size in asked.sizes:
        with scratch() as folder:
            environment = {"DTI_HOME": str(folder)}
            os.environ |= environment
            from dti.settings import get_settings

            get_settings.cache_clear()
            begun = time.perf_counter()
            make_year(size)
            say(f"{size:,} made in {time.perf_counter() - begun:.0f} s")
            for night in map(whole, asked.nights.split(",")):
                given = {
                    "title": f"{night:,} rows into {size:,}",
                    "year_rows": size,
                    "night_rows": night,
                    "spread": asked.spread,
                    "env": environment,
                }
                taken = in_turn("benchmarks.merge", asked.contenders.split(","), given, asked.repeats)
                lines += rows_of(f"{size:,}, {night:,}", taken, FLOOR, night)
                figures[f"{size}, {night}"] = taken
    publish(lines, figures, asked.json)


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
