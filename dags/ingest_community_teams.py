"""### Tổ công nghệ số cộng đồng · community digital technology teams

Teams, members and training by commune, from workbooks and CSV files in a drop folder. They arrive a few times a year;
on other nights they are simply read again.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag

from dti_airflow.ingest import DEFAULTS, HOW_IT_WORKS, ingest
from dti_airflow.notify import telling


@dag(
    schedule=CronTriggerTimetable("20 1 * * *", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "ingest", "tabular"],
    doc_md=__doc__ + HOW_IT_WORKS,
    **DEFAULTS,
    **telling(feed="community_teams"),
)
def ingest_community_teams() -> None:
    ingest("community_teams")


ingest_community_teams()
