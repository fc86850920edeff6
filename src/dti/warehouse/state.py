"""What the warehouse knows of the pipeline: sources, decided batches, the lake's version behind the facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import text

from dti.settings import Settings
from dti.sources.spec import Source
from dti.warehouse import connect, inputs
from dti.warehouse.reference import kept_aliases


def sync_sources(sources: Iterable[Source], *, unreadable: Iterable[str] = (), settings: Settings) -> None:
    """Make ops.source say what the source files say; a source without a file stays, marked as not enabled.

    ``unreadable`` names sources whose file is broken just now: they stay as they were, and are still waited for.
    """
    rows = [
        {
            "source_id": source.source,
            "feed": source.feed,
            "agency": source.agency,
            "owner": source.owner,
            "licence": source.licence,
            "synthetic": source.synthetic,
            "pool": source.pool,
            "enabled": source.enabled,
            "freshness_limit_hours": source.contract.freshness_limit_hours,
        }
        for source in sources
    ]
    with connect.engine(settings, "loader").begin() as connection:
        # Enabled means listed: sources that vanished must not be waited for.
        connection.execute(
            text("UPDATE ops.source SET enabled = false WHERE enabled AND source_id <> ALL(:listed)"),
            {"listed": [*(row["source_id"] for row in rows), *unreadable]},
        )
        if rows:
            connection.execute(
                text(
                    """
                    INSERT INTO ops.source AS s
                    (source_id, feed, agency, owner, licence, synthetic, pool, enabled, freshness_limit_hours)
                    VALUES
                    (:source_id, :feed, :agency, :owner, :licence, :synthetic, :pool, :enabled, :freshness_limit_hours)
                    ON CONFLICT (source_id) DO UPDATE SET
                        feed = excluded.feed, agency = excluded.agency, owner = excluded.owner,
                        licence = excluded.licence, synthetic = excluded.synthetic, pool = excluded.pool,
                        enabled = excluded.enabled, freshness_limit_hours = excluded.freshness_limit_hours
                    WHERE s IS DISTINCT FROM excluded
                    """
                ),
                rows,
            )


def decided_batches(feed: str, *, settings: Settings) -> set[str]:
    """Ids of the feed's batches that are recorded, whatever became of them."""
    with connect.engine(settings, "loader").connect() as connection:
        return set(
            connection.execute(text("SELECT batch_id FROM ops.batch WHERE feed = :feed"), {"feed": feed}).scalars()
        )


def nights_behind(year: int, before: date, framework_id: str, *, settings: Settings) -> list[date]:
    """Nights of ``year`` before that night with a passed batch that no nightly run of theirs knows, oldest first.

    So it is with nights that a backfill filled in: their index was never computed, or without these batches. Batches
    and runs of before loads were counted are taken as they are.
    """
    query = """
        SELECT DISTINCT b.night FROM ops.batch AS b
        WHERE b.status = 'passed' AND b.load_number > 0
            AND extract(year FROM b.night) = :year AND b.night < :before
            AND NOT EXISTS (
                SELECT FROM score.run AS r
                WHERE r.kind = 'night' AND r.framework_id = :framework_id AND r.as_of_date = b.night
                    AND r.status = 'complete'
                    AND (
                        r.data_cut_off IS NULL
                        OR EXISTS (
                            SELECT FROM score.run_input AS i
                            WHERE i.run_id = r.run_id AND i.feed = b.feed AND i.load_number >= b.load_number
                        )
                    )
            )
        ORDER BY b.night
    """
    with connect.engine(settings, "loader").connect() as connection:
        given = {"year": year, "before": before, "framework_id": framework_id}
        return list(connection.execute(text(query), given).scalars())


def lake_version(feed: str, *, settings: Settings) -> int | None:
    """The version of the feed's lake table that its facts reflect; None when it was never loaded."""
    with connect.engine(settings, "loader").connect() as connection:
        version = connection.execute(
            text("SELECT version FROM ops.lake_state WHERE feed = :feed"), {"feed": feed}
        ).scalar()
        return None if version is None else int(version)


def forget_lake(feed: str, *, settings: Settings) -> None:
    """Forget which lake version the facts reflect, so that the next load replaces all: for a lake built anew."""
    with connect.engine(settings, "loader").begin() as connection:
        connection.execute(text("DELETE FROM ops.lake_state WHERE feed = :feed"), {"feed": feed})


def keep_aliases(*, settings: Settings) -> None:
    """Keep the version of the unit aliases that batches are about to be judged with."""
    with connect.engine(settings, "loader").begin() as connection:
        inputs.keep(connection, "aliases", kept_aliases())
