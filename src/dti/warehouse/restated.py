"""Days that say something else than they said before, recorded in the transaction of the load that changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from dti.warehouse.facts import CHANGED
from dti.warehouse.receipts import Receipt

WHOLE, FRACTIONS, DOUBLES = ("smallint", "integer", "bigint"), ("numeric",), ("real", "double precision")
_DAY = sql.SQL("source_id, unit_id, day")


@dataclass(frozen=True)
class Restated:
    """How many days (of one unit and source) a load restated, brought late or withdrew, and of which years."""

    days: int = 0
    years: tuple[int, ...] = ()


def keep_days(driver: psycopg.Connection, feed: str, partitions: list[str]) -> None:
    """Set aside what the facts of ``partitions`` say of each changed day, before this transaction replaces them.

    One row a day, unit and source, and not a copy of the facts: small, however many they are. Set aside is also the
    last day that a unit and source had sent, of those of which there is a day that had no facts.
    """
    before = _figures_of(feed, _columns(driver, feed), _changed(partitions))
    driver.execute(sql.SQL("CREATE TEMP TABLE day_before ON COMMIT DROP AS {}").format(before))
    driver.execute("ANALYZE pg_temp.day_before")
    driver.execute(sql.SQL(_SENT).format(facts=sql.Identifier("facts", feed)))


def record_restatements(
    driver: psycopg.Connection, feed: str, partitions: list[str], load_number: int, receipts: list[Receipt]
) -> Restated:
    """Write to ops.restatement every day whose facts are not those that :func:`keep_days` set aside.

    ``restated``: it had facts, and its figures or the rows behind them differ. ``withdrawn``: its facts are gone.
    ``late``: it had none, though source and unit had sent a later day. A day counts once it was over and delivered:
    when an earlier load has passed a batch of the source for that night or a later one. So neither the first load of
    a source nor the growth of its newest day is a restatement. ``receipts`` are those of this load: a day names the
    passed batches of its source among them; none, when its facts were only rolled up anew.
    """
    columns = _columns(driver, feed)
    touched = sql.SQL("{} AND ({}) IN (SELECT {} FROM changed)").format(_partitions("<>", partitions), _DAY, _DAY)
    batches: dict[str, list[str]] = {}
    for receipt in receipts:
        if receipt.verdict is not None and receipt.verdict.status == "passed":
            batches.setdefault(receipt.manifest.source_id, []).append(receipt.manifest.batch_id)
    query = sql.SQL(_RECORD).format(
        feed=feed,
        load_number=load_number,
        batches=Jsonb(batches),
        after=_figures_of(feed, columns, _changed(partitions)),
        elsewhere=_figures_of(feed, columns, touched),
    )
    days, years = driver.execute(query).fetchone() or (0, None)
    return Restated(days=days, years=tuple(years or ()))


@dataclass(frozen=True)
class _Column:
    name: str
    type: str
    is_key: bool

    @property
    def value(self) -> sql.Composable:
        """The column; a double as the 15 digits that every engine agrees on."""
        return sql.SQL("{}::numeric" if self.type in DOUBLES else "{}").format(sql.Identifier(self.name))

    @property
    def total(self) -> sql.Composable:
        """Its sum, written the same however many zeros stand behind it."""
        return sql.SQL("sum({})" if self.type in WHOLE else "trim_scale(sum({}))").format(self.value)

    @property
    def is_figure(self) -> bool:
        return self.type in (*WHOLE, *FRACTIONS, *DOUBLES) and not self.is_key


def _columns(driver: psycopg.Connection, feed: str) -> list[_Column]:
    """The columns of a feed's fact table beside day, unit, source and partition; none when there is no such table."""
    query = """
        SELECT a.attname, format_type(a.atttypid, NULL), coalesce(a.attnum = ANY (k.conkey), false)
        FROM pg_attribute AS a LEFT JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
        WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attname <> ALL ('{partition_key,day,unit_id,source_id}')
        ORDER BY a.attnum
    """
    return [_Column(*row) for row in driver.execute(query, [f"facts.{feed}"]).fetchall()]


def _partitions(same: Literal["=", "<>"], partitions: list[str]) -> sql.Composed:
    """Facts of these lake partitions, or of all others."""
    return sql.SQL("partition_key {} ({})").format(sql.SQL("= ANY" if same == "=" else "<> ALL"), partitions)


def _changed(partitions: list[str]) -> sql.Composed:
    """Facts of these lake partitions on the days that the load found changed."""
    days = sql.SQL("({}) IN (SELECT {} FROM {})").format(_DAY, _DAY, CHANGED)
    return sql.SQL("{} AND {}").format(_partitions("=", partitions), days)


def _figures_of(feed: str, columns: list[_Column], where: sql.Composable) -> sql.Composed:
    """A query: source, unit, day and ``figures``, a jsonb of figure → sum over the day's facts.

    Every numeric column is a figure; where a column ``metric`` says what the value is, each metric of a year and
    basis is one. ``rows`` counts the facts; ``content`` sums their fingerprints, in whatever order they come.
    """
    row = sql.SQL(", ").join(column.value for column in columns)
    # A record's hash is linear in its columns', and a sum of such would not see two rows swap values: hash it again.
    content = sql.SQL("sum(hashint8extended(hash_record_extended(ROW({}), 0), 0))").format(row)
    if any(column.name == "metric" for column in columns):
        template = """
            SELECT {day}, jsonb_object_agg(name, value)
                || jsonb_build_object('rows', sum(rows), 'content', sum(content)) AS figures
            FROM (
                SELECT {day}, concat_ws(' ', period_year, metric, basis) AS name, trim_scale(sum(value)) AS value,
                    count(*) AS rows, {content} AS content
                FROM {facts} WHERE {where} GROUP BY {day}, period_year, metric, basis
            ) AS stated
            GROUP BY {day}
        """
    else:
        template = """
            SELECT {day}, jsonb_build_object('rows', count(*), 'content', {content}, {sums}) AS figures
            FROM {facts} WHERE {where} GROUP BY {day}
        """
    sums = sql.SQL(", ").join(sql.SQL("{}, {}").format(c.name, c.total) for c in columns if c.is_figure)
    return sql.SQL(template).format(
        day=_DAY, content=content, sums=sums, facts=sql.Identifier("facts", feed), where=where
    )


# The last day is found once for all of them: asked for day by day it was a walk through all facts each time.
_SENT = """
CREATE TEMP TABLE sent_before ON COMMIT DROP AS
SELECT source_id, unit_id, max(day) AS last_day
FROM {facts}
WHERE (source_id, unit_id) IN (
    SELECT source_id, unit_id FROM pg_temp.changed_day AS c
    WHERE NOT EXISTS (
        SELECT FROM pg_temp.day_before AS b WHERE (b.source_id, b.unit_id, b.day) = (c.source_id, c.unit_id, c.day)
    )
)
GROUP BY source_id, unit_id
"""

# A day's facts may lie in several partitions, of which a load replaces some: figures are told over all of them.
# Figures of a day are null where it had no facts (or none with a value); content is told only when nothing else is.
# New days after the last day that source and unit had sent are no news.
_RECORD = """
WITH delivered AS (
    SELECT source_id, max(night) AS last_night FROM ops.batch
    WHERE feed = {feed} AND status = 'passed' AND load_number < {load_number} GROUP BY source_id
), after AS ({after}), compared AS MATERIALIZED (
    SELECT source_id, unit_id, day, b.figures AS was, a.figures AS became
    FROM pg_temp.day_before AS b FULL JOIN after AS a USING (source_id, unit_id, day)
    JOIN delivered USING (source_id)
    WHERE b.figures IS DISTINCT FROM a.figures AND day <= last_night
), changed AS MATERIALIZED (
    SELECT source_id, unit_id, day, was, became
    FROM compared LEFT JOIN pg_temp.sent_before USING (source_id, unit_id)
    WHERE was IS NOT NULL OR day <= last_day
), elsewhere AS ({elsewhere}), figure AS (
    SELECT source_id, unit_id, day, f.key AS name, f.value::numeric AS was, NULL::numeric AS became
    FROM changed, jsonb_each_text(changed.was) AS f
    UNION ALL
    SELECT source_id, unit_id, day, f.key, NULL, f.value::numeric FROM changed, jsonb_each_text(changed.became) AS f
    UNION ALL
    SELECT source_id, unit_id, day, f.key, f.value::numeric, f.value::numeric
    FROM elsewhere, jsonb_each_text(elsewhere.figures) AS f
), total AS (
    SELECT source_id, unit_id, day, name, trim_scale(sum(was)) AS was, trim_scale(sum(became)) AS became
    FROM figure GROUP BY source_id, unit_id, day, name
), differing AS (
    SELECT source_id, unit_id, day,
        bool_or(name = 'rows' AND was IS NOT NULL) AS had_facts,
        bool_or(name = 'rows' AND became IS NOT NULL) AS has_facts,
        jsonb_object_agg(name, jsonb_build_array(was, became))
            FILTER (WHERE was IS DISTINCT FROM became AND name <> 'content') AS sums,
        jsonb_object_agg(name, jsonb_build_array(was::text, became::text))
            FILTER (WHERE was IS DISTINCT FROM became AND name = 'content') AS content
    FROM total GROUP BY source_id, unit_id, day
), recorded AS (
    INSERT INTO ops.restatement (feed, load_number, source_id, unit_id, day, kind, changes, batch_ids)
    SELECT {feed}, {load_number}, d.source_id, d.unit_id, d.day,
        CASE WHEN NOT d.had_facts THEN 'late' WHEN NOT d.has_facts THEN 'withdrawn' ELSE 'restated' END,
        coalesce(d.sums, d.content),
        ARRAY(SELECT jsonb_array_elements_text({batches} -> d.source_id))
    FROM differing AS d LEFT JOIN pg_temp.sent_before USING (source_id, unit_id)
    WHERE coalesce(d.sums, d.content) IS NOT NULL AND (d.had_facts OR d.day < last_day)
    ORDER BY d.day, d.unit_id, d.source_id
    RETURNING day
)
SELECT count(*)::int, array_agg(DISTINCT extract(year FROM day)::int) FROM recorded
"""
