"""The calendar as Airflow runs it: when it asks, for what, and that a date that was missed is made up for."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pendulum
import pytest

from dti.clock import ZONE
from dti.errors import ConfigError

PUBLISHED_AT = datetime(2027, 8, 2, 6, tzinfo=ZONE)


@pytest.fixture
def of(installation):
    from dti_airflow.annual.dates import calendar

    return calendar()


def context(moment, year=None):
    return {"params": {"year": year}, "dag_run": SimpleNamespace(logical_date=moment)}


def scheduled(bag):
    """The DAG as the scheduler reads it back from the metadata database."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["annual_calendar"]))


def test_it_runs_on_the_publication_dates_in_vietnam_and_makes_up_for_missed_ones(bag):
    dag = scheduled(bag)
    assert [moment.astimezone(ZONE) for moment in dag.timetable.event_dates] == [PUBLISHED_AT]
    assert dag.catchup is True
    assert dag.max_active_runs == 1
    from airflow.timetables.base import TimeRestriction

    long_after = TimeRestriction(earliest=pendulum.instance(dag.start_date), latest=None, catchup=dag.catchup)
    first = dag.timetable.next_dagrun_info(last_automated_data_interval=None, restriction=long_after)
    assert first.run_after == pendulum.instance(PUBLISHED_AT)


def test_on_the_day_it_asks_for_the_year_as_the_appraisal_left_it(of):
    from dti_airflow.annual.dates import due_years, trigger

    [(entry, day)] = due_years(context(PUBLISHED_AT.astimezone(UTC)), of)
    assert trigger(entry, day) == {
        "trigger_run_id": "calendar__2026__2027-08-02",
        "conf": {
            "year": 2026,
            "framework": "922-2022",
            "geography": "34",
            "merge_method": "auto",
            "as_of": "2027-06-03T00:00:00+07:00",
            "reason": "Calendar: 2026 is published on 2027-08-02",
            "requester": "calendar",
            "door": "calendar",
        },
    }


def test_what_it_asks_for_is_what_the_form_takes(bag, of):
    from airflow.serialization.serialized_objects import DagSerialization

    from dti_airflow.annual.dates import due_years, trigger
    from dti_airflow.annual.form import asked

    [(entry, day)] = due_years(context(PUBLISHED_AT), of)
    conf = trigger(entry, day)["conf"]
    dag = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["annual_recomputation"]))
    params = dag.params.deep_merge(conf)
    params.validate()
    run = SimpleNamespace(run_id="calendar__2026__2027-08-02", triggering_user_name=None, conf=conf)
    request = asked(params.dump(), run)
    assert (request["door"], request["requester"], request["as_of"]) == ("calendar", "calendar", conf["as_of"])


def test_on_another_day_and_by_hand_without_a_year_it_asks_for_nothing(of):
    from dti_airflow.annual.dates import due_years

    assert due_years(context(datetime(2027, 8, 3, 6, tzinfo=ZONE)), of) == []
    assert due_years(context(None), of) == []


def test_by_hand_it_asks_for_a_year_and_refuses_one_that_cannot_be_computed(of):
    from dti_airflow.annual.dates import due_years

    [(entry, day)] = due_years(context(None, 2026), of)
    assert (entry.year, day.isoformat()) == (2026, "2027-08-02")
    for year, said in ((2024, "components of its framework were not found"), (2031, "does not stand there")):
        with pytest.raises(ConfigError, match=said):
            due_years(context(None, year), of)


def test_the_run_of_a_year_exists_once(bag):
    ask = bag.dags["annual_calendar"].get_task("ask")
    assert ask.partial_kwargs["skip_when_already_exists"] is True
    assert ask.partial_kwargs["trigger_dag_id"] == "annual_recomputation"
