"""### Danh mục thủ tục hành chính · catalogue of administrative procedures

Which procedures a province offers, and at which level they can be done online: a snapshot of the whole list each
night, over the same REST APIs as the dossiers.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag

from dti_airflow.ingest import DEFAULTS, HOW_IT_WORKS, ingest
from dti_airflow.notify import telling


@dag(
    schedule=CronTriggerTimetable("5 1 * * *", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "ingest", "rest"],
    doc_md=__doc__ + HOW_IT_WORKS,
    **DEFAULTS,
    **telling(feed="service_catalogue"),
)
def ingest_service_catalogue() -> None:
    ingest("service_catalogue")


ingest_service_catalogue()
