"""Airflow's metadata database: migrated when needed, with a pool for every agency."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from dti.settings import Settings
from dti_airflow.environment import airflow_environment, airflow_home, write_password_file
from dti_airflow.roster import pools

POOL_SLOTS = 2


def prepare_metadata(settings: Settings) -> None:
    """Put Airflow's variables into this process's environment, migrate its metadata and create missing pools.

    Needs a running PostgreSQL. Cheap when nothing changed: importing Airflow takes seconds, so what was done is noted
    and compared with the database first.
    """
    environment = airflow_environment(settings)
    os.environ.update(environment)
    write_password_file(settings)
    url = environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    note = airflow_home(settings) / "prepared.json"
    wanted = {"airflow": version("apache-airflow-core"), "pools": pools()}
    if (revision := _revision(url)) and _read(note) == wanted | {"revision": revision}:
        return
    from airflow.utils.db import initdb

    initdb()
    create_pools(pools())
    note.write_text(json.dumps(wanted | {"revision": _revision(url)}), "utf-8")


def create_pools(names: list[str]) -> None:
    """Create the pools that are missing, two slots each. A pool that exists keeps the size an operator gave it."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    with create_session() as session:
        for name in names:
            if Pool.get_pool(name, session=session) is None:
                Pool.create_or_update_pool(
                    name,
                    slots=POOL_SLOTS,
                    description="How many pulls this agency bears at once",
                    include_deferred=True,
                    session=session,
                )


def _revision(url: str) -> str | None:
    """The schema revision of the metadata database; None while it is empty."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
            return revision
    except ProgrammingError:
        return None
    finally:
        engine.dispose()


def _read(note: Path) -> object:
    return json.loads(note.read_text("utf-8")) if note.is_file() else None
