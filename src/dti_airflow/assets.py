"""The assets that tie the DAGs together: one a feed, and one for what the index run writes."""

from __future__ import annotations

from airflow.sdk import Asset, AssetAlias

from dti.feeds import feed_names


def feed_asset(feed: str) -> Asset:
    """The facts of one feed in the warehouse; updated by the feed's ingest DAG, with the night in the event's extra."""
    return Asset(name=f"dti_feed_{feed}", uri=f"dti://feed/{feed}", group="dti_feed")


def feed_loaded(feed: str) -> AssetAlias:
    """What a load of the feed yields: an event of the feed's asset, or in a backfill none but at its end."""
    return AssetAlias(name=f"dti_feed_{feed}_loaded", group="dti_feed")


def feed_assets() -> list[Asset]:
    """The assets of all feeds that have a contract, by name."""
    return [feed_asset(feed) for feed in feed_names()]


INDEX = Asset(name="dti_index", uri="dti://marts/index", group="dti_index")
"""The pillar and composite indices in the marts; updated by ``compute_indices``."""

PUBLICATION = Asset(name="dti_publication", uri="dti://published", group="dti_publication")
"""The published years; updated by ``annual_recomputation``, with year, version and id in the event's extra."""
