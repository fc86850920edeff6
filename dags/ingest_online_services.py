"""### Hồ sơ dịch vụ công · dossiers of the online public services

The provinces' one-stop portals, over their paged REST APIs with OAuth2. Dossiers change state for weeks, so each
night asks for everything that changed since the last successful pull, and reaches back 45 days further.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag

from dti_airflow.ingest import DEFAULTS, HOW_IT_WORKS, ingest
from dti_airflow.notify import telling


@dag(
    schedule=CronTriggerTimetable("0 1 * * *", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "ingest", "rest"],
    doc_md=__doc__ + HOW_IT_WORKS,
    **DEFAULTS,
    **telling(feed="online_services"),
)
def ingest_online_services() -> None:
    ingest("online_services")


ingest_online_services()
