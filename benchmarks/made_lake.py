"""A made-up lake of dossiers, as wide as the real one, written by DuckDB at a few hundred thousand rows a second.

Nothing of it is real: each value is arithmetic on the dossier's number, so the same number gives the same row.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb

from benchmarks.measuring import say
from dti.feeds import load_contract
from dti.gate.schema import passed_schema
from dti.settings import Settings

FEED = "online_services"
FILE_ROWS = 2_000_000
"""Rows of one file: near the 100 MB at which Delta begins another."""
PROCEDURES = 300
UNITS = 34
YEAR = 2026

# A dossier's number says when it was opened; what else it says comes from scrambled numbers, so that it looks random.
# A fifth are not finished, a twentieth late; few of the procedures take most of the dossiers.
_ROWS = """
    WITH numbered AS (
        SELECT
            n,
            TIMESTAMPTZ '{first} 00:00:00+07'
                + to_microseconds(((n - {low})::HUGEINT * {month_us} // {count})::BIGINT) AS opened,
            (hash(n) % 1000003)::BIGINT AS a,
            (hash(n + 7) % 1000033)::BIGINT AS b,
            (hash(n + 77) % 1000037)::BIGINT AS c
        FROM range({start}, {stop}) AS t (n)
    ),
    dated AS (
        SELECT
            *,
            opened + to_minutes(60 + a % 600) AS received_at,
            opened + to_days((5 + a % 11)::INTEGER) AS due_at,
            CASE WHEN b % 5 > 0 THEN opened + to_hours((b % 260)::INTEGER) END AS finished_at
        FROM numbered
    ),
    named AS (
        SELECT
            'P34-' || lpad((1 + a % {units})::VARCHAR, 2, '0') AS unit_id,
            'H' || lpad(n::VARCHAR, 10, '0') AS dossier_id,
            'H' || (a % {units}) || '.' || (b % 40) AS agency_code,
            '1.' || lpad((floor({procedures} * pow((c % 100000) / 100000.0, 3)))::BIGINT::VARCHAR, 6, '0')
                AS procedure_code,
            CASE WHEN finished_at IS NULL THEN 4 ELSE 9 + b % 2 END AS status_code,
            CASE WHEN c % 20 = 0 THEN NULL ELSE 1 + c % 3 END AS channel_code,
            opened AS opened_at,
            (opened + INTERVAL 7 HOUR)::TIMESTAMP::DATE AS opened_on,
            received_at,
            (received_at + INTERVAL 7 HOUR)::TIMESTAMP::DATE AS received_on,
            due_at,
            (due_at + INTERVAL 7 HOUR)::TIMESTAMP::DATE AS due_on,
            finished_at,
            (finished_at + INTERVAL 7 HOUR)::TIMESTAMP::DATE AS finished_on,
            CASE WHEN a % 4 = 0 THEN NULL ELSE (a % 3 * 10000)::DECIMAL(28, 6) END AS fee_vnd,
            b % 3 AS online_payment_code,
            c % 2 = 0 AS has_electronic_result,
            a % 3 > 0 AS is_digitised,
            b % 7 = 0 AS reuses_data,
            c % 5 > 0 AS uses_population_data,
            CASE WHEN b % 2 = 0 THEN c % 9 > 0 END AS is_satisfied,
            a % 11 > 0 AS is_synchronised,
            CASE WHEN c % 13 = 0 THEN 1 + c % 3 ELSE 0 END AS supplement_request_count,
            1 + b % 3 AS applicant_type_code,
            md5((n % 500000)::VARCHAR) AS applicant_ref,
            coalesce(finished_at, received_at) AS updated_at,
            'made-up' AS _source_id,
            'made-up.{first}' AS _batch_id,
            TIMESTAMPTZ '{year}-12-31 19:00:00+00' AS _landed_at
        FROM dated
    )
    SELECT
        *,
        (updated_at + INTERVAL 7 HOUR)::TIMESTAMP::DATE AS updated_on,
        '{key}' AS partition_key
    FROM named
"""


def months() -> Iterator[tuple[int, date, date]]:
    """Number, first day and first day after of each month of the made-up year."""
    starts = [date(YEAR, month, 1) for month in range(1, 13)] + [date(YEAR + 1, 1, 1)]
    for number, (first, after) in enumerate(pairwise(starts)):
        yield number, first, after


def month_sql(number: int, count: int, start: int | None = None, stop: int | None = None) -> str:
    """A SELECT of the dossiers opened in one month of a year of ``count``: all of them, or those of these numbers."""
    _, first, after = list(months())[number]
    low, high = number * count // 12, (number + 1) * count // 12
    return _ROWS.format(
        first=first,
        year=YEAR,
        key=f"{first:%Y-%m}",
        low=low,
        count=max(1, high - low),
        month_us=(after - first).days * 86_400_000_000,
        start=low if start is None else start,
        stop=high if stop is None else stop,
        procedures=PROCEDURES,
        units=UNITS,
    )


def month_bounds(number: int, count: int) -> tuple[int, int]:
    """The numbers of the dossiers opened in that month."""
    return number * count // 12, (number + 1) * count // 12


def columns(settings: Settings) -> dict[str, str]:
    """Column → type in DuckDB, in the order in which the lake has them."""
    contract = load_contract(FEED, settings.include_dir / "feeds")
    with duckdb.connect() as db:
        lake = db.from_arrow(passed_schema(contract).empty_table())
        return dict(zip(lake.columns, map(str, lake.types), strict=True))


def typed(select: str, settings: Settings) -> str:
    """That SELECT with the lake's columns in the lake's types."""
    casts = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns(settings).items())
    return f"SELECT {casts} FROM ({select})"  # noqa: S608 - our own column names


def write(count: int, folder: Path, settings: Settings) -> list[str]:
    """Write a year of ``count`` dossiers under ``folder`` as ``partition_key=YYYY-MM/n.parquet``; the files."""
    pieces: list[tuple[Path, str]] = []
    for number, first, _ in months():
        low, high = month_bounds(number, count)
        place = folder / f"partition_key={first:%Y-%m}"
        place.mkdir(parents=True, exist_ok=True)
        for piece, start in enumerate(range(low, high, FILE_ROWS)):
            select = month_sql(number, count, start, min(start + FILE_ROWS, high))
            pieces.append((place / f"{piece:03d}.parquet", typed(select, settings)))
    with duckdb.connect() as db, ThreadPoolExecutor(2) as workers:
        db.execute("SET TimeZone = 'UTC'")
        for number, path in enumerate(workers.map(lambda each: _write_one(db, *each), pieces), 1):
            if number % 10 == 0:
                say(f"{number} of {len(pieces)} files, {path.stat().st_size / 2**20:.0f} MiB the last")
    return [str(path) for path, _ in pieces]


def _write_one(db: duckdb.DuckDBPyConnection, path: Path, select: str) -> Path:
    with db.cursor() as own:
        own.execute(
            f"COPY (SELECT * EXCLUDE (partition_key) FROM ({select})) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608 - our own column names
        )
    return path
