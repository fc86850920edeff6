"""Fixtures that every room's tests may use: settings in a folder of their own, and one PostgreSQL for the whole run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dti.settings import Settings, get_settings

PROJECT = Path(__file__).resolve().parents[1]
TABLES_TO_EMPTY = """
    SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('ops', 'facts', 'method', 'score') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.oid <> 'ops.prepared'::regclass
"""


def _settings_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("DTI_WAREHOUSE_URL", "DTI_ANALYST_URL", "DTI_PSEUDONYM_KEY", "DTI_ROLLUP_ENGINE", "DTI_FRAMEWORK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DTI_PROJECT", str(PROJECT))
    monkeypatch.setenv("DTI_HOME", str(home))
    get_settings.cache_clear()
    return get_settings()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with an empty DTI_HOME of their own and no database; the environment says the same."""
    home = tmp_path / "dti"
    home.mkdir()
    yield _settings_in(home, monkeypatch)
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def postgres_home() -> Iterator[Path]:
    """A DTI_HOME whose embedded PostgreSQL runs until the end of the tests, without waiting for disks."""
    import psycopg

    from dti.warehouse import embedded

    home = Path(tempfile.mkdtemp(prefix="dti-tests-"))
    settings = Settings(project=PROJECT, home=home)
    try:
        urls = embedded.ensure_running(settings)
        superuser = urls.superuser.set(drivername="postgresql").render_as_string(False)
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
        yield home
    finally:
        embedded.stop(settings)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def warehouse(postgres_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings whose DTI_HOME is new but for the run's PostgreSQL: prepared, and empty but for reference data."""
    from sqlalchemy import text

    from dti.warehouse import connect, setup

    home = tmp_path / "dti"
    home.mkdir()
    (home / "postgres").symlink_to(postgres_home / "postgres")
    shutil.copy(postgres_home / "secrets.json", home / "secrets.json")
    settings = _settings_in(home, monkeypatch)
    setup.prepare(settings)
    with connect.engine(settings, "owner").begin() as connection:
        connection.execute(text("TRUNCATE " + connection.execute(text(TABLES_TO_EMPTY)).scalar_one()))
    yield settings
    get_settings.cache_clear()
