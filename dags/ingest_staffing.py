"""### Nhân lực · staff for digital transformation

Counts of staff and their training, from workbooks that the departments of home affairs leave in a drop folder. The
workbooks arrive a few times a year; on other nights they are simply read again.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag

from dti_airflow.ingest import DEFAULTS, HOW_IT_WORKS, ingest
from dti_airflow.notify import telling


@dag(
    schedule=CronTriggerTimetable("15 1 * * *", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "ingest", "tabular"],
    doc_md=__doc__ + HOW_IT_WORKS,
    **DEFAULTS,
    **telling(feed="staffing"),
)
def ingest_staffing() -> None:
    ingest("staffing")


ingest_staffing()
