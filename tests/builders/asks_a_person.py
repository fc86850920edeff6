"""A DAG for tests: the project's own question to a person, and nothing else."""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag

from dti_airflow.annual.decide import NOTE, Decide


@dag(schedule=None)
def asks_a_person() -> None:
    decide = Decide(
        task_id="decide", subject="Publish?", approve="publish", reject="keep_candidate", params={"note": NOTE}
    )
    decide >> [EmptyOperator(task_id="publish"), EmptyOperator(task_id="keep_candidate")]


asks_a_person()
