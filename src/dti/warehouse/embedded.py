"""The embedded PostgreSQL: one server a DTI_HOME, started by whoever needs it first, stopped only on request."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import pq
from sqlalchemy import URL

from dti.errors import WarehouseError
from dti.secrets import renew, secret
from dti.settings import Settings
from dti.warehouse import cluster as files
from dti.warehouse.bootstrap import FURNISHED, bootstrap
from dti.warehouse.cluster import Cluster
from dti.warehouse.passwords import SUPERUSER, change_superuser, refuse_in_use, settle


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
    if _alive(cluster) and _furnished(ready):
        return urls
    with _locked(settings):
        if not _alive(cluster):
            files.create(cluster, secret(settings, "postgres_password"))
            _start(cluster)
        if not _furnished(ready):
            files.configure(cluster)
            _furnish(settings, cluster)
    return _urls(settings, cluster)


def _furnish(settings: Settings, cluster: Cluster) -> None:
    """Make the server as it has to be, with the passwords of the file."""
    settle(settings, _urls(settings, cluster).superuser)
    urls = _urls(settings, cluster)
    logins = (urls.owner, urls.loader, urls.analyst, urls.airflow)
    bootstrap(urls.superuser, {str(login.username): str(login.password) for login in logins})
    (cluster.folder / "ready").write_text(FURNISHED)


def furnish_again(settings: Settings) -> None:
    """Give a server whose databases were restored what every server has; repeating it changes nothing."""
    cluster = files.locate(settings)
    ensure_running(settings)
    with _locked(settings):
        (cluster.folder / "ready").unlink(missing_ok=True)
        _furnish(settings, cluster)


def rotate(settings: Settings, logins: Sequence[str]) -> None:
    """Give ``logins`` new passwords, in the server and in the file.

    The mark that the server is furnished goes first: killed anywhere after that, whoever needs the server next gives
    it the passwords that the file has by then. Raises WarehouseError while one of them has a session.
    """
    cluster = files.locate(settings)
    superuser = ensure_running(settings).superuser
    with _locked(settings):
        refuse_in_use(superuser, logins)
        (cluster.folder / "ready").unlink(missing_ok=True)
        for login in logins:
            if login == SUPERUSER:
                change_superuser(settings, superuser)
            else:
                renew(settings, f"{login}_password")
        _furnish(settings, cluster)


def _start(cluster: Cluster) -> None:
    """Start the server; what counts is that it answers, whatever ``pg_ctl`` made of a start after a crash."""
    try:
        files.start(cluster)
    except WarehouseError:
        if not _alive(cluster):
            raise


def stop(settings: Settings) -> None:
    """Stop the server if it runs; open transactions are rolled back. Raises WarehouseError when it will not stop."""
    if not (settings.local_dir / "postgres" / "data").exists():
        return
    with _locked(settings):
        cluster = files.locate(settings)
        if _alive(cluster):
            files.stop(cluster)


def is_running(settings: Settings) -> bool:
    """Whether the server of this DTI_HOME answers."""
    return (settings.local_dir / "postgres" / "data").exists() and _alive(files.locate(settings))


def _furnished(ready: Path) -> bool:
    """Whether the server has all that ``bootstrap`` gives; one made by an earlier version of it has not."""
    return ready.is_file() and ready.read_text() == FURNISHED


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
        superuser=login(SUPERUSER, "postgres"),
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
    settings.local_dir.mkdir(parents=True, exist_ok=True)
    folder = (settings.local_dir / "postgres").resolve()
    lock = folder.parent / f"{folder.name}.lock"
    with os.fdopen(os.open(Path(lock), os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
