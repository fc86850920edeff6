"""Which records stand behind facts: the rollup is asked again, with every record as a source of its own.

A rollup's rows say which source they come from. With each record named as its own source, the same SQL file says
what each single record gives to each fact, so nothing of a feed's rules is repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from dti.errors import DtiError
from dti.feeds import Contract, load_contract
from dti.gate.casts import cast, identifier, literal, local_day, partition_key
from dti.gate.schema import derived_days
from dti.rollup.files import lake_columns, sql_path
from dti.settings import Settings

_ME = "record"


@dataclass(frozen=True)
class Asked:
    """What counts for one part of an indicator: a column of the feed's facts within days, and what it must equal.

    ``column`` None: any fact counts, as for things that are counted apart.
    """

    part: str
    column: str | None
    first_day: date
    last_day: date
    where: tuple[tuple[str, str | int], ...] = ()


@contextmanager
def lake_of(
    feed: str, files: Sequence[str], unit_ids: Sequence[str], source_id: str, settings: Settings
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with table ``kept``: the lake's records of these units from one source, numbered ``record_no``."""
    contract = load_contract(feed, settings.include_dir / "feeds")
    with _duckdb(settings) as db:
        columns = lake_columns(contract)
        db.execute(f"create view whole as {_empty(columns)}{_read(files)}")
        db.execute(
            "create table kept as select row_number() over () as record_no, * from whole"
            " where unit_id = any($1) and _source_id = $2",
            [list(unit_ids), source_id],
        )
        yield db


def count_records(db: duckdb.DuckDBPyConnection, feed: str, asked: Sequence[Asked], settings: Settings) -> None:
    """Table ``counted``: record_no, part, amount, day, for every record of ``kept`` that gives a fact to a part.

    An amount is null where the fact is there and its figure is not.

    Raises DtiError when the rollup fails.
    """
    path = sql_path(feed, settings)
    db.execute(
        "create or replace view lake as"
        " select * exclude (record_no) replace (cast(record_no as varchar) as _source_id) from kept"
    )
    try:
        db.execute(f"create or replace table fact as {path.read_text('utf-8')}")
    except duckdb.Error as fault:
        raise DtiError(f"the rollup cannot be asked again: {fault}", where=str(path), remedy="mend the SQL") from fault
    db.execute("create or replace table counted (record_no bigint, part varchar, amount double, day date)")
    for each in asked:
        amount = f"cast({identifier(each.column)} as double)" if each.column else "1"
        equal = "".join(f" and {identifier(name)} = {_literal(value)}" for name, value in each.where)
        db.execute(
            f"insert into counted select cast(source_id as bigint), $1, sum({amount}), max(day) from fact"
            f" where day between $2 and $3{equal} group by source_id",
            [each.part, each.first_day, each.last_day],
        )
        # A zero adds nothing to a count, so such a record is not behind it. It is where the zero is the statement
        # itself: a stated figure, or a figure that other records of the feed are silent about.
        if not each.where and _all_speak(db, amount, each):
            db.execute("delete from counted where part = $1 and amount = 0", [each.part])


def _all_speak(db: duckdb.DuckDBPyConnection, amount: str, asked: Asked) -> bool:
    silent = f"select 1 from fact where day between $1 and $2 and {amount} is null limit 1"
    return not db.execute(silent, [asked.first_day, asked.last_day]).fetchall()


def lay_held(
    db: duckdb.DuckDBPyConnection, contract: Contract, lines: pa.Table, units: pa.Table, geography: str
) -> None:
    """Turn quarantined lines into table ``kept`` as far as they can be read, with what the lake has of their keys.

    ``lines``: record_no and the landed columns, as text. ``units``: text, geography, unit_id. A text without a day
    is taken in ``geography``. The former ``kept`` stays as ``known``; ``kept`` gains no record whose key is there.
    """
    db.execute("alter table kept rename to known")
    db.register("held_lines", lines)
    db.register("held_units", units)
    values = ", ".join(f"{cast(identifier(n), c.type)} as {identifier(n)}" for n, c in contract.columns.items())
    days = "".join(f", {local_day(identifier(s))} as {identifier(d)}" for d, s in derived_days(contract).items())
    day = identifier(contract.day_column)
    in_force = (
        f"case when dated.{day} is null then {literal(geography)} when dated.{day} < date '2025-07-01' then '63'"
        " else '34' end"
    )
    names = ", ".join(
        f"cast({identifier(n)} as {kind}) as {identifier(n)}" for n, kind in lake_columns(contract).items()
    )
    db.execute(f"""
        create table held as
        with readable as (select record_no, unit as unit_text, {values} from held_lines),
        dated as (select *{days} from readable),
        placed as (
            select
                dated.*,
                coalesce(held_units.unit_id, '?') as unit_id,
                {partition_key(contract, day)} as partition_key,
                '' as _source_id,
                '' as _batch_id,
                cast(null as timestamptz) as _landed_at
            from dated
            left join held_units on held_units.unit = unit_text and held_units.geography = {in_force}
        )
        select record_no, {names} from placed
    """)
    same = " and ".join(f"known.{identifier(k)} = held.{identifier(k)}" for k in contract.key)
    db.execute(f"create table came_later as select record_no from held where exists (from known where {same})")


def fetch(db: duckdb.DuckDBPyConnection, sql: str, known: Sequence[object] = ()) -> list[dict[str, Any]]:
    """Rows of a DuckDB query by name."""
    found = db.execute(sql, list(known)).fetchall()
    names = [column[0] for column in db.description or []]
    return [dict(zip(names, row, strict=True)) for row in found]


@contextmanager
def _duckdb(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    spill = str(settings.local_dir / "tmp" / "duckdb")
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.rollup_memory_limit,
        "temp_directory": spill,
        "autoinstall_known_extensions": False,
    }
    (settings.local_dir / "tmp").mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config=config) as db:
        db.execute("set enable_progress_bar = false")
        db.execute("set TimeZone = 'UTC'")
        yield db


def _empty(columns: dict[str, str]) -> str:
    return f"select {', '.join(f'cast(null as {kind}) as {identifier(n)}' for n, kind in columns.items())} where false"


def _read(files: Sequence[str]) -> str:
    if not files:
        return ""
    return (
        f" union all by name from read_parquet([{', '.join(map(literal, files))}], union_by_name = true,"
        " hive_partitioning = true, hive_types = {'partition_key': varchar})"
    )


def _literal(value: str | int) -> str:
    return literal(value) if isinstance(value, str) else str(int(value))
