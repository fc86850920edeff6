"""### Tính lại một năm · recompute a whole year and publish it for good

One request, three doors: the form behind *Trigger*, Airflow's REST API, and the calendar (DAG `annual_calendar`). The
command `dti annual` asks the same without Airflow. What is asked is checked before anything is computed.

1. `open` writes the request down. A year has one open request: a second one is refused and names the first.
2. `compute` rebuilds the facts as they were known and computes the candidate. The nightly facts are not touched.
3. `review` checks the candidate and writes the report: which ranks changed against the last publication and the
   latest night, and the indicators behind it.
4. `decide` waits up to 60 days for a person (*Required Actions*). Who answered, when and why is recorded.
5. `publish` makes it the next version of its year, for good, with a bundle of files; or `keep_candidate` records the
   rejection and keeps what was computed.

#### When a square is red
Its log says what is wrong and the remedy. Nothing was published, and the year is free for the next request. All steps
and refusals are in `docs/runbooks/annual-recomputation.md`.
"""

from __future__ import annotations

from airflow.sdk import dag

from dti_airflow.annual.form import form
from dti_airflow.annual.steps import DEFAULTS, recompute


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=10,  # different years side by side; the warehouse refuses a year twice
    params=form(),
    tags=["dti", "annual"],
    doc_md=__doc__,
    default_args=DEFAULTS,
)
def annual_recomputation() -> None:
    recompute()


annual_recomputation()
