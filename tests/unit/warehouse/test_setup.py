from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from dti.errors import ConfigError, WarehouseError
from dti.settings import Settings, get_settings
from dti.warehouse import connect, embedded, migrate, setup
from dti.warehouse.query import run_select
from dti.warehouse.roles import ensure_roles

BARE = """
    SELECT n.nspname || '.' || c.relname || coalesce('.' || a.attname, '')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT 0 AS attnum, NULL AS attname
        UNION ALL SELECT attnum, attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    ) AS a
    WHERE n.nspname IN ('ref', 'ops', 'facts', 'method', 'score', 'marts') AND c.relkind IN ('r', 'p', 'v', 'm')
      AND CASE a.attnum WHEN 0 THEN obj_description(c.oid, 'pg_class') ELSE col_description(c.oid, a.attnum) END IS NULL
"""
SHAPE = """
    SELECT table_schema, table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema IN ('ref', 'ops', 'facts', 'method', 'score', 'marts') ORDER BY 1, 2, 3
"""


def rows(settings: Settings, question: str) -> list[tuple[object, ...]]:
    with connect.engine(settings, "owner").connect() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


@pytest.fixture
def elsewhere(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A server of one's own: an empty database, an owner's URL, and an analysts' login that does not exist yet."""
    urls = embedded.ensure_running(warehouse)
    with connect.connect_url(urls.superuser) as connection:
        connection.autocommit = True
        connection.execute("DROP DATABASE IF EXISTS elsewhere")
        connection.execute("CREATE DATABASE elsewhere OWNER dti_owner")
    owner = urls.owner.set(drivername="postgresql", database="elsewhere")
    analyst = URL.create("postgresql", "reader", "reads-only", database="elsewhere", query=owner.query)
    monkeypatch.setenv("DTI_WAREHOUSE_URL", owner.render_as_string(False))
    monkeypatch.setenv("DTI_ANALYST_URL", analyst.render_as_string(False))
    get_settings.cache_clear()
    yield get_settings()
    with connect.connect_url(urls.superuser) as connection:
        connection.autocommit = True
        connection.execute("ALTER ROLE dti_owner NOCREATEROLE")
        connection.execute("DROP DATABASE elsewhere WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS reader")


def test_every_table_and_column_says_what_it_is(warehouse: Settings) -> None:
    assert rows(warehouse, BARE) == []
    assert len(rows(warehouse, SHAPE)) > 200


def test_preparing_again_is_quick_and_touches_nothing(warehouse: Settings) -> None:
    before = rows(warehouse, "SELECT oid, xmin FROM pg_class WHERE relnamespace = 'marts'::regnamespace ORDER BY 1")
    started = time.perf_counter()
    setup.prepare(warehouse)
    assert time.perf_counter() - started < 1
    assert (
        rows(warehouse, "SELECT oid, xmin FROM pg_class WHERE relnamespace = 'marts'::regnamespace ORDER BY 1")
        == before
    )


def test_many_may_prepare_at_once(elsewhere: Settings) -> None:
    _allow_roles(elsewhere)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(setup.prepare, [elsewhere] * 4)) == [None] * 4
    assert rows(elsewhere, "SELECT count(*)::int FROM ref.unit") == [(193,)]


def test_the_schema_goes_up_from_nothing_and_down_and_up_again(elsewhere: Settings) -> None:
    _allow_roles(elsewhere)
    setup.prepare(elsewhere)
    shape = rows(elsewhere, SHAPE)
    assert shape
    with connect.engine(elsewhere, "owner").begin() as connection:
        migrate.downgrade(connection, "base")
    assert rows(elsewhere, SHAPE) == []
    assert rows(elsewhere, "SELECT nspname FROM pg_namespace WHERE nspname IN ('ref', 'ops', 'facts', 'marts')") == []
    setup.prepare(elsewhere)
    assert rows(elsewhere, SHAPE) == shape


def test_facts_of_before_are_laid_by_year_without_losing_a_row_and_back(elsewhere: Settings) -> None:
    _allow_roles(elsewhere)
    database = connect.engine(elsewhere, "owner")
    kept = "SELECT day, sum(value)::int FROM facts.declarations GROUP BY day ORDER BY day"
    reported = "SELECT day, sum(facts_count)::int FROM ops.reported GROUP BY day ORDER BY day"
    days = ["1999-12-31", "2024-12-31", "2025-01-01", "2026-03-01"]
    with database.begin() as connection:
        ensure_roles(connection, elsewhere)
        migrate.upgrade(connection, "0006")
        for number, day in enumerate(days):
            connection.execute(
                text(
                    "INSERT INTO facts.declarations"
                    " (partition_key, day, unit_id, source_id, period_year, metric, basis, value)"
                    " SELECT left(:day, 7), cast(:day as date), 'P34-66', 's' || n, 2025, 'm', 'declared', :value"
                    " FROM generate_series(0, :value) AS n"
                ),
                {"day": day, "value": number},
            )
    before = rows(elsewhere, kept), rows(elsewhere, reported)
    assert [facts for _, facts in before[1]] == [1, 2, 3, 4]
    setup.prepare(elsewhere)
    assert (rows(elsewhere, kept), rows(elsewhere, reported)) == before
    parts = rows(elsewhere, "SELECT DISTINCT tableoid::regclass::text FROM facts.declarations ORDER BY 1")
    assert [part.removeprefix("facts.declarations_") for (part,) in parts] == ["2024", "2025", "2026", "other"]
    assert rows(elsewhere, BARE) == []
    with database.begin() as connection:
        migrate.downgrade(connection, "0006")
    assert (rows(elsewhere, kept), rows(elsewhere, reported)) == before
    assert rows(elsewhere, "SELECT FROM pg_class WHERE relname = 'declarations' AND relkind = 'r'") == [()]


def test_on_a_server_of_ones_own_the_analysts_get_marts_and_nothing_else(elsewhere: Settings) -> None:
    _allow_roles(elsewhere)
    setup.prepare(elsewhere)
    columns, answer = run_select("select current_user, count(*) from marts.unit group by 1", elsewhere)
    assert (columns, list(answer)) == (["current_user", "count"], [("reader", 193)])
    with pytest.raises(Exception, match="marts only"):
        run_select("select * from ops.batch", elsewhere)


def test_without_the_right_to_make_roles_the_error_says_what_to_run(elsewhere: Settings) -> None:
    with pytest.raises(WarehouseError, match='CREATE ROLE "reader" LOGIN; GRANT dti_analyst TO "reader"') as caught:
        setup.prepare(elsewhere)
    assert "reads-only" not in str(caught.value)
    assert rows(elsewhere, SHAPE) == []


def test_without_an_analysts_login_nobody_asks_as_owner(elsewhere: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTI_ANALYST_URL", "")
    get_settings.cache_clear()
    with pytest.raises(ConfigError, match="DTI_ANALYST_URL"):
        run_select("select 1", get_settings())


@pytest.mark.parametrize("url", ["not a url", "mysql://u:geheim@h/d", "postgresql://u:geheim@/d?host=/nowhere/at/all"])
def test_a_url_that_leads_nowhere_is_told_without_its_password(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DTI_WAREHOUSE_URL", url)
    get_settings.cache_clear()
    with pytest.raises((ConfigError, WarehouseError)) as caught:
        setup.prepare(get_settings())
    assert caught.value.remedy
    assert "geheim" not in str(caught.value)


def test_changed_views_and_reference_data_follow_their_files(warehouse: Settings, project: Path) -> None:
    alias = project / "include" / "reference" / "unit_alias.csv"
    alias.write_text(alias.read_text("utf-8") + "34,Xứ sở cà phê,P34-66,spelling\n", "utf-8")
    (project / "include" / "sql" / "marts" / "aliases.sql").write_text(
        "CREATE VIEW marts.aliases AS SELECT alias FROM ref.unit_alias;\n"
        "COMMENT ON VIEW marts.aliases IS 'Aliases';\nCOMMENT ON COLUMN marts.aliases.alias IS 'Alias';\n"
    )
    changed = get_settings()
    setup.prepare(changed)
    asked = "select alias from aliases where alias like 'Xứ%'"
    assert list(run_select(asked, changed)[1]) == [("Xứ sở cà phê",)]


@pytest.fixture
def project(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the files that the warehouse is made from, free to change; afterwards the real ones hold again."""
    copy = tmp_path / "project"
    for folder in ("migrations", "include/reference", "include/sql/marts"):
        shutil.copytree(warehouse.project / folder, copy / folder)
    with monkeypatch.context() as patch:
        patch.setenv("DTI_PROJECT", str(copy))
        get_settings.cache_clear()
        yield copy
    get_settings.cache_clear()
    setup.prepare(warehouse)


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("sql/marts/bare.sql", "CREATE VIEW marts.bare AS SELECT 1 AS x", "no comment on bare, bare.x"),
        ("sql/marts/half.sql", "CREATE VIEW marts.half AS SELECT 1 AS x;\nCOMMENT ON VIEW marts.half IS 'h'", "half.x"),
        ("sql/marts/wrong.sql", "-- grain\nCREATE VIEW marts.wrong AS\nSELECT nothing FROM ref.unit", "wrong.sql:3"),
        ("sql/marts/round.sql", "CREATE VIEW marts.round AS SELECT * FROM marts.round", "round.sql"),
        ("sql/marts/misnamed.sql", "CREATE VIEW marts.other AS SELECT 1 AS x", "misnamed, other"),
        ("reference/region.csv", "geography,region_code\n63,DBSH\n", "region.csv"),
        ("reference/unit_succession.csv", "unit_id_63,unit_id_34,source\nP63-01,P34-02,x\n", "P34-02"),
        ("reference/published_index.csv", None, "no such file"),
    ],
)
def test_a_broken_file_is_named_and_the_warehouse_stays_as_it_was(
    warehouse: Settings, project: Path, file: str, content: str | None, told: str
) -> None:
    before = rows(warehouse, SHAPE)
    path = project / "include" / file
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        setup.prepare(get_settings())
    assert told in str(caught.value)
    assert caught.value.remedy
    assert rows(warehouse, SHAPE) == before
    assert rows(warehouse, "SELECT count(*)::int FROM ref.published_index") == [(1090,)]


def _allow_roles(settings: Settings) -> None:
    """Let the owner make roles, as the owner of a database of one's own often may."""
    inside = settings.model_copy(update={"warehouse_url": None, "analyst_url": None})
    with connect.connect_url(embedded.ensure_running(inside).superuser) as connection:
        connection.execute("ALTER ROLE dti_owner CREATEROLE")
        connection.execute("GRANT dti_analyst TO dti_owner WITH ADMIN OPTION, INHERIT FALSE, SET FALSE")
