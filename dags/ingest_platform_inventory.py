"""### Hệ thống thông tin và nền tảng số · inventory of systems and platforms

The provinces' information systems: hosting, cloud, security level and its approval, connection to the Government
Cloud, use of AI. A snapshot of the whole inventory each night.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag

from dti_airflow.ingest import DEFAULTS, HOW_IT_WORKS, ingest
from dti_airflow.notify import telling


@dag(
    schedule=CronTriggerTimetable("25 1 * * *", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "ingest", "inventory"],
    doc_md=__doc__ + HOW_IT_WORKS,
    **DEFAULTS,
    **telling(feed="platform_inventory"),
)
def ingest_platform_inventory() -> None:
    ingest("platform_inventory")


ingest_platform_inventory()
