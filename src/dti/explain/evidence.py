"""What stands behind the figures of an indicator: facts, sources, batches, quarantined records, landed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from sqlalchemy import Connection, column, func, select, table

from dti import lake
from dti.explain.held import held_back
from dti.explain.lake import Asked, count_records, fetch, lake_of
from dti.explain.landed import samples
from dti.explain.model import Batch, Evidence, Part, RunOf, Unit, Words
from dti.explain.store import Row, rows
from dti.feeds import feed_names, load_contract
from dti.lake.table import PARTITION, open_table
from dti.settings import Settings

STATED = "declarations"
"""The feed in which figures are stated instead of measured: one fact a figure, named in column ``metric``."""


def sources_of(connection: Connection, source_ids: Sequence[str]) -> dict[str, Row]:
    """What is known of these sources, freshness included. A source nobody registered is not in it."""
    found = rows(
        connection,
        """
        select
            s.source_id, s.feed, s.agency, s.owner, s.licence, s.synthetic,
            f.status as freshness, f.detail, f.last_interval_end as good_until,
            (select max(b.loaded_at) from ops.batch as b where b.source_id = s.source_id) as loaded_at
        from ops.source as s
        left join marts.feed_freshness as f using (feed, source_id)
        where s.source_id = any(:ids) order by s.source_id
        """,
        ids=list(source_ids),
    )
    return {row["source_id"]: row for row in found}


def unregistered(source_id: str, part: Part) -> Row:
    """A source of which only its name in the facts is known; it cannot vouch for itself, so it counts as made up."""
    feed = STATED if part.basis in ("declared", "appraised") else part.feed
    unknown = {"agency": "?", "owner": "?", "licence": "?", "synthetic": True, "freshness": "unknown"}
    return {"source_id": source_id, "feed": feed, **unknown, "detail": None, "good_until": None, "loaded_at": None}


def fact_rows(connection: Connection, part: Part, source: Row, unit_ids: Sequence[str], run: RunOf) -> dict[str, Any]:
    """The daily facts of one source that a part's value was taken from: how many rows, days, partitions."""
    facts = table(source["feed"], *map(column, ["day", "unit_id", "source_id", "partition_key"]), schema="facts")
    query = select(
        func.count().label("rows"),
        func.min(facts.c.day).label("first_day"),
        func.max(facts.c.day).label("last_day"),
        func.array_agg(facts.c.partition_key.distinct()).label("partitions"),
    ).where(
        facts.c.unit_id.in_(unit_ids),
        facts.c.source_id == source["source_id"],
        facts.c.day.between(part.first_day, part.last_day),
    )
    for name, value in _where(part, source["feed"], run):
        query = query.where(column(name) == value)
    found = dict(connection.execute(query).mappings().one())
    return found | {"partitions": sorted(found["partitions"] or [])}


def gather(
    connection: Connection,
    source: Row,
    parts: Sequence[Part],
    unit: Unit,
    unit_ids: Sequence[str],
    run: RunOf,
    settings: Settings,
) -> Evidence:
    """Everything one source gave to ``parts``, and what of it was held back."""
    feed, source_id = source["feed"], source["source_id"]
    contract = load_contract(feed, settings.include_dir / "feeds")
    known = [part for part in parts if source_id in part.source_ids]
    behind = [fact_rows(connection, part, source, unit_ids, run) for part in known]
    partitions = sorted({key for each in behind for key in each["partitions"]})
    # All of the period, too: a record that was held back once may have passed since in a partition without facts.
    years = {str(year) for year in range(run.period_from.year, run.period_to.year + 1)}
    kept = open_table(feed, settings)
    whole = [each[PARTITION] for each in kept.partitions() if each[PARTITION][:4] in years] if kept else []
    with (
        lake.at_hand(feed, sorted({*partitions, *whole}), settings=settings) as files,
        lake_of(feed, files, unit_ids, source_id, settings) as db,
    ):
        columns = _fact_columns(connection, feed)
        count_records(db, feed, [_asked(part, feed, columns, run) for part in known], settings)
        db.execute("delete from counted where amount is null")
        batches = _batches(connection, db)
        records = fetch(db, "select count(distinct record_no) as records from counted")[0]["records"]
        taken = samples(db, feed, source_id, settings)
        held = held_back(
            connection, db, source, [_asked(part, feed, columns, run) for part in parts], unit, unit_ids, run, settings
        )
    days = [each for each in behind if each["rows"]]
    return Evidence(
        source_id=source_id,
        feed=feed,
        feed_name=Words(vi=contract.title_vi, en=contract.title_en),
        agency=source["agency"],
        owner=source["owner"],
        licence=source["licence"],
        synthetic=source["synthetic"],
        freshness=source["freshness"] or "unknown",
        freshness_detail=source["detail"],
        good_until=source["good_until"],
        rollup_sql=f"include/sql/rollup/{feed}.sql",
        facts_rows=max((each["rows"] for each in behind), default=0),
        first_day=min((each["first_day"] for each in days), default=None),
        last_day=max((each["last_day"] for each in days), default=None),
        partitions=partitions,
        records=records,
        changed_since_run=source["loaded_at"] is not None and source["loaded_at"] > run.finished_at,
        batches=batches,
        held=held,
        samples=taken,
    )


def known_feed(feed: str, settings: Settings) -> bool:
    """Whether a feed has a contract; the calendar has none."""
    return feed in feed_names(settings.include_dir / "feeds")


def _asked(part: Part, feed: str, columns: frozenset[str], run: RunOf) -> Asked:
    where = _where(part, feed, run)
    first, last = (part.first_day or run.period_from), (part.last_day or run.period_to)
    name = "value" if where else part.metric if part.metric in columns else None
    return Asked(part.part, name, first, last, where)


def _where(part: Part, feed: str, run: RunOf) -> tuple[tuple[str, str | int], ...]:
    """What picks a stated figure among the facts of declarations; nothing for any other feed."""
    if feed != STATED:
        return ()
    basis = (("basis", part.basis),) if part.basis in ("declared", "appraised") else ()
    return (("metric", part.metric), ("period_year", run.year), *basis)


def _fact_columns(connection: Connection, feed: str) -> frozenset[str]:
    found = rows(
        connection,
        "select attname from pg_attribute where attrelid = to_regclass(:name) and attnum > 0 and not attisdropped",
        name=f"facts.{feed}",
    )
    return frozenset(row["attname"] for row in found)


def _batches(connection: Connection, db: duckdb.DuckDBPyConnection) -> list[Batch]:
    """The batches that brought the counted records in the state they have now, oldest first."""
    brought: Mapping[str, Row] = {
        row["batch_id"]: row
        for row in fetch(
            db,
            """
            select
                kept._batch_id as batch_id,
                count(*) filter (where part = 'numerator') as numerator_records,
                count(*) filter (where part = 'denominator') as denominator_records
            from counted inner join kept using (record_no) group by all
            """,
        )
    }
    known = rows(
        connection,
        """
        select batch_id, night, status, rows_landed, rows_loaded, rows_quarantined, sha256, finished_at as landed_at
        from ops.batch where batch_id = any(:ids) order by night, started_at, batch_id
        """,
        ids=list(brought),
    )
    return [
        Batch(
            **row,
            numerator_records=brought[row["batch_id"]]["numerator_records"],
            denominator_records=brought[row["batch_id"]]["denominator_records"],
        )
        for row in known
    ]
