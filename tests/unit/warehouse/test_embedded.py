from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from dti.settings import Settings
from dti.warehouse import connect, embedded
from dti.warehouse.embedded import ServerUrls

START = "from dti.settings import Settings; from dti.warehouse import embedded; embedded.ensure_running(Settings())"


@pytest.fixture(scope="module")
def own() -> Iterator[Settings]:
    """A server of this module's own, started by three processes at once that are gone when the tests begin."""
    home = Path(tempfile.mkdtemp(prefix="dti-embedded-"))
    settings = Settings(home=home)
    environment = {**os.environ, "DTI_HOME": str(home)}
    try:
        with ThreadPoolExecutor(3) as pool:
            runs = [
                pool.submit(
                    subprocess.run, [sys.executable, "-c", START], env=environment, capture_output=True, text=True
                )
                for _ in range(3)
            ]
            assert [(run.result().returncode, run.result().stderr) for run in runs] == [(0, "")] * 3
        yield settings
    finally:
        embedded.stop(settings)
        shutil.rmtree(home, ignore_errors=True)


def _ask(login: URL, question: str) -> object:
    with connect.connect_url(login) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def test_the_server_survives_those_who_started_it(own: Settings) -> None:
    assert embedded.is_running(own)
    urls = embedded.ensure_running(own)
    for login in (urls.owner, urls.loader, urls.analyst):
        assert _ask(login, "SELECT current_user || '@' || current_database()") == f"{login.username}@dti"
    assert make_url(connect.metadata_url(own)).drivername == "postgresql+psycopg2"
    assert (
        _ask(
            urls.airflow,
            "SELECT current_database() || pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()",
        )
        == "airflowairflow"
    )


def test_nobody_gets_in_without_the_right_password(own: Settings) -> None:
    urls = embedded.ensure_running(own)
    for login in (urls.superuser, urls.owner, urls.analyst):
        for wrong in (None, "", "postgres"):
            attempt = URL.create(
                "postgresql", username=login.username, password=wrong, database=login.database, query=login.query
            )
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(attempt.render_as_string(False), passfile="/dev/null")
    methods = _ask(urls.superuser, "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules")
    assert methods == "scram-sha-256"


def test_each_login_stays_in_its_own_database(own: Settings) -> None:
    urls = embedded.ensure_running(own)
    for login, elsewhere in ((urls.analyst, "airflow"), (urls.airflow, "dti")):
        attempt = login.set(drivername="postgresql", database=elsewhere)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(attempt.render_as_string(False))


def test_it_listens_on_no_port_and_its_settings_are_safe(own: Settings) -> None:
    login = embedded.ensure_running(own).superuser
    shown = {
        name: _ask(login, f"SHOW {name}")
        for name in ("listen_addresses", "fsync", "synchronous_commit", "max_connections")
    }
    assert shown == {"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "max_connections": "200"}
    assert _ask(login, "SHOW data_checksums") == "on"
    assert (own.home_dir / "postgres").stat().st_mode & 0o077 == 0


def test_a_killed_server_comes_back_with_its_data(own: Settings) -> None:
    login = embedded.ensure_running(own).owner
    with connect.connect_url(login) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.kept AS SELECT 42 AS value")
    os.kill(_pid(own), signal.SIGKILL)
    assert _ask(embedded.ensure_running(own).owner, "SELECT value FROM public.kept") == 42


def test_a_lock_whose_process_number_went_to_another_program_is_no_obstacle(own: Settings) -> None:
    embedded.ensure_running(own)
    lock = own.home_dir / "postgres" / "data" / "postmaster.pid"
    held = lock.read_text().splitlines()
    embedded.stop(own)
    with subprocess.Popen(["sleep", "60"], user=lock.parent.stat().st_uid) as other:
        lock.write_text("\n".join([str(other.pid), *held[1:]]) + "\n")
        try:
            assert _ask(embedded.ensure_running(own).owner, "SELECT 1") == 1
        finally:
            other.kill()


def _pid(own: Settings) -> int:
    return int((own.home_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def test_stop_leaves_no_process_and_start_finds_all_again(own: Settings) -> None:
    urls: ServerUrls = embedded.ensure_running(own)
    pid = _pid(own)
    embedded.stop(own)
    assert not embedded.is_running(own)
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or ") Z " in state.read_text()
    embedded.stop(own)
    assert embedded.ensure_running(own) == urls
    assert _ask(urls.owner, "SELECT 1") == 1


def test_no_password_is_in_any_file_but_the_secrets(own: Settings) -> None:
    urls = embedded.ensure_running(own)
    words = [
        str(login.password).encode() for login in (urls.superuser, urls.owner, urls.loader, urls.analyst, urls.airflow)
    ]
    for path in own.home_dir.rglob("*"):
        if (
            path.is_file()
            and path.name != "secrets.json"
            and (path.suffix in {".log", ".conf", ".pid", ".opts"} or "log" in path.parts)
        ):
            assert not any(word in path.read_bytes() for word in words), path


def test_a_long_home_keeps_its_socket_where_it_fits(settings: Settings) -> None:
    deep = settings.home_dir / ("deep" * 20) / "home"
    deep.mkdir(parents=True)
    far = Settings(home=deep)
    try:
        assert _ask(embedded.ensure_running(far).owner, "SELECT 1") == 1
        socket_dir = Path(str(embedded.ensure_running(far).owner.query["host"]))
        assert socket_dir.parent == Path(tempfile.gettempdir())
        assert socket_dir.stat().st_mode & 0o077 == 0
    finally:
        embedded.stop(far)
    shutil.rmtree(socket_dir)
