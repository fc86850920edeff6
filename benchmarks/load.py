"""Loading facts into PostgreSQL, beside a bare COPY of the same rows into the same table.

    uv run python -m benchmarks.load 100_000 1_000_000 --json load.json

* ``load_feed``: ours. Every day compared with what it said before, so that restatements are recorded; units and
  partitions checked; the keys analysed.
* ``COPY``: the floor. The same rows from Arrow, written as CSV by Arrow, copied in one transaction; nothing else.
* ``COPY of ready text``: the same with the CSV made beforehand: what the server alone needs.
* ``INSERT``: psycopg's ``executemany``, as one writes it who knows no COPY.

Three cases: ``first`` into an empty table; ``again`` the same facts in place of the same twelve partitions, which the
bare contenders delete in the same transaction; ``changed`` the same, when every twentieth day says something else than
the table does. The facts are made up: days, units and procedures by number.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.measuring import (
    Given,
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

FEED = "online_services"
FLOOR = "COPY"
PARTITIONS = [f"2026-{month:02d}" for month in range(1, 13)]


def make_facts(count: int, path: Path | str, changed: int = 0) -> None:
    """Write ``count`` made-up facts of a year: a row for each day, unit and procedure, as far as they go.

    ``changed`` is added to the figures of every twentieth day.
    """
    import duckdb

    from dti.rollup import rollup
    from dti.settings import get_settings

    names = rollup(FEED, [], settings=get_settings()).schema.names
    more = f"CASE WHEN n % 365 % 20 = 7 THEN {changed} ELSE 0 END"
    figures = ", ".join(f"(hash(n, {place}) % 9 + {more})::BIGINT AS {name}" for place, name in enumerate(names[5:]))
    with duckdb.connect() as db:
        db.execute(
            f"""
            COPY (
                SELECT
                    strftime(DATE '2026-01-01' + (n % 365)::INTEGER, '%Y-%m') AS partition_key,
                    DATE '2026-01-01' + (n % 365)::INTEGER AS day,
                    (SELECT list(unit_id ORDER BY unit_id) FROM '{get_settings().include_dir}/reference/unit.csv'
                        WHERE geography = '34')[1 + n // 365 % 34] AS unit_id,
                    'made-up' AS source_id,
                    '1.' || lpad((n // 365 // 34)::VARCHAR, 6, '0') AS procedure_code,
                    {figures}
                FROM range({count}) AS t (n) ORDER BY ALL
            ) TO '{path}'
            """  # noqa: S608 - our own names
        )


def deliver() -> None:
    """Record a batch of the made-up source for the year's last night: only what was delivered can be restated."""
    from dti.clock import day_end, day_start, now
    from dti.gate import Verdict
    from dti.landing.batch import Manifest
    from dti.settings import get_settings
    from dti.warehouse.load import Receipt, load_feed

    night = date(2026, 12, 31)
    known = {"batch_id": "made-up.1", "feed": FEED, "source_id": "made-up", "night": night}
    manifest = Manifest(
        **known,
        agency="made up",
        synthetic=True,
        licence="synthetic",
        since=day_start(night),
        until=day_end(night),
        outcome="landed",
        rows=1,
        started_at=now(),
        finished_at=now(),
        source_hash="made-up",
        contract_hash="made-up",
    )
    verdict = Verdict(**known, status="passed", rows_landed=1, rows_passed=1, rows_quarantined=0, rules=[])
    load_feed(FEED, None, [], [Receipt(manifest=manifest, verdict=verdict)], None, settings=get_settings())


def prepared(given: Given) -> Any:
    """A connection to the warehouse, with the facts' table as the case wants it: empty, or tidy and full."""
    from dti.settings import get_settings
    from dti.warehouse import connect

    driver = connect.connect(get_settings(), "loader")
    driver.autocommit = True
    if given["case"] in ("first", "changed"):
        driver.execute(f"DELETE FROM facts.{FEED}")  # noqa: S608 - our own name
    if given["case"] == "changed":
        _copy(driver, _texts(pq.read_table(given["before"]).to_reader(max_chunksize=100_000)))
    with connect.connect(get_settings(), "owner") as owner:
        owner.autocommit = True
        owner.execute(f"VACUUM (ANALYZE) facts.{FEED}")
        owner.execute("CHECKPOINT") if _may_checkpoint(owner) else None
    driver.autocommit = False
    return driver


def _may_checkpoint(driver: Any) -> bool:
    return bool(driver.execute("SELECT pg_has_role(current_user, 'pg_checkpoint', 'member')").fetchone()[0])


def loaded(driver: Any, given: Given) -> Any:
    """What stands in the table; only when answers are compared."""
    if not given["check"]:
        return None
    query = f"SELECT count(*), sum(hashtextextended(f::text, 0))::text FROM facts.{FEED} AS f"  # noqa: S608 - our own name
    return list(driver.execute(query).fetchone())


def reader_of(given: Given) -> pa.RecordBatchReader:
    """The facts as the rollup gives them: a stream of batches."""
    table = pq.read_table(given["facts"])
    return table.to_reader(max_chunksize=100_000)


def ours(given: Given) -> Callable[[], Any]:
    from dti.settings import get_settings
    from dti.warehouse.load import load_feed

    driver, reader = prepared(given), reader_of(given)

    def work() -> Any:
        load_feed(FEED, reader, PARTITIONS, [], None, settings=get_settings())
        return loaded(driver, given)

    return work


def bare(given: Given) -> Callable[[], Any]:
    driver, reader = prepared(given), reader_of(given)
    return lambda: _copied(driver, given, _texts(reader))


def _texts(reader: pa.RecordBatchReader) -> Iterator[memoryview]:
    """The facts as Arrow writes them in CSV."""
    for batch in reader:
        text = io.BytesIO()
        pyarrow.csv.write_csv(batch, text, pyarrow.csv.WriteOptions(include_header=False))
        yield text.getbuffer()


def ready(given: Given) -> Callable[[], Any]:
    driver = prepared(given)
    parts = list(_texts(reader_of(given)))
    return lambda: _copied(driver, given, parts)


def _copied(driver: Any, given: Given, texts: Any) -> Any:
    with driver.transaction():
        _make_room(driver, given)
        _copy(driver, texts)
    return loaded(driver, given)


def _copy(driver: Any, texts: Iterable[memoryview]) -> None:
    with driver.cursor().copy(f"COPY facts.{FEED} FROM STDIN (FORMAT csv)") as sink:
        for text in texts:
            sink.write(text)


def _make_room(driver: Any, given: Given) -> None:
    if given["case"] != "first":
        driver.execute(f"DELETE FROM facts.{FEED} WHERE partition_key = ANY(%s)", [PARTITIONS])  # noqa: S608 - our own name


def inserts(given: Given) -> Callable[[], Any]:
    driver, table = prepared(given), reader_of(given).read_all()
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    marks = ", ".join(["%s"] * table.num_columns)

    def work() -> Any:
        with driver.transaction():
            _make_room(driver, given)
            driver.cursor().executemany(f"INSERT INTO facts.{FEED} VALUES ({marks})", rows)  # noqa: S608 - our own name
        return loaded(driver, given)

    return work


CONTENDERS = {"load_feed": ours, FLOOR: bare, "COPY of ready text": ready, "INSERT": inserts}


def main() -> None:
    arguments = parser(__doc__, [100_000, 1_000_000])
    arguments.add_argument("--contenders", default=",".join(CONTENDERS), help="separated by commas")
    arguments.add_argument("--insert-up-to", type=whole, default=100_000, help="facts")
    arguments.add_argument("--cases", default="first,again,changed")
    asked = arguments.parse_args()
    lines, figures = head("facts", "facts/s"), {}
    with scratch() as folder, home(folder / "home") as environment:
        for size in asked.sizes:
            say(f"making {size:,} facts")
            deliver()
            before, after = folder / f"{size}.parquet", folder / f"{size}-changed.parquet"
            make_facts(size, before)
            make_facts(size, after, changed=1)
            names = [name for name in asked.contenders.split(",") if name != "INSERT" or size <= asked.insert_up_to]
            for case in asked.cases.split(","):
                given = {
                    "title": f"{size:,} facts, {case}",
                    "facts": str(after if case == "changed" else before),
                    "before": str(before),
                    "case": case,
                    "env": environment,
                    "data_dir": data_dir(folder / "home"),
                }
                taken = in_turn("benchmarks.load", names, given, asked.repeats)
                lines += rows_of(f"{size:,} {case}", taken, FLOOR, size)
                figures[f"{size} {case}"] = taken
    publish(lines, figures, asked.json)


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
