"""### Bảo trì · weekly maintenance

Every Sunday at 05:00 in Việt Nam, when no night is at work: removes what is older than its retention and tidies tables,
step by step. A step that fails keeps no other from its work, and may be cleared alone: every step can be repeated.

* `airflow`: old runs of DAGs, their task instances, rendered fields and XComs (`airflow db clean`)
* `data_docs`, `logs`: pages and logs of long ago
* `landing`: old batches move to the archive, if there is one; nothing that landed is ever deleted
* `lake`: files that only old versions of the lake name
* `runs`: scores of nights long ago, but for month ends and what a request or a publication refers to
* `tables`: VACUUM and ANALYZE where many rows are dead

Retentions are settings: docs/maintenance.md names them. Triggered by hand with `dry_run` it only counts, as
`uv run dti maintain --dry-run` does; what each step removed stands in its return value.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag

from dti_airflow.ingest import DEFAULTS
from dti_airflow.maintenance import tidy_all
from dti_airflow.notify import telling

STEPS = ["airflow", "data_docs", "logs", "landing", "lake", "runs", "tables"]


@dag(
    schedule=CronTriggerTimetable("0 5 * * 0", timezone="Asia/Ho_Chi_Minh"),
    tags=["dti", "maintenance"],
    doc_md=__doc__,
    **DEFAULTS
    | {"params": {"dry_run": Param(False, type="boolean", title="Dry run", description="Only count, remove nothing.")}},
    **telling(in_time=timedelta(hours=4)),
)
def maintain() -> None:
    tidy_all(STEPS)


maintain()
