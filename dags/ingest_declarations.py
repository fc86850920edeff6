"""### Số liệu kê khai và thẩm định · declared and appraised figures

Figures that no system measures: what provinces declare about themselves and what the ministry appraised, each with
its evidence. Where a figure is also measured, the framework says which one counts.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag

from dti_airflow.ingest import DEFAULTS, HOW_IT_WORKS, ingest
from dti_airflow.notify import telling


@dag(
    schedule=CronTriggerTimetable("30 1 * * *", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "ingest", "declarations"],
    doc_md=__doc__ + HOW_IT_WORKS,
    **DEFAULTS,
    **telling(feed="declarations"),
)
def ingest_declarations() -> None:
    ingest("declarations")


ingest_declarations()
