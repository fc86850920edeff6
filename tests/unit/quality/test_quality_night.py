"""A whole check of a night: results are written and replaced, a rule that cannot be judged harms no other."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta

import pytest
import yaml
from sqlalchemy import text

from dti import flow
from dti.errors import ConfigError
from dti.quality import QualityError, check_night
from dti.settings import Settings
from dti.warehouse.connect import engine
from dti.warehouse.query import run_select
from tests.unit.quality.conftest import NIGHT

COUNTED = (
    "select 'staffing' as feed, '{source}' as source_id, 3 as checked_count, {failed} as failed_count, 'x' as detail"
)


@pytest.fixture
def project(warehouse, tmp_path):
    """``project(rules, queries)``: the warehouse's settings with other rules."""

    def make(rules, queries):
        where = tmp_path / "project" / "expectations" / "warehouse"
        shutil.rmtree(where, ignore_errors=True)
        (where / "queries").mkdir(parents=True)
        texts = {"severity": "critical", "query": "q"}
        written = [{**texts, "reason": f"Bad {r['rule']}", "reason_vi": f"Sai {r['rule']}", **r} for r in rules]
        (where / "topic.yml").write_text(yaml.safe_dump({"rules": written}), "utf-8")
        for name, statement in queries.items():
            (where / "queries" / f"{name}.sql").write_text(statement, "utf-8")
        if not (tmp_path / "project" / "include").exists():
            (tmp_path / "project" / "include").symlink_to(warehouse.include_dir)
        return Settings(project=tmp_path / "project", home=warehouse.home)

    return make


def mart(settings, what="*", where="true"):
    return list(run_select(f"select {what} from marts.night_check where {where} order by night, rule", settings)[1])


def test_an_empty_warehouse_can_be_checked(warehouse):
    summary = flow.check_night(NIGHT, settings=warehouse)
    assert [failed["rule"] for failed in summary["failed"]] == ["index_computed"]
    rows = mart(warehouse, "rule, severity, status, detail", "status = 'failed'")
    assert rows == [("index_computed", "critical", "failed", "no complete index run of 2026-06-30")]
    assert len({rule for (rule,) in mart(warehouse, "rule")}) == len({r["rule"] for r in _written(warehouse)})


def test_a_check_replaces_the_one_before_and_leaves_other_nights(project):
    rules = [{"rule": "one"}]
    check_night(NIGHT - timedelta(days=1), settings=project(rules, {"q": COUNTED.format(source="s", failed=1)}))
    for failed in (2, 0):
        settings = project(rules, {"q": COUNTED.format(source="s", failed=failed)})
        result = check_night(NIGHT, settings=settings)
    assert result.counts() == {"passed": 1}
    columns = "night, status, failed_count, is_newest_night, failed_since"
    assert mart(settings, columns) == [
        (NIGHT - timedelta(days=1), "failed", 1, False, NIGHT - timedelta(days=1)),
        (NIGHT, "passed", 0, True, None),
    ]


def test_a_failure_is_told_with_the_night_it_began(project):
    verdicts = ["0", "1", "null", "2", "1"]
    for back, failed in zip(range(len(verdicts), 0, -1), verdicts, strict=True):
        settings = project([{"rule": "one"}], {"q": COUNTED.format(source="s", failed=failed)})
        check_night(NIGHT - timedelta(days=back), settings=settings)
    found = mart(settings, "status, failed_since")
    begun = NIGHT - timedelta(days=4)
    assert found == [("passed", None), ("failed", begun), ("not_judged", None), ("failed", begun), ("failed", begun)]


def test_a_rule_that_cannot_be_judged_says_nothing_of_the_data_and_harms_no_other(project):
    queries = {"q": COUNTED.format(source="s", failed=1), "broken": "select 1 / 0 as checked_count, 1 as failed_count"}
    settings = project([{"rule": "broken", "query": "broken"}, {"rule": "sound"}], queries)
    with pytest.raises(QualityError, match="broken: the warehouse could not answer: division by zero"):
        check_night(NIGHT, settings=settings)
    assert mart(settings, "rule, status, failed_count") == [("broken", "not_judged", 0), ("sound", "failed", 1)]
    assert mart(settings, "detail", "rule = 'broken'")[0][0].startswith("could not be judged: broken: the warehouse")


def test_a_query_changes_nothing(project):
    sly = "with gone as (delete from ops.source returning 1) select 1 as checked_count, 0 as failed_count from gone"
    settings = project([{"rule": "sly"}], {"q": sly})
    with engine(settings, "loader").begin() as connection:
        connection.execute(
            text("insert into ops.source values ('kept', 'staffing', 'a', 'o', 'l', true, 'p', true, 1)"),
        )
    with pytest.raises(QualityError, match="read-only transaction"):
        check_night(NIGHT, settings=settings)
    with engine(settings, "loader").connect() as connection:
        assert connection.execute(text("select count(*) from ops.source")).scalar_one() == 1


def test_a_rule_written_wrongly_stops_the_check_before_anything_is_written(project):
    with pytest.raises(ConfigError, match="severity"):
        check_night(NIGHT, settings=project([{"rule": "one", "severity": "fatal"}], {}))


def test_two_checks_at_once_leave_one_result(project):
    settings = project([{"rule": "one"}], {"q": f"{COUNTED.format(source='s', failed=1)} from pg_sleep(0.3)"})
    faults: list[BaseException] = []

    def check():
        try:
            check_night(NIGHT, settings=settings)
        except BaseException as fault:  # noqa: BLE001 — told by the assertion below
            faults.append(fault)

    threads = [threading.Thread(target=check) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert len(mart(settings)) == 1


def test_analysts_read_it_and_change_nothing(project):
    settings = project([{"rule": "one"}], {"q": COUNTED.format(source="s", failed=1)})
    check_night(NIGHT, settings=settings)
    assert mart(settings, "reason_vi") == [("Sai one",)]
    with engine(settings, "analyst").connect() as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute(text("select * from ops.night_check"))


def _written(settings):
    paths = sorted((settings.expectations_dir / "warehouse").glob("*.yml"))
    return [rule for path in paths for rule in yaml.safe_load(path.read_text("utf-8"))["rules"]]
