"""The embedded PostgreSQL: one server a DTI_HOME, started by whoever needs it first, stopped only on request."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import pq
from sqlalchemy import URL

from dti.errors import WarehouseError
from dti.secrets import secret
from dti.settings import Settings
from dti.warehouse import cluster as files
from dti.warehouse.bootstrap import bootstrap
from dti.warehouse.cluster import Cluster


@dataclass(frozen=True)
class ServerUrls:
    """Logins of one embedded server; ``airflow`` is the owner of Airflow's own database."""

    owner: URL
    loader: URL
    analyst: URL
    airflow: URL
    superuser: URL


def ensure_running(settings: Settings) -> ServerUrls:
    """The logins of this DTI_HOME's server, which runs when this returns.

    Makes, starts and furnishes it where needed; with any number of callers at once, one does it and the others wait.
    Takes a few milliseconds when it runs already. Raises WarehouseError.
    """
    cluster = files.locate(settings)
    urls = _urls(settings, cluster)
    ready = cluster.folder / "ready"
    if _alive(cluster) and ready.exists():
        return urls
    with _locked(settings):
        if not _alive(cluster):
            files.create(cluster, secret(settings, "postgres_password"))
            files.start(cluster)
        if not ready.exists():
            logins = (urls.owner, urls.loader, urls.analyst, urls.airflow)
            passwords = {str(login.username): str(login.password) for login in logins}
            bootstrap(urls.superuser, passwords)
            ready.touch()
    return urls


def stop(settings: Settings) -> None:
    """Stop the server if it runs; open transactions are rolled back. Raises WarehouseError when it will not stop."""
    if not (settings.home_dir / "postgres" / "data").exists():
        return
    with _locked(settings):
        cluster = files.locate(settings)
        if _alive(cluster):
            files.stop(cluster)


def is_running(settings: Settings) -> bool:
    """Whether the server of this DTI_HOME answers."""
    return (settings.home_dir / "postgres" / "data").exists() and _alive(files.locate(settings))


def _urls(settings: Settings, cluster: Cluster) -> ServerUrls:
    def login(user: str, database: str, driver: str = "psycopg") -> URL:
        return URL.create(
            f"postgresql+{driver}",
            username=user,
            password=secret(settings, f"{user}_password"),
            database=database,
            query={"host": str(cluster.socket_dir)},
        )

    return ServerUrls(
        owner=login("dti_owner", "dti"),
        loader=login("dti_loader", "dti"),
        analyst=login("dti_analyst", "dti"),
        airflow=login("airflow", "airflow", driver="psycopg2"),
        superuser=login("postgres", "postgres"),
    )


def _alive(cluster: Cluster) -> bool:
    """Whether the server answers; while it is starting, wait for it."""
    if not (cluster.socket_dir / ".s.PGSQL.5432").exists():
        return False
    conninfo = psycopg.conninfo.make_conninfo(host=str(cluster.socket_dir), dbname="postgres", user="postgres").encode()
    deadline = time.monotonic() + files.START_SECONDS
    while (answer := pq.PGconn.ping(conninfo)) == pq.Ping.REJECT:
        if time.monotonic() > deadline:
            raise WarehouseError("does not finish starting", where=str(cluster.data), remedy=f"read {cluster.data}/log")
        time.sleep(0.1)
    return answer == pq.Ping.OK


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """One starter at a time, across processes and threads; the kernel lets go when the holder dies."""
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    folder = (settings.home_dir / "postgres").resolve()
    lock = folder.parent / f"{folder.name}.lock"
    with os.fdopen(os.open(Path(lock), os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
