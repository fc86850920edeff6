"""The tasks of an ingest DAG: pull every source of a feed, then judge and load what arrived, once."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TaskGroup, TriggerRule, get_current_context, task
from airflow.sdk.configuration import conf

from dti.feeds import feed_names
from dti_airflow.assets import feed_asset, feed_loaded
from dti_airflow.nights import NIGHT, night_of
from dti_airflow.retries import retrying
from dti_airflow.roster import pools, roster
from dti_airflow.web import PREFIX

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

DEFAULTS: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "params": {"night": NIGHT},
    "default_args": {"owner": "data-engineering", "execution_timeout": timedelta(minutes=30), **retrying(2)},
}
"""What every DAG of this project has in common."""

HOW_IT_WORKS = """
#### How a run works
`extract` runs once a source, in the pool of its agency, so no agency is asked for more at once than its pool allows.
`gate` and `load` then run once, over whatever arrived. The night is the `night` the run was triggered with, or the
day in Việt Nam before it.

#### When a square is red
* **One `extract`**: that agency's system, and only that. Its log names source, address, fault and remedy. What others
  sent is loaded, and the index is computed and shows this source as stale. A time-out was retried; a refused secret,
  a missing file or a changed format was not, since asking again gives the same answer. After mending it, clear the
  failed `extract` *with downstream tasks*: the next pull also catches up on the nights that were missed.
* **`gate` or `load`**: our side. Nothing is half loaded; clear the task to repeat it.
* **`everyone_arrived`** does no work. It stands behind all the others so that a run in which an agency is missing
  ends as *failed*, and is not taken for a complete one.

Rows that broke a rule are no failure: they are in quarantine, each with rule and reason (`uv run dti quarantine list`).
How every batch of a night fared under every rule: [data quality](/dti/quality/); `load`'s log has the page's address.
"""


@task
def sources(feed: str, pool: str) -> list[str]:
    """Ids of the feed's sources in this pool, read when the run starts: a new YAML file needs no deployment."""
    return [entry.source_id for entry in roster(feed) if entry.pool == pool]


@task(map_index_template="{{ task.op_kwargs['source_id'] }}", execution_timeout=timedelta(hours=1), **retrying(3))
def extract(source_id: str) -> dict[str, Any]:
    """Pull one source into one landing batch; a failed fetch is recorded there too."""
    from dti import flow
    from dti_airflow.credentials import credentials_from_connection

    return flow.extract(source_id, night_of(get_current_context()), credentials_from_connection)


@task(trigger_rule=TriggerRule.ALL_DONE)
def gate(feed: str) -> dict[str, Any]:
    """Judge every batch that has landed and is not decided yet."""
    from dti import flow

    return flow.gate(feed, night_of(get_current_context()))


@task
def load(feed: str) -> dict[str, Any]:
    """Merge what passed, roll up what changed, replace those facts in one transaction, and tell the index."""
    from dti import flow

    context = get_current_context()
    night = night_of(context)
    summary = flow.load(feed, night)
    for page in summary["quality_pages"]:
        log.info("Data Docs: %s", page_url(page))
    if not more_to_come(context):
        told: dict[str, Any] = {"night": night.isoformat()} | ({"backfill": True} if is_backfill(context) else {})
        context["outlet_events"][feed_loaded(feed)].add(feed_asset(feed), extra=told)
    return summary


def page_url(page: str) -> str:
    """Where a person who is logged in reads a page of the Data Docs, whose file is ``page`` in DTI_HOME."""
    return f"{conf.get('api', 'base_url').rstrip('/')}{PREFIX}/{page.removeprefix('docs/')}"


def is_backfill(context: Context) -> bool:
    """Whether the run fills in a night of the past on someone's request."""
    return context["dag_run"].run_type == "backfill"


def more_to_come(context: Context) -> bool:
    """Whether this is a run of a backfill, and runs of any feed still wait for their turn.

    Each of them would have the index computed anew, of which only the last would stand. So they leave it to those
    that find nobody waiting, and these to see which nights are behind. The index is not lost should they fail: the
    run of 02:30 looks too.
    """
    if not is_backfill(context):
        return False
    count = context["ti"].get_dr_count
    return any(count(dag_id=f"ingest_{feed}", states=["queued"]) for feed in feed_names())


def ingest(feed: str) -> None:
    """Lay out the tasks of one feed in the DAG at hand.

    A task's pool is fixed when the DAG is parsed and cannot be mapped. So there is one group a pool, named after it,
    with its own list of sources and its own mapped ``extract``.
    """
    judged = gate(feed)
    loaded = load.override(outlets=[feed_loaded(feed)])(feed)
    everyone_arrived = EmptyOperator(task_id="everyone_arrived", trigger_rule=TriggerRule.NONE_FAILED)
    for pool in pools(feed):
        with TaskGroup(pool):
            extracted = extract.override(pool=pool).expand(source_id=sources(feed, pool))
        extracted >> [judged, everyone_arrived]
    judged >> loaded >> everyone_arrived
