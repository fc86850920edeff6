"""### Trung tâm dữ liệu · measurements of the data centres

Availability, load of processor, memory and storage, and anti-malware cover of the provinces' data centres, from their
Prometheus servers. Which PromQL is asked stands in each source's YAML.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag

from dti_airflow.ingest import DEFAULTS, HOW_IT_WORKS, ingest
from dti_airflow.notify import telling


@dag(
    schedule=CronTriggerTimetable("10 1 * * *", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "ingest", "prometheus"],
    doc_md=__doc__ + HOW_IT_WORKS,
    **DEFAULTS,
    **telling(feed="data_centre"),
)
def ingest_data_centre() -> None:
    ingest("data_centre")


ingest_data_centre()
