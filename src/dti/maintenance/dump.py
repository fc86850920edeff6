"""The warehouse as one file, by PostgreSQL's own pg_dump, and back by pg_restore."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import cluster, connect, embedded, guard
from dti.warehouse.roles import ensure_roles

PATIENCE_SECONDS = 6 * 3600
KEEPER = "dti_keeper"


def dump_warehouse(path: Path, settings: Settings) -> None:
    """Write the warehouse to ``path`` as of one moment, compressed; nights go on meanwhile.

    On the embedded server as the superuser, who sees the seals too. Raises WarehouseError.
    """
    draft = path.with_name(f"{path.name}.part")
    _run("pg_dump", ["--format=custom", "--create", f"--file={draft}"], _login(settings), settings)
    draft.replace(path)


def restore_warehouse(path: Path, settings: Settings) -> None:
    """Make the warehouse of a dump, roles, grants and seals included, in place of an empty one.

    On the embedded server the database is made anew. On a server of one's own it must be empty, and roles are made
    where our login may. Raises WarehouseError, also when what was published is not as it was when it was sealed.
    """
    login = _login(settings)
    if not connect.is_embedded(settings):
        with connect.engine(settings, "owner").begin() as connection:
            ensure_roles(connection, settings)
        _run("pg_restore", ["--exit-on-error", "--single-transaction", "--no-owner", str(path)], login, settings)
        return
    postgres = login.set(database="postgres")
    with connect.connect_url(postgres) as driver:
        driver.autocommit = True
        if driver.execute("SELECT FROM pg_roles WHERE rolname = %s", [KEEPER]).fetchone() is None:
            driver.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(KEEPER)))
        name = sql.Identifier(str(login.database))
        driver.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    _run("pg_restore", ["--exit-on-error", "--create", str(path)], postgres, settings)
    _require_seal(login)
    embedded.furnish_again(settings)
    guard.install(settings)


def _require_seal(login: URL) -> None:
    """What is published looks as it did when it was sealed, before it is sealed anew."""
    with connect.connect_url(login) as driver:
        if driver.execute("SELECT to_regclass('guard.seal')").fetchone() == (None,):
            return
        broken = "SELECT FROM guard.seal WHERE fingerprint IS DISTINCT FROM guard.fingerprint()"
        if driver.execute(broken).fetchone() is not None:
            raise WarehouseError(
                "what was published does not look as it did when it was sealed",
                where="schema published",
                remedy="find out who changed it, and take an older backup",
            )


def _login(settings: Settings) -> URL:
    owner = connect.url(settings, "owner")
    if connect.is_embedded(settings):
        return embedded.ensure_running(settings).superuser.set(database=owner.database)
    return owner


def _run(program: str, arguments: list[str], login: URL, settings: Settings) -> None:
    """Run one of PostgreSQL's programs: that of the PATH on a server of one's own, else the wheel's."""
    found = None if connect.is_embedded(settings) else shutil.which(program)
    address = psycopg.conninfo.make_conninfo(
        login.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    )
    done = subprocess.run(  # noqa: S603 — PostgreSQL's own programs, our own arguments  # nosec B603
        [found or str(cluster.program(program)), *arguments, f"--dbname={address}", "--no-password"],
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGPASSWORD": str(login.password or "")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise WarehouseError(
            f"{program} failed: {' '.join(done.stderr.split())[-600:]}",
            where=connect.server_name(login),
            remedy="see that the server runs and that the program is no older than it, then repeat",
        )
