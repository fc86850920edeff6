"""### Lịch năm · the calendar of the years

Asks for the recomputation of a year on its publication date, at 06:00 in Việt Nam, as of the end of its appraisal
window. A person then approves or rejects it in `annual_recomputation`, like any other.

The dates stand in `include/annual/calendar.yml`, each with its provenance: `quoted` was read in a source, `ours` is
this project's choice and not official. A year whose framework cannot be computed is listed there and never asked for.

A date that passed while Airflow was down is made up for when it is back. By hand it takes a `year` of the calendar and
asks for it as on its date; clearing a run asks again only when the first asking left no run.
"""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Param, dag

from dti_airflow.annual.dates import DEFAULTS, calendar, due, timetable
from dti_airflow.notify import telling

CALENDAR = calendar()


@dag(
    schedule=timetable(CALENDAR),
    start_date=CALENDAR.begins_at,
    catchup=True,  # a date that passed while nothing ran still asks
    max_active_runs=1,
    params={"year": Param(None, type=["null", "integer"], title="Year", description="A year of the calendar.")},
    tags=["dti", "annual"],
    doc_md=__doc__,
    default_args=DEFAULTS,
    **telling(),
)
def annual_calendar() -> None:
    TriggerDagRunOperator.partial(
        task_id="ask",
        trigger_dag_id="annual_recomputation",
        logical_date=None,
        skip_when_already_exists=True,
        fail_when_dag_is_paused=True,
    ).expand_kwargs(due())


annual_calendar()
