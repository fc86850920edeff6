"""Fixtures that every room's tests may use: settings in a folder of their own, and one PostgreSQL for the whole run."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from dti.settings import Settings, get_settings

if TYPE_CHECKING:
    from tests.builders.object_store import ObjectStore

PROJECT = Path(__file__).resolve().parents[1]
TABLES_TO_EMPTY = """
    SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('ops', 'facts', 'method', 'score', 'annual')
      AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid <> 'ops.prepared'::regclass
"""

ONE_AIRFLOW = (
    "test_scheduled_year.py",
    "test_machine_faults_scheduler.py",
    "test_scheduled_telling.py",
    "test_scheduler.py",
)
"""Files that share one running Airflow, in this order: the last of them stops it."""


class ByFile(LoadScopeScheduling):
    """A file is run by one process, and the files that share an Airflow by the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "one airflow" if file.endswith(ONE_AIRFLOW) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How tests are shared out when there are several processes."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes goes first, so that no process ends long after the others."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def place(item: pytest.Item) -> tuple[int, int]:
        if item.path.name in ONE_AIRFLOW:
            return 0, ONE_AIRFLOW.index(item.path.name)
        return (1 if item.path in slow else 2), 0

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Airflow reads its settings when first imported: whatever was collected first would set them for the DAG tests."""
    if "airflow" in sys.modules:
        raise pytest.UsageError("a test file imports Airflow while it is collected: import it in fixtures and tests")


def _settings_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in (
        "WAREHOUSE_URL",
        "ANALYST_URL",
        "SUPERUSER_URL",
        "PSEUDONYM_KEY",
        "ROLLUP_ENGINE",
        "FRAMEWORK",
        "LOCAL",
    ):
        monkeypatch.delenv(f"DTI_{name}", raising=False)
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
    from dti.warehouse.reference import keep_versions

    home = tmp_path / "dti"
    home.mkdir()
    (home / "postgres").symlink_to(postgres_home / "postgres")
    shutil.copy(postgres_home / "secrets.json", home / "secrets.json")
    settings = _settings_in(home, monkeypatch)
    setup.prepare(settings)
    with connect.engine(settings, "owner").begin() as connection:
        connection.execute(text("TRUNCATE " + connection.execute(text(TABLES_TO_EMPTY)).scalar_one()))
        keep_versions(connection)
    yield settings
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A store that speaks S3, for the whole run."""
    from tests.builders import object_store as builder

    with builder.object_store(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
def store_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has the store's key, by the environment."""
    from tests.builders.object_store import KEY, SECRET

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
