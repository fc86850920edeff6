"""The warehouse as one file, by PostgreSQL's own pg_dump, and back by pg_restore."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import cluster, connect, embedded, guard
from dti.warehouse.bootstrap import close_doors
from dti.warehouse.roles import ensure_roles

PATIENCE_SECONDS = 6 * 3600
KEEPER = "dti_keeper"


def dump_warehouse(path: Path, settings: Settings) -> None:
    """Write the warehouse to ``path`` as of one moment, compressed; nights go on meanwhile.

    As the superuser where there is one, who sees the seals too. Raises WarehouseError.
    """
    draft = path.with_name(f"{path.name}.part")
    _run("pg_dump", ["--format=custom", "--create", f"--file={draft}"], _login(settings), settings)
    draft.replace(path)


def restore_warehouse(path: Path, settings: Settings) -> None:
    """Make the warehouse of a dump, roles, grants and seals included, in place of an empty one.

    With a superuser (the embedded server's, or that of ``DTI_SUPERUSER_URL``) the database is made anew, whatever it
    holds: see :func:`require_unused`. Without one it must be empty, and roles are made where our login may. Raises
    WarehouseError, also when what was published is not as it was when it was sealed.
    """
    login = _login(settings)
    if not _is_superuser(settings):
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
    if connect.is_embedded(settings):
        embedded.furnish_again(settings)
    else:
        close_doors(login)
    guard.install(settings)


def require_unused(settings: Settings) -> None:
    """Raise WarehouseError when the warehouse of a server of one's own holds batches: it is never replaced.

    Asked before a restore begins, and not when one goes on that was killed: what is there then is half of its own.
    """
    if connect.is_embedded(settings):
        return
    login = _login(settings)
    with connect.connect_url(login) as driver:
        if driver.execute("SELECT to_regclass('ops.batch')").fetchone() == (None,):
            return
        if driver.execute("SELECT FROM ops.batch LIMIT 1").fetchone() is not None:
            raise WarehouseError(
                "already in use: it holds batches",
                where=connect.server_name(login),
                remedy="restore into a new server, or have its administrator drop the database dti first",
            )


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
    return (connect.superuser_url(settings) or owner).set(database=owner.database)


def _is_superuser(settings: Settings) -> bool:
    return connect.is_embedded(settings) or connect.superuser_url(settings) is not None


def _program(name: str, settings: Settings) -> str:
    """The program that comes with the embedded server; for a server of one's own that of the PATH, if it is newer.

    PostgreSQL's programs read servers of their own version and older, never newer ones.
    """
    on_path = None if connect.is_embedded(settings) else shutil.which(name)
    try:
        own = str(cluster.program(name))
    except WarehouseError:
        if on_path is None:
            raise
        return on_path
    return on_path if on_path and _version(on_path) > _version(own) else own


def _version(program: str) -> tuple[int, ...]:
    """What ``program --version`` says, as numbers: (18, 4)."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603  # nosec B603
    found = re.search(r"(\d+(?:\.\d+)*)", told.stdout)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _run(program: str, arguments: list[str], login: URL, settings: Settings) -> None:
    """Run one of PostgreSQL's programs. Raises WarehouseError when it fails."""
    address = psycopg.conninfo.make_conninfo(
        login.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    )
    done = subprocess.run(  # noqa: S603 — PostgreSQL's own programs, our own arguments  # nosec B603
        [_program(program, settings), *arguments, f"--dbname={address}", "--no-password"],
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
