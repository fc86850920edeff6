"""Airflow's metadata database: migrated when needed, with a pool for every agency."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from dti.errors import WarehouseError
from dti.secrets import forget, known
from dti.settings import Settings
from dti.warehouse.rotation import BEFORE
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
    if not (revision := _revision(url)) or _read(note) != wanted | {"revision": revision}:
        migrate()
        create_pools(pools())
        note.write_text(json.dumps(wanted | {"revision": _revision(url)}), "utf-8")
    if known(settings, BEFORE):
        _encrypt_anew()
        forget(settings, BEFORE)


def migrate() -> None:
    """Make the tables of Airflow and of its auth manager, or bring them up to date."""
    from airflow.utils.db import initdb

    initdb()


def _encrypt_anew() -> None:
    """Have Airflow write with its new Fernet key what it has encrypted with the one before; harmless to repeat."""
    from airflow.cli.cli_parser import get_parser

    arguments = get_parser().parse_args(["rotate-fernet-key"])
    arguments.func(arguments)


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
    """The schema revision of the metadata database; None while it is empty. Raises WarehouseError when it is gone."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
            return revision
    except ProgrammingError:
        return None
    except OperationalError as fault:
        if "does not exist" not in str(fault.orig):
            raise
        raise WarehouseError(
            "Airflow's own database is gone",
            where=str(engine.url.database),
            remedy="see docs/runbooks/lost-metadata-database.md",
        ) from None
    finally:
        engine.dispose()


def _read(note: Path) -> object:
    return json.loads(note.read_text("utf-8")) if note.is_file() else None
