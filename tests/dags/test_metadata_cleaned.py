"""Airflow's own database forgets what is older than its retention, and nothing that is newer."""

from __future__ import annotations

import os
from datetime import timedelta
from unittest.mock import patch

from sqlalchemy import create_engine, text

from dti import clock
from dti.maintenance import metadata
from dti.settings import get_settings

EVENTS = "select event from log where event like 'kept-%' order by event"


def test_what_is_older_than_the_retention_goes_and_is_counted(installation: dict[str, str]) -> None:
    database = create_engine(installation["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    now, settings = clock.now(), get_settings()
    with database.begin() as connection:
        for name, more_days in (("kept-new", -2), ("kept-old", 2)):
            connection.execute(
                text("insert into log (dttm, event, owner) values (:at, :event, 'test')"),
                {"at": now - timedelta(days=settings.airflow_run_days + more_days), "event": name},
            )
    # In a task, this address is one that leads nowhere.
    with patch.dict(os.environ, {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "airflow-db-not-allowed:///"}):
        done = metadata.clean(settings, False)
    assert done.removed_count == 1
    with database.connect() as connection:
        assert list(connection.execute(text(EVENTS)).scalars()) == ["kept-new"]
    database.dispose()
