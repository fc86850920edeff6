"""Files of the lake that only old versions name.

What an old version is needed for is its log, which stays: changed partitions are found by comparing file names, and
runs name a version. Its files are read by nobody once the merge and the rollup that began with them have ended; what
was known earlier is rebuilt from landing (docs/decisions/0013-as-of-is-rebuilt-from-the-ledger.md).
"""

from __future__ import annotations

from dti import lake
from dti.feeds import feed_names
from dti.lake.table import open_table, table_name
from dti.maintenance.model import Tidied
from dti.settings import Settings
from dti.store import store_of
from dti.warehouse.alone import feed_alone


def vacuum(settings: Settings, dry_run: bool) -> Tidied:
    """Remove data files that no version of the last ``lake_file_days`` names, and a killed merge's leftovers.

    Waits for whoever judges or loads the feed.
    """
    count, freed = 0, 0
    for feed in feed_names(settings.include_dir / "feeds"):
        with feed_alone(feed, settings):
            table = open_table(feed, settings)
            if table is None:
                continue
            if not dry_run:
                lake.sweep(feed, settings=settings)
            there = store_of(settings).below(table_name(feed))
            hours = settings.lake_file_days * 24
            # Its log goes on naming what was removed the last time.
            named = table.vacuum(retention_hours=hours, dry_run=True, enforce_retention_duration=False)
            gone = [there[name] for each in named if (name := f"{table_name(feed)}/{each}") in there]
            count, freed = count + len(gone), freed + sum(gone)
            if gone and not dry_run:
                table.vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False)
    return Tidied("lake", count, freed, f"files that no version of the last {settings.lake_file_days} days names")
