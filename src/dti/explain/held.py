"""What the gate held back and would have counted: the quarantined records, read as far as they can be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection

from dti.explain.find import geographies
from dti.explain.lake import Asked, count_records, fetch, lay_held
from dti.explain.model import Held, HeldRule, RunOf, Unit
from dti.explain.store import Row, rows
from dti.feeds import Contract, load_contract
from dti.gate.units import UnitDirectory, load_units
from dti.settings import Settings

LINES_READ = 20_000
"""Quarantined records read of one source; beyond it the answer says that it is not whole."""
_UNREADABLE = ("type:", "required:", "unit")
"""Rules whose rows lack what decides whether, and on which day, they would have counted."""


def held_back(
    connection: Connection,
    db: duckdb.DuckDBPyConnection,
    source: Row,
    asked: Sequence[Asked],
    unit: Unit,
    unit_ids: Sequence[str],
    run: RunOf,
    settings: Settings,
) -> Held:
    """What is in quarantine of one source, loaded before the run, of this unit or of nobody knows which.

    ``db`` holds the lake's records of the unit in ``kept``; it is used up. One record that several nights held is
    counted once, under its newest line, and not at all when it has passed since.
    """
    contract = load_contract(source["feed"], settings.include_dir / "feeds")
    directory = load_units(settings)
    stopped = rows(
        connection,
        """
        select batch_id, rows_quarantined from ops.batch
        where source_id = :source and status = 'stopped' and loaded_at <= :before
            and not exists (select from ops.released_row as r where r.batch_id = ops.batch.batch_id)
        order by batch_id
        """,
        source=source["source_id"],
        before=run.finished_at,
    )
    texts = _unit_texts(connection, source["source_id"], run)
    whose = {text: _whose(text, directory, unit_ids) for text in texts}
    wanted = [text for text, owner in whose.items() if owner != "other"]
    lines = _lines(connection, source["source_id"], run, wanted)
    told = Held(
        rules=[],
        came_later_records=0,
        other_unit_records=sum(count for text, count in texts.items() if whose[text] == "other"),
        outside_records=0,
        stopped_batches=[row["batch_id"] for row in stopped],
        stopped_records=sum(row["rows_quarantined"] for row in stopped),
        truncated=len(lines) > LINES_READ,
    )
    if not lines:
        return told
    lines = lines[:LINES_READ]
    lay_held(db, contract, _line_table(contract, lines), _unit_table(directory, wanted), unit.geography)
    later = {row["record_no"] for row in fetch(db, "select record_no from came_later")}
    db.execute("create table kept as select * from held")
    # Before the run's last day, not only between the first and last day of the facts that did arrive.
    whole = [a if a.where else replace(a, first_day=run.period_from, last_day=run.period_to) for a in asked]
    count_records(db, contract.feed, whole, settings)
    counted: dict[int, set[str]] = defaultdict(set)
    for row in fetch(db, "select record_no, part from counted where amount is not null"):
        counted[row["record_no"]].add(row["part"])
    # A fact on a day outside, or of another figure, is none of this one's; a fact without its figure might be.
    elsewhere = """
        select cast(source_id as bigint) as record_no from fact where day is not null
        except select record_no from counted where amount is null
    """
    dated = {row["record_no"] for row in fetch(db, elsewhere)}
    return _told(told, lines, later, counted, dated, whose)


def _told(
    told: Held,
    lines: list[Row],
    later: set[int],
    counted: dict[int, set[str]],
    dated: set[int],
    whose: dict[str | None, str],
) -> Held:
    by_rule: dict[str, list[tuple[Row, set[str], bool]]] = defaultdict(list)
    outside = 0
    for number, line in enumerate(lines):
        if number in later:
            continue
        parts = counted.get(number, set())
        if not parts and (number in dated or not line["rule"].startswith(_UNREADABLE)):
            outside += 1
            continue
        by_rule[line["rule"]].append((line, parts, whose[line["unit"]] == "unknown"))
    rules = [
        HeldRule(
            rule=rule,
            records=len(found),
            numerator_records=sum("numerator" in parts for _, parts, _ in found),
            denominator_records=sum("denominator" in parts for _, parts, _ in found),
            undecided_records=sum(not parts for _, parts, _ in found),
            unit_unknown_records=sum(unknown for _, _, unknown in found),
            example_batch=found[0][0]["batch_id"],
            example_row=found[0][0]["source_row"] or f"record {found[0][0]['row_number']}",
            example_reason=found[0][0]["reason"],
        )
        for rule, found in sorted(by_rule.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return told.model_copy(update={"rules": rules, "came_later_records": len(later), "outside_records": outside})


def _unit_texts(connection: Connection, source_id: str, run: RunOf) -> dict[str | None, int]:
    """How the source wrote the unit in what was held back, with how many records."""
    found = rows(
        connection,
        """
        select q.record ->> 'unit' as unit, count(distinct coalesce(q.key_text, q.source_row)) as records
        from ops.quarantine as q
        inner join ops.batch as b using (batch_id)
        where b.source_id = :source and b.loaded_at <= :before and q.row_number >= 0
        group by 1
        """,
        source=source_id,
        before=run.finished_at,
    )
    return {row["unit"]: row["records"] for row in found}


def _lines(connection: Connection, source_id: str, run: RunOf, texts: Sequence[str | None]) -> list[Row]:
    """The newest line of each held record whose unit is one of ``texts``; one more than is read, to tell."""
    if not texts:
        return []
    return rows(
        connection,
        """
        select distinct on (q.record ->> 'unit', coalesce(nullif(q.key_text, ''), q.source_row))
            q.batch_id, q.row_number, q.source_row, q.rule, q.reason, q.record, q.record ->> 'unit' as unit
        from ops.quarantine as q
        inner join ops.batch as b using (batch_id)
        where
            b.source_id = :source and b.loaded_at <= :before and q.row_number >= 0
            and (q.record ->> 'unit' = any(:texts) or (:empty and q.record ->> 'unit' is null))
        order by q.record ->> 'unit', coalesce(nullif(q.key_text, ''), q.source_row), b.night desc, b.started_at desc
        limit :most
        """,
        source=source_id,
        before=run.finished_at,
        texts=[text for text in texts if text is not None],
        empty=None in texts,
        most=LINES_READ + 1,
    )


def _whose(text: str | None, directory: UnitDirectory, unit_ids: Sequence[str]) -> str:
    found = {directory.resolve(text, geography) for geography in geographies(directory)} if text else {None}
    if found & set(unit_ids):
        return "this"
    return "unknown" if found == {None} else "other"


def _line_table(contract: Contract, lines: list[Row]) -> pa.Table:
    names = contract.landed_columns
    records: list[dict[str, Any]] = [line["record"] or {} for line in lines]
    return pa.table(
        {
            "record_no": pa.array(range(len(lines)), pa.int64()),
            **{name: pa.array([record.get(name) or None for record in records], pa.string()) for name in names},
        }
    )


def _unit_table(directory: UnitDirectory, texts: Sequence[str | None]) -> pa.Table:
    found = [
        (text, geography, unit_id)
        for text in texts
        if text is not None
        for geography in geographies(directory)
        if (unit_id := directory.resolve(text, geography))
    ]
    columns = [*zip(*found, strict=True)] or [(), (), ()]
    named = dict(zip(("unit", "geography", "unit_id"), columns, strict=True))
    return pa.table({name: pa.array(values, pa.string()) for name, values in named.items()})
