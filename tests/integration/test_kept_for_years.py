"""Maintenance takes nothing that is needed; a backup, restored elsewhere, is the same warehouse and goes on alike."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dti import flow
from dti.annual.publish import publish
from dti.errors import LandingError, WarehouseError
from dti.landing import ledger
from dti.maintenance.backup import BackupError, backup, read_backup
from dti.maintenance.restore import UNFINISHED, restore
from dti.maintenance.steps import STEPS
from dti.secrets import pseudonym_key
from dti.settings import Settings, get_settings
from dti.warehouse import connect, embedded
from tests.builders.agencies import Agencies
from tests.builders.contents import contents, differences, left_over
from tests.builders.publishing import candidate
from tests.builders.two_feeds import FEEDS, Home, a_project
from tests.integration.killed_nights import night

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NIGHTS = [date(2026, 6, 24), date(2026, 6, 25)]
HERE = [name for name in STEPS if name != "airflow"]
DIGITS = """
    SELECT unit_id, indicator_code, numerator, denominator, value, points, status, basis FROM score.indicator_score
    WHERE run_id = %s ORDER BY 1, 2
"""
GRANTS = """
    SELECT n.nspname, c.relname, c.relowner::regrole::text, a.grantee::regrole::text, a.privilege_type
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, aclexplode(c.relacl) AS a
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, p.proowner::regrole::text, a.grantee::regrole::text, a.privilege_type
    FROM pg_proc AS p, aclexplode(p.proacl) AS a WHERE p.pronamespace::regnamespace::text !~ '^pg_'
    UNION ALL
    SELECT 'database', datname, datdba::regrole::text, a.grantee::regrole::text, a.privilege_type
    FROM pg_database, aclexplode(datacl) AS a
    UNION ALL
    SELECT 'schema', nspname, nspowner::regrole::text, a.grantee::regrole::text, a.privilege_type
    FROM pg_namespace, aclexplode(nspacl) AS a WHERE nspname !~ '^pg_'
    UNION ALL
    SELECT 'default', defaclnamespace::regnamespace::text, defaclrole::regrole::text, a.grantee::regrole::text,
        a.privilege_type
    FROM pg_default_acl, aclexplode(defaclacl) AS a
    UNION ALL
    SELECT 'member', roleid::regrole::text, member::regrole::text, '', '' FROM pg_auth_members
    ORDER BY 1, 2, 3, 4, 5
"""


@dataclass
class Installation:
    """One home with two nights; whatever works here works in it."""

    settings: Settings
    agencies: Agencies
    environment: dict[str, str]

    def with_settings(self, **changes: Any) -> Settings:
        return self.settings.model_copy(update=changes)


def ask(settings: Settings, question: str, *values: object) -> list[tuple[Any, ...]]:
    with connect.connect(settings, "owner") as driver:
        return driver.execute(question.encode(), values or None).fetchall()


def in_home(home: Path) -> Settings:
    os.environ["DTI_HOME"] = str(home)
    get_settings.cache_clear()
    return get_settings()


@pytest.fixture(scope="module")
def installation(agencies: Agencies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    project = a_project(tmp_path_factory.mktemp("project"))
    home = Home.prepare(project, tmp_path_factory.mktemp("kept"), agencies)
    before = dict(os.environ)
    os.environ.update(home.environment)
    get_settings.cache_clear()
    try:
        for day in NIGHTS:
            agencies.set_clock(day)
            night(day)
        yield Installation(get_settings(), agencies, home.environment)
    finally:
        embedded.stop(home.settings)
        os.environ.clear()
        os.environ.update(before)
        get_settings.cache_clear()


def as_known(settings: Settings, run_id: str, number: int) -> list[tuple[Any, ...]]:
    """The year recomputed as a run knew it, digit for digit."""
    asked = flow.annual_open(
        year=2026, reason="r", requester="q", key=f"k{number}", as_of=run_id, framework_id="922-2022", settings=settings
    )
    run = flow.annual_compute(asked["request_id"], settings=settings)["run_id"]
    digits = ask(settings, DIGITS, run)
    flow.annual_end(asked["request_id"], "withdrawn", "compared", settings=settings)
    return digits


def do(settings: Settings, steps: Sequence[str], *, dry_run: bool) -> dict[str, int]:
    return {name: STEPS[name](settings, dry_run).removed_count for name in steps}


def test_maintenance_removes_what_it_should_and_nothing_that_is_needed(
    installation: Installation, tmp_path: Path
) -> None:
    settings = installation.with_settings(
        landing_archive=tmp_path / "archive",
        landing_archive_days=31,
        lake_file_days=0,
        quality_docs_nights=1,
        log_days=7,
    )
    old = settings.home_dir / "airflow" / "logs" / "dag_id=x" / "attempt=1.log"
    old.parent.mkdir(parents=True)
    old.write_text("long ago")
    os.utime(old, (0, 0))
    (new := old.with_name("attempt=2.log")).write_text("now")
    before, run_id = contents(settings, FEEDS, NIGHTS[1]), f"night-{NIGHTS[0]}.922-2022.34"
    known = as_known(settings, run_id, 1)
    assert sum(row[-2] == "scored" for row in known) > 5

    would = do(settings, HERE, dry_run=True)
    assert would["landing"] == 4
    assert would["lake"] >= 2
    assert (would["data_docs"], would["logs"], would["runs"]) == (1, 1, 0)
    assert do(settings, HERE, dry_run=True) == would, "a dry run removes nothing"
    done = do(settings, HERE, dry_run=False)
    assert {**done, "tables": 0} == {**would, "tables": 0}
    assert {**do(settings, HERE, dry_run=True), "tables": 0} == dict.fromkeys(HERE, 0)

    assert not list(settings.landing_dir.glob("*/*/*/*.parquet"))
    assert len(list((tmp_path / "archive").glob("*/*/*/manifest.json"))) == 4
    assert (old.exists(), new.exists()) == (False, True)
    assert differences(before, contents(settings, FEEDS, NIGHTS[1])) == {}
    assert as_known(settings, run_id, 2) == known
    # A lost lake comes back from the archive too.
    shutil.rmtree(settings.lake_dir / FEEDS[0])
    assert flow.rebuild_lake(FEEDS[0], settings=settings)["facts_missing"] == 0
    assert differences(before, contents(settings, FEEDS, NIGHTS[1])) == {}

    manifest = next(m for m in ledger.manifests(settings) if m.rows)
    folder = ledger.batch_folder(manifest, settings)
    assert folder.is_relative_to(tmp_path / "archive")
    # Killed between the copy and the end of the original: in both places, it is one batch, and the next time ends it.
    shutil.copytree(folder, settings.landing_dir / manifest.feed / manifest.source_id / manifest.batch_id)
    assert len([m for m in ledger.manifests(settings) if m.batch_id == manifest.batch_id]) == 1
    assert do(settings, ["landing"], dry_run=False) == {"landing": 1}
    part = ledger.part_paths(manifest, settings)[0]
    whole = part.read_bytes()
    part.chmod(0o600)
    part.write_bytes(whole[:-1] + b"?")
    with pytest.raises(LandingError, match="checksum"):
        ledger.verify(manifest, settings)
    part.write_bytes(whole)
    # Without the archive the next test reads landing alone.
    shutil.copytree(tmp_path / "archive", settings.landing_dir, dirs_exist_ok=True)


def test_a_restored_backup_is_the_same_warehouse_and_goes_on_the_same(
    installation: Installation, tmp_path: Path
) -> None:
    settings, copy = installation.settings, tmp_path / "backup"
    publish(candidate(settings, "2021-r1"), approver="A", settings=settings)
    first = backup(copy, settings)
    batch = next(name for name in first.files if name.startswith("landing/"))
    copied = (copy / batch).stat().st_ino
    told = backup(copy, settings)
    assert (copy / batch).stat().st_ino == copied, "landing is copied by what is new"
    assert [path.name for path in copy.glob("warehouse-*")] == [told.dump]
    assert not (copy / "secrets.json").exists()

    whole = (copy / told.dump).read_bytes()
    (copy / told.dump).write_bytes(whole[:-1])
    with pytest.raises(BackupError, match="checksum"):
        read_backup(copy)
    (copy / told.dump).write_bytes(whole)
    (copy / "manifest.json").rename(tmp_path / "aside")
    with pytest.raises(BackupError, match="written last"):
        read_backup(copy)
    (tmp_path / "aside").rename(copy / "manifest.json")
    with pytest.raises(BackupError, match="already in use"):
        restore(copy, settings)

    elsewhere = in_home(tmp_path / "elsewhere")
    try:
        done = restore(copy, elsewhere)
        assert done.same_pseudonyms
        assert differences(contents(settings, FEEDS, NIGHTS[1]), contents(elsewhere, FEEDS, NIGHTS[1])) == {}
        assert ask(elsewhere, GRANTS) == ask(settings, GRANTS)
        published = "SELECT * FROM marts.published_composite_index ORDER BY publication_id, unit_id, composite_code"
        assert ask(elsewhere, published) == ask(settings, published) != []
        with connect.connect(elsewhere, "owner") as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("ALTER TABLE published.unit ADD COLUMN another text")
        with connect.connect(elsewhere, "loader") as loader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            loader.execute("DELETE FROM published.composite_index")
        night(NIGHTS[1])
        assert differences(contents(settings, FEEDS, NIGHTS[1]), contents(elsewhere, FEEDS, NIGHTS[1])) == {}
        assert left_over(elsewhere, FEEDS) == []
    finally:
        embedded.stop(elsewhere)
        in_home(settings.home_dir)


def by_url(settings: Settings, home: Path) -> Settings:
    """The server of an installation as one's own: with URLs for owner, analyst and superuser, and another home."""
    urls = embedded.ensure_running(settings)
    given = {"warehouse": urls.owner, "analyst": urls.analyst, "superuser": urls.superuser}
    for name, login in given.items():
        os.environ[f"DTI_{name.upper()}_URL"] = login.set(drivername="postgresql").render_as_string(False)
    return in_home(home)


def test_a_server_of_ones_own_is_backed_up_and_restored_by_its_superuser(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, copy = installation.settings, tmp_path / "backup"
    new = Settings(project=settings.project, home=tmp_path / "server")
    for name in ("WAREHOUSE", "ANALYST", "SUPERUSER"):
        monkeypatch.delenv(f"DTI_{name}_URL", raising=False)
    monkeypatch.setenv("DTI_PSEUDONYM_KEY", pseudonym_key(settings).decode())
    try:
        ours = by_url(settings, settings.home_dir)
        assert backup(copy, ours).embedded is False
        with pytest.raises(BackupError, match="taken of a server of one's own"):
            restore(copy, settings)

        elsewhere = by_url(new, tmp_path / "elsewhere")
        assert restore(copy, elsewhere).same_pseudonyms
        assert differences(contents(ours, FEEDS, NIGHTS[1]), contents(elsewhere, FEEDS, NIGHTS[1])) == {}
        was, now = {*ask(ours, GRANTS)}, {*ask(elsewhere, GRANTS)}
        assert was - now == set()
        # On a server of one's own the owner's login is the one that loads, so it may add publications there.
        assert {(schema, role, right) for schema, _, _, role, right in now - was} == {
            ("published", "dti_owner", "INSERT")
        }
        for change in ("ALTER TABLE published.unit ADD COLUMN another text", "DELETE FROM published.composite_index"):
            with connect.connect(elsewhere, "owner") as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(change.encode())
        night(NIGHTS[1])
        assert differences(contents(ours, FEEDS, NIGHTS[1]), contents(elsewhere, FEEDS, NIGHTS[1])) == {}
        another = by_url(new, tmp_path / "another")
        for _ in range(2):
            with pytest.raises(WarehouseError, match="already in use: it holds batches"):
                restore(copy, another)
        assert not another.home_dir.exists(), "a refused restore has begun nothing"
        elsewhere = by_url(new, elsewhere.home_dir)
        (elsewhere.home_dir / UNFINISHED).touch()  # as if it had been killed at its very end
        restore(copy, elsewhere)
        assert differences(contents(ours, FEEDS, NIGHTS[1]), contents(elsewhere, FEEDS, NIGHTS[1])) == {}
    finally:
        embedded.stop(new)
        for name in ("WAREHOUSE", "ANALYST", "SUPERUSER"):
            os.environ.pop(f"DTI_{name}_URL", None)
        in_home(settings.home_dir)
