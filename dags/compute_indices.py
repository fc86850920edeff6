"""### Tính chỉ số chuyển đổi số · the eight pillar indices

Computes indicators, pillars, composites and ranks of the year to date from whatever facts the warehouse holds, as one
run in one transaction. It never waits for an agency: a source that did not answer shows as stale, and coverage tells
how much of the index is known.

Runs every night at 02:30, and once more for a night whenever one of its feeds changes later. When an earlier night of
the running year changes, the newest night is computed too: the year to date counts it in. Feeds that change between
midnight and 02:30 trigger runs too; those skip `compute`, because the 02:30 run covers them all at once. Nights of the
running year that were loaded without their index being computed, as after a backfill, are computed along with the
newest. Triggered by hand, it takes the `night` to compute. A repeated run replaces the earlier one of the same night.
Then `check` judges the night as a whole (`expectations/warehouse`): was everybody heard, is it as much as usual, do
feeds agree, do the marts add up. What fails removes nothing; it stands in `marts.night_check`. The task itself is red
only when a rule could not be judged. At the end `tell` tells people what needs them.
"""

from __future__ import annotations

from airflow.sdk import AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, dag

from dti_airflow.assets import feed_assets
from dti_airflow.index import compute_check_and_tell
from dti_airflow.ingest import DEFAULTS
from dti_airflow.notify import telling


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("30 2 * * *", timezone="Asia/Ho_Chi_Minh"), assets=AssetAny(*feed_assets())
    ),
    tags=["dti", "index"],
    doc_md=__doc__,
    **DEFAULTS,
    **telling(),
)
def compute_indices() -> None:
    compute_check_and_tell()


compute_indices()
